"""The table of pledges, what the business owes its customers; see `tables.py` for the types."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, text

from understudy.adapters.stores.columns import Choice, Instant
from understudy.adapters.stores.note_tables import metadata
from understudy.records.conversation import Author
from understudy.records.pledges import PledgeKind, PledgeState

__all__ = ["metadata", "pledges"]

_OPEN = text("state IN ('open')")

pledges = Table(
    "pledges",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("kind", Choice(PledgeKind), nullable=False),
    Column("state", Choice(PledgeState), nullable=False),
    Column("contact_id", String(200), nullable=False),
    Column("conversation_id", String(200), nullable=False, index=True),
    Column("turn_id", String(200)),
    Column("message_id", String(200)),
    Column("author", Choice(Author), nullable=False),
    Column("made_by", String(200)),
    Column("words", Text, nullable=False),
    Column("has_named_time", Boolean, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("warn_at", Instant),
    Column("ended_at", Instant),
    Column("ended_by", String(200)),
    Column("note", Text),
    Index("ix_pledges_contact_id", "contact_id", "made_at"),
    Index("ix_pledges_state", "state", "due_at"),
    Index("ix_pledges_due", "due_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_pledges_warn", "warn_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
)
