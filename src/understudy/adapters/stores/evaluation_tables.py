"""The tables of runs, trials and what gates said; see `tables.py` for the types."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table

from understudy.adapters.stores.columns import Choice, Document, Instant
from understudy.adapters.stores.oversight_tables import metadata
from understudy.records.gate import GateResult, GateVerdict
from understudy.records.suite import Trial

__all__ = ["gates", "metadata", "runs", "trials"]

runs = Table(
    "runs",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("suite", String(200), nullable=False),
    Column("suite_digest", String(64), nullable=False),
    Column("release", String(200), nullable=False),
    Column("planned", Integer, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("done", Integer, nullable=False),
    Column("ended_at", Instant),
    Index("ix_runs_release", "release", "suite", "began_at"),
)

trials = Table(
    "trials",
    metadata,
    Column("run_id", String(200), primary_key=True),
    Column("case_id", String(200), primary_key=True),
    Column("trial", Integer, primary_key=True),
    Column("body", Document(Trial), nullable=False),
)

gates = Table(
    "gates",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("suite", String(200), nullable=False),
    Column("candidate", String(200), nullable=False),
    Column("verdict", Choice(GateVerdict), nullable=False),
    Column("at", Instant, nullable=False),
    Column("body", Document(GateResult), nullable=False),
    Index("ix_gates_candidate", "candidate", "at"),
)
