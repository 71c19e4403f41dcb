"""The table of processes at work; see `tables.py` for the types."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from understudy.adapters.stores.columns import Instant
from understudy.adapters.stores.spread_tables import metadata

__all__ = ["metadata", "processes"]

processes = Table(
    "processes",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("host", String(200), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", String(40), nullable=False),
    Column("does", String(40), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("knows", Text, nullable=False),
)
