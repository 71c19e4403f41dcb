"""The tables of what servers were asked to try; see `tables.py` for the rest and for the types."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, text

from understudy.adapters.stores.columns import Choice, Document, Instant
from understudy.adapters.stores.release_tables import metadata
from understudy.records.spread import GateState, PendingGate, RunState, SpreadRun

__all__ = ["metadata", "pending_gates", "spread_runs", "spread_trials"]

IS_UNFINISHED = text("state IN ('open', 'waiting')")
IS_PENDING = text("state = 'pending'")
IS_UNTOLD = text("state IN ('judged', 'pending')")

spread_runs = Table(
    "spread_runs",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", Choice(RunState), nullable=False),
    Column("release", String(200), nullable=False),
    Column("suite", String(200), nullable=False),
    Column("suite_digest", String(64), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("refused", Text),
    Column("body", Document(SpreadRun), nullable=False),
    Index("ix_spread_runs_unfinished", "asked_at", sqlite_where=IS_UNFINISHED, postgresql_where=IS_UNFINISHED),
    Index("ix_spread_runs_content", "release", "suite", "suite_digest"),
)

spread_trials = Table(
    "spread_trials",
    metadata,
    Column("run_id", String(200), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("case_id", String(200), nullable=False),
    Column("trial", Integer, nullable=False),
    Column("token", Integer, nullable=False),
    Column("due_at", Instant),
    Column("is_error", Boolean, nullable=False),
    Index("ix_spread_trials_due", "run_id", "due_at"),
)
"""`due_at`: when the lease ends; NULL once there is a result, which stands in `trials`."""

pending_gates = Table(
    "pending_gates",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", Choice(GateState), nullable=False),
    Column("candidate", String(200), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("body", Document(PendingGate), nullable=False),
    Index("uq_pending_gates_candidate", "candidate", unique=True, sqlite_where=IS_PENDING, postgresql_where=IS_PENDING),
    Index("ix_pending_gates_untold", "asked_at", sqlite_where=IS_UNTOLD, postgresql_where=IS_UNTOLD),
    Index("ix_pending_gates_of", "candidate", "asked_at"),
)
