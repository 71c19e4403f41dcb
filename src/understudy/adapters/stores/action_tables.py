"""The table of the actions that agents proposed; see `tables.py` for the rest and for the types."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, text

from understudy.adapters.stores.columns import Choice, Instant
from understudy.adapters.stores.user_tables import metadata
from understudy.records.acting import ActionState, ActionStep

__all__ = ["actions", "metadata"]

_OPEN = text("state IN ('approved', 'executing', 'unknown')")
_DUE = text("state IN ('approved', 'executing')")

actions = Table(
    "actions",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String(250), nullable=False, unique=True),
    Column("turn_id", String(200), nullable=False, index=True),
    Column("conversation_id", String(200), nullable=False),
    Column("contact_id", String(200), nullable=False),
    Column("place", Integer, nullable=False),
    Column("name", String(200), nullable=False),
    Column("arguments", Text, nullable=False),
    Column("amount", BigInteger),
    Column("state", Choice(ActionState), nullable=False),
    Column("step", Choice(ActionStep), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("is_unsure", Boolean, nullable=False),
    Column("is_edited", Boolean, nullable=False),
    Column("due_at", Instant),
    Column("called_at", Instant),
    Column("approved_by", String(200)),
    Column("approved_at", Instant),
    Column("provider_id", String(500)),
    Column("answer", Text),
    Column("last_error", Text),
    Column("created_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Index("ix_actions_conversation", "conversation_id", "seq"),
    Index("ix_actions_open", "conversation_id", "seq", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_actions_due", "due_at", sqlite_where=_DUE, postgresql_where=_DUE),
    Index("ix_actions_used", "name", "approved_at"),
)
"""`arguments` is a table in JSON, `amount` in millionths, `seq` the order in which actions were written down."""
