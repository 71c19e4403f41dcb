"""The tables of releases; see `tables.py` for the rest and for the types."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, text

from understudy.adapters.stores.columns import Choice as ChoiceOf
from understudy.adapters.stores.columns import Document, Instant
from understudy.adapters.stores.evaluation_tables import metadata
from understudy.records.release import Rehearsal, Release, Stage

__all__ = ["metadata", "rehearsals", "release_choices", "release_watches", "releases"]

IS_FULL = text("stage = 'full'")
IS_CANDIDATE = text("stage IN ('canary', 'shadow')")

releases = Table(
    "releases",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("agent", String(200), nullable=False),
    Column("stage", ChoiceOf(Stage), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("body", Document(Release), nullable=False),
    Index("uq_releases_full", "agent", unique=True, sqlite_where=IS_FULL, postgresql_where=IS_FULL),
    Index("uq_releases_candidate", "agent", unique=True, sqlite_where=IS_CANDIDATE, postgresql_where=IS_CANDIDATE),
)

release_choices = Table(
    "release_choices",
    metadata,
    Column("conversation_id", String(200), primary_key=True),
    Column("agent", String(200), primary_key=True),
    Column("release_id", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_release_choices_release", "release_id", "at"),
)

release_watches = Table(
    "release_watches",
    metadata,
    Column("release_id", String(64), primary_key=True),
    Column("consumed", BigInteger, nullable=False),
    Column("progress", Text, nullable=False),
)

rehearsals = Table(
    "rehearsals",
    metadata,
    Column("release_id", String(64), primary_key=True),
    Column("turn_id", String(200), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("body", Document(Rehearsal), nullable=False),
    Index("ix_rehearsals_release", "release_id", "seq"),
)
