"""The tables of tickets in systems of record, and of what those answer; see `tables.py` for the types."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint, false, text

from understudy.adapters.stores.columns import Choice, Document, Instant
from understudy.adapters.stores.pull_tables import metadata
from understudy.records.shape import Shape
from understudy.records.systems import Order
from understudy.records.tickets import StepState, TicketState

__all__ = ["contracts", "metadata", "ticket_steps", "tickets"]

_WAITS = text("state IN ('pending', 'sending')")
_IS_OPEN = text("state = 'opened' AND NOT is_over")

tickets = Table(
    "tickets",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("system", String(100), nullable=False),
    Column("hold_id", String(200), nullable=False),
    Column("turn_id", String(200), nullable=False),
    Column("conversation_id", String(200), nullable=False, index=True),
    Column("state", Choice(TicketState), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant),
    Column("tried_at", Instant),
    Column("number", String(500)),
    Column("last_error", Text),
    Column("ordered", Document(Order), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("is_over", Boolean, nullable=False, server_default=false()),
    Column("given_to", String(200)),
    Index("ix_tickets_hold_id", "hold_id", "system", unique=True),
    Index("ix_tickets_due", "due_at", sqlite_where=_WAITS, postgresql_where=_WAITS),
    Index("ix_tickets_state", "state", "created_at"),
    Index("ix_tickets_open", "created_at", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
)

ticket_steps = Table(
    "ticket_steps",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("ticket_id", String(200), nullable=False),
    Column("place", Integer, nullable=False),
    Column("system", String(100), nullable=False),
    Column("turn_id", String(200), nullable=False),
    Column("conversation_id", String(200), nullable=False),
    Column("state", Choice(StepState), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant),
    Column("tried_at", Instant),
    Column("last_error", Text),
    Column("ordered", Document(Order), nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("ticket_id", "place"),
    Index("ix_ticket_steps_due", "due_at", sqlite_where=_WAITS, postgresql_where=_WAITS),
    Index("ix_ticket_steps_state", "state", "created_at"),
)

contracts = Table(
    "contracts",
    metadata,
    Column("system", String(100), primary_key=True),
    Column("about", String(40), primary_key=True),
    Column("shape", Document(Shape), nullable=False),
    Column("changed_at", Instant, nullable=False),
)
