"""How versions of agents come to the customers: those flows, built from the settings. It opens and starts nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from understudy.adapters.stores.sql_store import SqlStore
from understudy.ports.agent import Agent
from understudy.ports.clock import Clock
from understudy.ports.telemetry import Telemetry
from understudy.records.release import Stated
from understudy.release.orders import Gate, ReleaseOrders
from understudy.release.status import ReleaseReports
from understudy.settings.model import Settings
from understudy.settings.releases import release_terms_of


def letting_out(
    settings: Settings,
    store: SqlStore,
    clock: Clock,
    telemetry: Telemetry,
    found: Mapping[str, Stated],
    agents: Mapping[str, Agent],
) -> dict[str, Any]:
    """The flows of releases, by their names in `App`."""

    def version_of(entry: str) -> str | None:
        return agents[entry].version

    return {
        "releases": release_orders(settings, store, clock, telemetry, found, version_of),
        "release_reports": ReleaseReports(store, clock, found, terms=release_terms_of(settings.releases)),
    }


def release_orders(
    settings: Settings,
    store: SqlStore,
    clock: Clock,
    telemetry: Telemetry,
    found: Mapping[str, Stated],
    version_of: Callable[[str], str | None],
    *,
    gate: Gate | None = None,
) -> ReleaseOrders:
    """What people may order of releases."""
    terms = release_terms_of(settings.releases)
    return ReleaseOrders(store, clock, telemetry, found, terms=terms, version_of=version_of, gate=gate)
