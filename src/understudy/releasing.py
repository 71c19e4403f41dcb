"""How versions of agents come to the customers: those flows, built from the settings. It opens and starts nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from understudy.adapters.stores.sql_store import SqlStore
from understudy.learning.redrafting import Redrafting
from understudy.plugins import checks_of
from understudy.ports.agent import Agent, DraftRequest
from understudy.ports.clock import Clock
from understudy.ports.dispatch import Dispatcher
from understudy.ports.telemetry import Telemetry
from understudy.records.evidence import Draft
from understudy.records.redraft import RedraftTerms
from understudy.records.release import Stated
from understudy.records.rulebook import Rules
from understudy.release.forgetting import Forgetting
from understudy.release.orders import ReleaseOrders, ServedGate
from understudy.release.probing import Probing
from understudy.release.rehearsing import AT_ONCE_MAX, Rehearsing
from understudy.release.status import ReleaseReports
from understudy.release.telling import Telling
from understudy.release.watching import ReleaseWatch
from understudy.release_gate import gate_of, tuned_on
from understudy.settings.asked import agents_asked
from understudy.settings.model import Settings
from understudy.settings.releases import redraft_terms_of, release_terms_of
from understudy.settings.stated import by_agent, stated
from understudy.turn.drafting import Drafting, DraftingLimits
from understudy.turn.opinions import SecondOpinions
from understudy.turn.places import Places
from understudy.turn.releases import Picks, Routes
from understudy.upkeep.sweeps import Sweeps


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """The agents by their entries, the versions those state, who is asked for a draft, and which release of it."""

    agents: Mapping[str, Agent]
    stated: Mapping[str, Stated]
    picks: Picks
    routes: Routes


def versions_of(settings: Settings, base: Path, clock: Clock, agents: Mapping[str, Agent]) -> Versions:
    """Find out who can be asked; raises `ConfigurationError`."""
    found = stated(settings, base)
    versions = by_agent(found)
    picks = Picks(agents_asked(settings, {name: name for name in agents}), agents, versions)
    return Versions(agents=agents, stated=found, picks=picks, routes=Routes(clock, picks.names, versions))


def letting_out(
    settings: Settings,
    base: Path,
    store: SqlStore,
    clock: Clock,
    telemetry: Telemetry,
    versions: Versions,
    places: Places,
    dispatcher: Dispatcher,
    *,
    rules: Callable[[], Rules],
    opinions: SecondOpinions | None,
    served: ServedGate,
) -> dict[str, Any]:
    """The flows of releases, by their names in `App`. `opinions` have a budget of their own."""
    terms = release_terms_of(settings.releases)
    found, picks = versions.stated, versions.picks
    by_id = {one.id: one for one in found.values()}
    ask = _rehearsing_by(picks, clock, telemetry, places, draft_s_max=terms.draft_s_max)
    redrafts = _redraft_terms(settings)
    telling = Telling(store, clock, telemetry)
    watch = ReleaseWatch(store, clock, telemetry, terms=terms)
    probing = Probing(store, clock, telemetry, by_id, ask=ask, would_draft=versions.routes.would_draft, terms=terms)
    rehearsing = Rehearsing(store, clock, by_id, ask=ask, checks=checks_of(settings), terms=terms)
    redrafting = Redrafting(
        store,
        clock,
        telemetry,
        rules,
        by_id,
        ask=_rehearsing_by(picks, clock, telemetry, places, draft_s_max=redrafts.draft_s_max),
        checks=checks_of(settings),
        terms=redrafts,
        tuned_on=tuned_on(settings, base),
        opine=None if opinions is None else opinions.ask,
    )
    return {
        "stated": found,
        "releases": ReleaseOrders(
            store,
            clock,
            telemetry,
            found,
            terms=terms,
            version_of=lambda entry: versions.agents[entry].version,
            gate=gate_of(settings, base, store),
            served=served,
        ),
        "release_reports": ReleaseReports(store, clock, found, terms=terms),
        "release_watch": tuple(
            Sweeps(clock, telemetry, sweeps, is_my_turn=dispatcher.may_sweep)
            for sweeps in (
                {"gates": telling.sweep, "probes": probing.sweep, "releases": watch.sweep},
                {"rehearsals": rehearsing.sweep, "old rehearsals": Forgetting(store, clock, terms=terms).sweep},
                {"redrafts": redrafting.sweep},
            )
        ),
    }


def _rehearsing_by(
    picks: Picks, clock: Clock, telemetry: Telemetry, places: Places, *, draft_s_max: float
) -> Callable[[DraftRequest], Awaitable[Draft]]:
    """Who drafts for nobody, with a drafting of its own: what breaks in a rehearsal closes no circuit, and takes no room,
    of customers' drafts."""
    limits = DraftingLimits(
        deadline_s=draft_s_max, place_wait_s_max=draft_s_max, attempts_max=1, in_flight_max=AT_ONCE_MAX + 1
    )
    drafting = Drafting(
        clock, telemetry, lambda request: (picks.only(request.chosen[0]),), limits=limits, places=places
    )

    async def ask(request: DraftRequest) -> Draft:
        return await drafting.draft(request)

    return ask


def _redraft_terms(settings: Settings) -> RedraftTerms:
    judged_within = timedelta(hours=settings.autonomy.judged_within_h)
    draft_s_max = settings.drafting.deadline_s
    return redraft_terms_of(settings.releases, judged_within=judged_within, draft_s_max=draft_s_max)
