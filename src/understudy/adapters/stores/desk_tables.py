"""The tables of the reviewers' desk; see `tables.py` for the types."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, String, Table, Text

from understudy.adapters.stores.action_tables import metadata
from understudy.adapters.stores.columns import Instant

__all__ = ["canned_replies", "desk_preferences", "desk_views", "metadata", "presences", "waiting_verdicts"]

waiting_verdicts = Table(
    "waiting_verdicts",
    metadata,
    Column("hold_id", String(200), primary_key=True),
    Column("reviewer", String(200), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_waiting_verdicts_due_at", "due_at"),
)
"""`body` is the verdict in canonical JSON."""

desk_views = Table(
    "desk_views",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("by", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("is_shared", Boolean, nullable=False),
    Column("shows", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("ix_desk_views_owner", "owner"),
)

desk_preferences = Table(
    "desk_preferences",
    metadata,
    Column("owner", String(200), primary_key=True),
    Column("body", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

canned_replies = Table(
    "canned_replies",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Column("changed_by", String(200), nullable=False),
    Column("changed_at", Instant, nullable=False),
)

presences = Table(
    "presences",
    metadata,
    Column("owner", String(200), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("hold_id", String(200)),
    Column("seen_at", Instant, nullable=False),
)
"""Who had the console open, and on which hold; of no use a minute later."""
