"""The table of what groups of steps changed; see `tables.py` for the types."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text

from understudy.adapters.stores.summary_tables import metadata

__all__ = ["marks", "metadata"]

marks = Table(
    "marks",
    metadata,
    Column("head", BigInteger, primary_key=True, autoincrement=False),
    Column("after", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)
