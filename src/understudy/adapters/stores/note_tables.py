"""The tables of notes in other help desks; see `tables.py` for the types."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint, text

from understudy.adapters.stores.columns import Choice, Instant
from understudy.adapters.stores.desk_tables import metadata
from understudy.records.notes import NoteKind, NoteState, RemarkKind, RemarkState

__all__ = ["metadata", "note_threads", "notes", "remarks"]

notes = Table(
    "notes",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("kind", Choice(NoteKind), nullable=False),
    Column("state", Choice(NoteState), nullable=False),
    Column("channel", String(100), nullable=False),
    Column("conversation_id", String(200), nullable=False),
    Column("thread", String(500), nullable=False),
    Column("hold_id", String(200)),
    Column("version", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("is_only", Boolean, nullable=False),
    Column("is_whole", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant),
    Column("provider_id", String(500)),
    Column("last_error", Text),
    Column("created_at", Instant, nullable=False),
    Index("ix_notes_hold_id", "hold_id"),
    Index("ix_notes_conversation_id", "conversation_id", "created_at"),
    Index(
        "ix_notes_due",
        "due_at",
        sqlite_where=text("state IN ('pending', 'writing')"),
        postgresql_where=text("state IN ('pending', 'writing')"),
    ),
)

remarks = Table(
    "remarks",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("channel", String(100), nullable=False),
    Column("provider_id", String(500), nullable=False),
    Column("kind", Choice(RemarkKind), nullable=False),
    Column("state", Choice(RemarkState), nullable=False),
    Column("thread", String(500)),
    Column("external_id", String(500)),
    Column("author", String(500)),
    Column("author_name", Text),
    Column("text", Text, nullable=False),
    Column("outcome", String(40)),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant),
    Column("received_at", Instant, nullable=False),
    UniqueConstraint("channel", "provider_id"),
    Index(
        "ix_remarks_due",
        "due_at",
        sqlite_where=text("state IN ('received')"),
        postgresql_where=text("state IN ('received')"),
    ),
)

note_threads = Table(
    "note_threads",
    metadata,
    Column("channel", String(100), primary_key=True),
    Column("name", String(500), primary_key=True),
    Column("external_id", String(500)),
    Column("seen_at", Instant, nullable=False),
    Index("ix_note_threads_external_id", "channel", "external_id"),
)
