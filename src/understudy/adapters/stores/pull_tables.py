"""The tables of what is fetched from channels; see `tables.py` for the rest and for the types."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from understudy.adapters.stores.columns import Document, Instant
from understudy.adapters.stores.trail_tables import metadata
from understudy.records.pulls import Envelope

__all__ = ["envelopes", "metadata", "pulls"]

pulls = Table(
    "pulls",
    metadata,
    Column("channel", String(100), primary_key=True),
    Column("token", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("cursor", Text),
)
"""`due_at`: when the lease ends."""

envelopes = Table(
    "envelopes",
    metadata,
    Column("message_id", String(200), primary_key=True),
    Column("body", Document(Envelope), nullable=False),
)
