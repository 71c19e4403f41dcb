"""The tables of whose a hand-off is, and of what people say of their being there; see `tables.py` for the types."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, String, Table, Text, text

from understudy.adapters.stores.columns import Choice, Instant, Words
from understudy.adapters.stores.identity_tables import metadata
from understudy.records.staffing import Ending, Why

__all__ = ["assignments", "availabilities", "metadata"]

_LIVE = text("ended_at IS NULL")

assignments = Table(
    "assignments",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("hold_id", String(200), nullable=False, index=True),
    Column("conversation_id", String(200), nullable=False, index=True),
    Column("channel", String(100), nullable=False),
    Column("topic", String(200)),
    Column("language", String(20)),
    Column("priority", Integer, nullable=False),
    Column("waits_since", Instant, nullable=False),
    Column("target_s", Float),
    Column("due_at", Instant),
    Column("team", String(200)),
    Column("person", String(200)),
    Column("why", Choice(Why), nullable=False),
    Column("words", Text, nullable=False),
    *(Column(moment, Instant) for moment in ("assigned_at", "lapses_at")),
    Column("is_taken", Boolean, nullable=False),
    Column("keeper", String(200)),
    Column("lost", Words, nullable=False),
    Column("is_urged", Boolean, nullable=False),
    Column("is_told", Boolean, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("step_at", Instant),
    Column("is_broken", Boolean, nullable=False),
    Column("ended_at", Instant),
    Column("ending", Choice(Ending)),
    Index("ix_assignments_live", "conversation_id", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
    Index("ix_assignments_waiting", "priority", "waits_since", sqlite_where=_LIVE, postgresql_where=_LIVE),
    Index("ix_assignments_step_at", "step_at", sqlite_where=_LIVE, postgresql_where=_LIVE),
    Index("ix_assignments_person", "person", sqlite_where=_LIVE, postgresql_where=_LIVE),
)
"""One that has not ended is a customer's wait; a conversation has at most one."""

availabilities = Table(
    "availabilities",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("is_away", Boolean, nullable=False),
    Column("until", Instant),
    Column("said_at", Instant, nullable=False),
    Column("said_by", String(200), nullable=False),
)
