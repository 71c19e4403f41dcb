"""The tables of users, their sessions and tries to sign in; see `tables.py` for the types."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from understudy.adapters.stores.columns import Choice, Instant
from understudy.adapters.stores.ticket_tables import metadata
from understudy.records.access import Role

__all__ = ["metadata", "sign_in_tries", "user_sessions", "users"]

users = Table(
    "users",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("role", Choice(Role), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("subject", String(600)),
    Index("ix_users_subject", "subject", unique=True),
)

user_sessions = Table(
    "user_sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user_id", String(200), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index("ix_user_sessions_user_id", "user_id"),
    Index("ix_user_sessions_expires_at", "expires_at"),
)

sign_in_tries = Table(
    "sign_in_tries",
    metadata,
    Column("bucket", String(500), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    Index("ix_sign_in_tries_since", "since"),
)
