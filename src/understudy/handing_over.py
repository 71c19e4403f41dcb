"""What a hand-off sets going outside, built from the settings: tickets, and a summary that a model writes. It starts nothing."""

from __future__ import annotations

from collections.abc import Mapping

from understudy.adapters.stores.sql_store import SqlStore
from understudy.effects.vouching import Proofs
from understudy.errors import ConfigurationError
from understudy.ports.clock import Clock
from understudy.ports.summariser import Summariser
from understudy.ports.system import System
from understudy.ports.telemetry import Telemetry
from understudy.records.systems import Write
from understudy.settings.model import Settings
from understudy.settings.systems import System as SystemSettings
from understudy.summaries.flow import SummaryDesk, SummaryLimits
from understudy.tickets.flow import Opens, TicketDesk
from understudy.tickets.telling import Tells


def tickets_of(
    settings: Settings,
    store: SqlStore,
    clock: Clock,
    telemetry: Telemetry,
    systems: Mapping[str, System],
    summaries: SummaryDesk,
    *,
    proofs: Proofs,
) -> TicketDesk:
    """What opens tickets for hand-offs; raises `ConfigurationError` where a system is to and cannot."""
    opens: list[Opens] = []
    for name, one in sorted(settings.systems.items()):
        if not one.hand_offs:
            continue
        if not systems[name].can_write("create"):
            raise ConfigurationError(f"systems.{name}: hand_offs = true needs `create`, by which tickets are opened")
        tells = _tells(name, one, systems[name])
        opens.append(Opens(system=systems[name], assignee=one.assignee, believes=frozenset(one.believes), tells=tells))
    public = settings.server.public_url
    return TicketDesk(
        store,
        clock,
        telemetry,
        opens,
        proofs=proofs,
        link_of=lambda hold: "" if public is None else f"{public.rstrip('/')}/console/#/hold/{hold}",
        awaits=summaries.is_awaited,
    )


def summaries_of(
    settings: Settings, store: SqlStore, clock: Clock, telemetry: Telemetry, summariser: Summariser | None
) -> SummaryDesk:
    """What has a model put hand-offs in short, where one is configured."""
    model = settings.summaries
    limits = None if model is None else SummaryLimits(deadline_s=model.deadline_s, per_hour_max=model.per_hour_max)
    return SummaryDesk(store, clock, telemetry, summariser, limits=limits)


def _tells(name: str, one: SystemSettings, system: System) -> Tells:
    """What a system's tickets are told; raises `ConfigurationError` where it cannot be told that."""
    given: list[Write] = ["note"] if one.tells is None else [*one.tells]
    cannot = [what for what in given if not system.can_write(what)]
    if one.tells is not None and cannot:
        raise ConfigurationError(f"systems.{name}: tells names {cannot[0]!r}, which needs `{cannot[0]}` described")
    what = frozenset(given).difference(cannot)
    return Tells(system=system, what=what, people=one.people, when_handed_back=one.over == "handed_back")
