"""The tables of who customers are; see `tables.py` for the types."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, UniqueConstraint, text

from understudy.adapters.stores.columns import Choice, Instant, Words
from understudy.adapters.stores.pledge_tables import metadata
from understudy.records.identity import CodeState, HandleKind, LinkCause, LinkState, Vouched

__all__ = ["codes", "handles", "links", "metadata", "rewrites"]

handles = Table(
    "handles",
    metadata,
    Column("contact_id", String(200), primary_key=True),
    Column("kind", Choice(HandleKind), primary_key=True),
    Column("value", String(500), primary_key=True),
    Column("how", Choice(Vouched), nullable=False),
    Column("channel", String(100), nullable=False),
    Column("verified_at", Instant, nullable=False),
    Column("verified_by", String(200), nullable=False),
    Index("ix_handles_kind_value", "kind", "value"),
)

links = Table(
    "links",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("one", String(200), nullable=False),
    Column("other", String(200), nullable=False, index=True),
    Column("state", Choice(LinkState), nullable=False),
    Column("cause", Choice(LinkCause), nullable=False),
    Column("kind", Choice(HandleKind)),
    Column("at", Instant, nullable=False),
    Column("said_by", String(200), nullable=False),
    UniqueConstraint("one", "other"),
    Index(
        "ix_links_proposed",
        "at",
        sqlite_where=text("state IN ('proposed')"),
        postgresql_where=text("state IN ('proposed')"),
    ),
)

codes = Table(
    "codes",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("conversation_id", String(200), nullable=False),
    Column("contact_id", String(200), nullable=False),
    Column("holder_id", String(200), nullable=False),
    Column("kind", Choice(HandleKind), nullable=False),
    Column("value", String(500), nullable=False),
    Column("outbox_id", String(200), nullable=False, unique=True),
    Column("hashes", Words, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("state", Choice(CodeState), nullable=False),
    Column("asked_by", String(200), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index("ix_codes_conversation_id", "conversation_id", "created_at"),
    Index("ix_codes_kind_value", "kind", "value", "created_at"),
)

rewrites = Table(
    "rewrites",
    metadata,
    Column("contact_id", String(200), primary_key=True),
    Column("ordered_at", Instant, nullable=False),
)
"""Who was erased since the file was last written anew."""
