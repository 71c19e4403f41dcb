"""The tables of how well people review and of what customers say; see `tables.py` for the types."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text, text

from understudy.adapters.stores.columns import Choice, Document, Instant
from understudy.adapters.stores.learned_tables import metadata
from understudy.records.autonomy import Label
from understudy.records.feedback import FeedbackKind, Stir
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.reviewing import SeedOrigin, SeedOutcome
from understudy.records.survey import Scale, SurveyState
from understudy.records.trust import CapCause

__all__ = [
    "barred",
    "caps",
    "discounts",
    "feedback",
    "frequencies",
    "judgements",
    "metadata",
    "opt_outs",
    "second_reviews",
    "seeds",
    "surveys",
]

seeds = Table(
    "seeds",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("origin", Choice(SeedOrigin), nullable=False),
    Column("source", String(200), nullable=False, unique=True),
    Column("topic", String(200), nullable=False),
    Column("channel", String(100), nullable=False),
    Column("added_by", String(200), nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("body", Text),
    Column("planted_at", Instant),
    Column("turn_id", String(200), index=True),
    Column("hold_id", String(200)),
    Column("outcome", Choice(SeedOutcome)),
    Column("verdict", Choice(VerdictKind)),
    Column("reviewer", String(200)),
    Column("judged_at", Instant),
    Index(
        "ix_seeds_unplanted",
        "added_at",
        sqlite_where=text("planted_at IS NULL"),
        postgresql_where=text("planted_at IS NULL"),
    ),
)

judgements = Table(
    "judgements",
    metadata,
    Column("verdict_id", String(200), primary_key=True),
    Column("reviewer", String(200), nullable=False),
    Column("hold_kind", Choice(HoldKind), nullable=False),
    Column("kind", Choice(VerdictKind), nullable=False),
    Column("took_s", Float, nullable=False),
    Column("words", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_judgements_reviewer", "reviewer", "at"),
    Index("ix_judgements_at", "at"),
)

barred = Table(
    "barred",
    metadata,
    Column("hold_id", String(200), primary_key=True),
    Column("reviewer", String(200), primary_key=True),
)

second_reviews = Table(
    "second_reviews",
    metadata,
    Column("hold_id", String(200), primary_key=True),
    Column("candidate", BigInteger, nullable=False),
    Column("turn_id", String(200), nullable=False),
    Column("first_by", String(200), index=True),
    Column("second_by", String(200), index=True),
    Column("first", Document(Label), nullable=False),
    Column("second", Document(Label), nullable=False),
    Column("at", Instant, nullable=False, index=True),
)

discounts = Table(
    "discounts",
    metadata,
    Column("reviewer", String(200), primary_key=True),
    Column("since", Instant, nullable=False),
    Column("why", Text, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    Column("turn_id", String(200), primary_key=True),
    Column("kind", Choice(FeedbackKind), primary_key=True),
    Column("by", String(200), nullable=False),
    Column("at", Instant, nullable=False, index=True),
)

frequencies = Table(
    "frequencies",
    metadata,
    Column("topic", String(200), primary_key=True),
    Column("channel", String(100), primary_key=True),
    Column("stir", Choice(Stir), primary_key=True),
    Column("seen", BigInteger, nullable=False),
    Column("replies", Integer, nullable=False),
    Column("stirs", Integer, nullable=False),
    Column("usual", Float),
    Column("watch", Text),
    Column("rises", Integer, nullable=False),
)

caps = Table(
    "caps",
    metadata,
    Column("contact_id", String(200), primary_key=True),
    Column("cause", Choice(CapCause), nullable=False),
    Column("turn_id", String(200)),
    Column("at", Instant, nullable=False, index=True),
    Column("good", Integer, nullable=False),
    Column("beside", Choice(CapCause)),
    Column("beside_turn_id", String(200)),
    Column("beside_at", Instant),
)

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("contact_id", String(200), primary_key=True),
    Column("channel", String(100), primary_key=True),
    Column("conversation_id", String(200), nullable=False),
    Column("said", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    Column("confirmation", String(200)),
)

surveys = Table(
    "surveys",
    metadata,
    Column("turn_id", String(200), primary_key=True),
    Column("contact_id", String(200), nullable=False, index=True),
    Column("conversation_id", String(200), nullable=False, index=True),
    Column("channel", String(100), nullable=False),
    Column("topic", String(200), nullable=False),
    Column("alone", Boolean, nullable=False),
    Column("scale", Choice(Scale), nullable=False),
    Column("question", String(40), nullable=False),
    Column("state", Choice(SurveyState), nullable=False),
    Column("outbox_id", String(200)),
    Column("at", Instant, nullable=False, index=True),
    Column("score", Integer),
    Column("answered_at", Instant),
)
