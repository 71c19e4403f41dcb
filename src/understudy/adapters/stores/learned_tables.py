"""The tables of what autonomy is earned with; see `tables.py` for the rest and for the types."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text, false, text

from understudy.adapters.stores.columns import Choice, Document, Instant
from understudy.adapters.stores.tables import metadata, verdicts
from understudy.records.autonomy import Label, Proposal, Targets
from understudy.records.redraft import RedraftPlan
from understudy.records.rulebook import Calibrator, Level
from understudy.records.topics import TopicModel

__all__ = ["calibrators", "candidates", "epochs", "metadata", "redrafts", "stops", "topic_models"]

candidates = Table(
    "candidates",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("turn_id", String(200), nullable=False, index=True),
    Column("conversation_id", String(200), nullable=False),
    Column("topic", String(200), nullable=False),
    Column("channel", String(100), nullable=False),
    Column("release", String(200), nullable=False),
    Column("calibrator", String(64), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("signals", Document(tuple[tuple[str, float], ...]), nullable=False),
    Column("is_delivered", Boolean, nullable=False),
    Column("is_sampled", Boolean, nullable=False),
    Column("rate", Float, nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("is_repeat", Boolean, nullable=False, server_default=false()),
    Column("second_due_at", Instant),
    Column("redraft_of", BigInteger),
    Column("label", Document(Label)),
    Index("ix_candidates_conversation", "conversation_id"),
    Index("ix_candidates_slice", "topic", "release", "channel", "seq"),
    Index(
        "ix_candidates_awaited",
        "due_at",
        sqlite_where=text("label IS NULL AND is_sampled"),
        postgresql_where=text("label IS NULL AND is_sampled"),
    ),
    Index(
        "ix_candidates_judged",
        "seq",
        sqlite_where=text("label IS NOT NULL AND is_sampled"),
        postgresql_where=text("label IS NOT NULL AND is_sampled"),
    ),
    Index(
        "ix_candidates_redrafts",
        "topic",
        "release",
        "channel",
        "seq",
        sqlite_where=text("redraft_of IS NOT NULL AND label IS NULL"),
        postgresql_where=text("redraft_of IS NOT NULL AND label IS NULL"),
    ),
    Index(
        "ix_candidates_second",
        "second_due_at",
        sqlite_where=text("second_due_at IS NOT NULL"),
        postgresql_where=text("second_due_at IS NOT NULL"),
    ),
)

epochs = Table(
    "epochs",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("topic", String(200), nullable=False),
    Column("channel", String(100), nullable=False),
    Column("release", String(200), nullable=False),
    Column("calibrator", String(64), nullable=False),
    Column("targets", Document(Targets), nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("after", BigInteger, nullable=False),
    Column("consumed", BigInteger, nullable=False),
    Column("progress", Text, nullable=False),
    Column("earned", Choice(Level)),
    Column("threshold", Float),
    Column("audit_rate", Float),
    Column("burst_left", Integer, nullable=False),
    Column("has_harm", Boolean, nullable=False),
    Column("certified_at", Instant),
    Column("expires_at", Instant),
    Column("proposal", Document(Proposal)),
    Column("ended_at", Instant),
    Column("ended_why", String(100)),
    Index("ix_epochs_slice", "topic", "channel", "began_at"),
    Index(
        "uq_epochs_open",
        "topic",
        "channel",
        "release",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

calibrators = Table(
    "calibrators",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("body", Document(Calibrator), nullable=False),
    Column("adopted_at", Instant, nullable=False),
)

Index(
    "ix_verdicts_tagged",
    verdicts.c.at,
    sqlite_where=text("topic IS NOT NULL"),
    postgresql_where=text("topic IS NOT NULL"),
)

topic_models = Table(
    "topic_models",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("body", Document(TopicModel), nullable=False),
    Column("adopted_at", Instant, nullable=False),
)

redrafts = Table(
    "redrafts",
    metadata,
    Column("release_id", String(64), primary_key=True),
    Column("topic", String(200), primary_key=True),
    Column("channel", String(100), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("body", Document(RedraftPlan), nullable=False),
    Index("ix_redrafts_slice", "topic", "channel"),
)

stops = Table(
    "stops",
    metadata,
    Column("topic", String(200), primary_key=True),
    Column("channel", String(100), primary_key=True),
    Column("by", String(200), nullable=False),
    Column("at", Instant, nullable=False),
    Column("why", Text, nullable=False),
)
