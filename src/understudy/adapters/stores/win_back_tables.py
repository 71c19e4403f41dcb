"""The table of win-backs; see `tables.py` for the types."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text, UniqueConstraint, text

from understudy.adapters.stores.columns import Choice, Instant
from understudy.adapters.stores.staffing_tables import metadata
from understudy.records.trust import CapCause
from understudy.records.win_back import WhyNone, WinBackState

__all__ = ["metadata", "win_backs"]

_OPEN = text("state IN ('noticed', 'proposed')")

win_backs = Table(
    "win_backs",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("contact_id", String(200), nullable=False),
    Column("conversation_id", String(200), nullable=False),
    Column("turn_id", String(200), nullable=False),
    Column("cause", Choice(CapCause), nullable=False),
    Column("state", Choice(WinBackState), nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Column("hold_id", String(200), index=True),
    Column("text_id", String(200)),
    Column("language", String(40)),
    Column("text", Text),
    Column("facts", Text),
    Column("shut_at", Instant),
    Column("settled_at", Instant),
    Column("by", String(200)),
    Column("why", Choice(WhyNone)),
    UniqueConstraint("contact_id", "turn_id"),
    Index("ix_win_backs_open", "at", sqlite_where=_OPEN, postgresql_where=_OPEN),
)
