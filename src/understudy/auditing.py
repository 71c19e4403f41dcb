"""What watches: the auditor's desk, how everything goes, messages that were given up. It builds them from the settings, for `app.py` and
for commands; what they do stands in their flows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypedDict

from understudy.adapters.stores import migrate
from understudy.adapters.stores.sql_store import SqlStore
from understudy.adapters.telemetry.recent import Recent
from understudy.audit.flow import Audit
from understudy.databases import takes_one_process
from understudy.delivery.dead_letters import DeadLetters
from understudy.effects.absence import NobodyHome
from understudy.plugins import checks_of
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.ports.telemetry import Telemetry
from understudy.records.assessment import Assessment
from understudy.records.health import Schema
from understudy.settings.model import Settings
from understudy.settings.rules import rulebook_of
from understudy.turn.replay import replay
from understudy.upkeep.health import AgentLimit, HealthDesk, HealthLimits, OwnProcess

SCHEMA_KEPT_S = 60.0
"""How long a look at the schema counts; it changes when programs are replaced."""


class Watching(TypedDict):
    """The parts of the product that look at all others."""

    audit: Audit
    dead_letters: DeadLetters
    process: OwnProcess
    health: HealthDesk


def audit_of(settings: Settings, store: SqlStore, clock: Clock) -> Audit:
    """Build the auditor's desk."""
    checks = checks_of(settings)

    def again(tx: Transaction, turn_id: str) -> tuple[Assessment, Assessment]:
        return replay(tx, turn_id, checks=checks)

    return Audit(store, clock, rulebook_of(settings).rules.profile, again)


def watching(
    settings: Settings,
    store: SqlStore,
    clock: Clock,
    telemetry: Telemetry,
    recent: Recent,
    *,
    works: bool,
    nobody_home: NobodyHome | None = None,
) -> Watching:
    """Build all of them; `works`: this process works on turns."""
    process = OwnProcess(store, clock, recent.known, works, takes_one_process(settings))
    limits = HealthLimits(
        backlog_max=settings.limits.backlog_max,
        automatic_per_hour_max=settings.autonomy.automatic_per_hour_max,
        agents=tuple(
            AgentLimit(agent=name, at_once_max=one.at_once_max, per_minute_max=one.per_minute_max)
            for name, one in sorted(settings.agents.items())
        ),
        opinions=bool(settings.opinions),
    )
    kind = "SQLite" if store.engine.dialect.name == "sqlite" else "PostgreSQL"
    return Watching(
        audit=audit_of(settings, store, clock),
        dead_letters=DeadLetters(store, clock, telemetry, nobody_home=nobody_home),
        process=process,
        health=HealthDesk(store, clock, process, limits=limits, kind=kind, schema=_schema(store)),
    )


def _schema(store: SqlStore) -> Callable[[], Schema]:
    kept: list[tuple[float, Schema]] = []

    def look() -> Schema:
        if not kept or time.monotonic() - kept[0][0] > SCHEMA_KEPT_S:
            state = migrate.Migrations(store.engine).state()
            kept[:] = [(time.monotonic(), Schema(at=state.at, wanted=state.wanted))]
        return kept[0][1]

    return look
