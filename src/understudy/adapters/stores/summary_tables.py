"""The table of what models wrote of hand-offs; see `tables.py` for the types."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table

from understudy.adapters.stores.columns import Choice, Instant, Words
from understudy.adapters.stores.win_back_tables import metadata
from understudy.records.summary import SummaryState

__all__ = ["metadata", "summaries"]

summaries = Table(
    "summaries",
    metadata,
    Column("hold_id", String(200), primary_key=True),
    Column("turn_id", String(200), nullable=False),
    Column("conversation_id", String(200), nullable=False, index=True),
    Column("state", Choice(SummaryState), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", String(200), nullable=False),
    Column("lines", Words, nullable=False),
    Column("seen_to", BigInteger, nullable=False),
    Column("error", String(200)),
)
