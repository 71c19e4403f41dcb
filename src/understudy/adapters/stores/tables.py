"""Each record's table in portable SQL (SQLAlchemy Core); column names are field names, so a row is a record.

Queries stand with their repositories; how the schema came to be stands in `migrations/`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from understudy.adapters.stores.columns import Choice, Document, Instant, Scopes, Words
from understudy.records.acting import ActionChoice
from understudy.records.assessment import DecisionKind
from understudy.records.conversation import Author, Mode, Origin
from understudy.records.disclosure import Disclosure
from understudy.records.outbox import OutboxState
from understudy.records.review import HoldKind, HoldState, VerdictKind
from understudy.records.turn import TurnState

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_serial = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only under the exact type INTEGER."""


def _id(name: str = "id", **more: Any) -> Column[str]:
    return Column(name, String(200), primary_key=True, **more)


contacts = Table(
    "contacts",
    metadata,
    _id(),
    Column("name", Text),
    Column("email", Text),
    Column("phone", Text),
    Column("created_at", Instant, nullable=False),
)

addresses = Table(
    "addresses",
    metadata,
    Column("channel", String(100), primary_key=True),
    Column("value", String(500), primary_key=True),
    Column("contact_id", ForeignKey("contacts.id"), nullable=False, index=True),
)

conversations = Table(
    "conversations",
    metadata,
    _id(),
    Column("contact_id", ForeignKey("contacts.id"), nullable=False, index=True),
    Column("channel", String(100), nullable=False),
    Column("external_id", String(500), nullable=False),
    Column("address", String(500), nullable=False),
    Column("mode", Choice(Mode), nullable=False),
    Column("taken_by", String(200)),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("channel", "external_id"),
)

messages = Table(
    "messages",
    metadata,
    Column("seq", _serial, primary_key=True, autoincrement=True),
    Column("id", String(200), nullable=False, unique=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("turn_id", String(200), index=True),
    Column("author", Choice(Author), nullable=False),
    Column("author_name", Text),
    Column("text", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("channel", String(100), nullable=False),
    Column("provider_id", String(500)),
    Column("origin", Choice(Origin)),
    Column("disclosure", Document(Disclosure)),
    UniqueConstraint("channel", "provider_id"),
    Index("ix_messages_conversation_id_seq", "conversation_id", "seq"),
    sqlite_autoincrement=True,
)

turns = Table(
    "turns",
    metadata,
    Column("position", _serial, primary_key=True, autoincrement=True),
    Column("id", String(200), nullable=False, unique=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("channel", String(100), nullable=False),
    Column("state", Choice(TurnState), nullable=False),
    Column("token", Integer, nullable=False),
    Column("due_at", Instant),
    Column("topic", String(200)),
    Column("agent_version", String(200)),
    Column("decision", Choice(DecisionKind)),
    Column("reasons", Words, nullable=False),
    Column("confidence", Float),
    Column("rulebook_id", String(64)),
    Column("is_audited", Boolean, nullable=False),
    Column("superseded_by", String(200)),
    Column("trace", String(100)),
    Column("created_at", Instant, nullable=False),
    *(Column(moment, Instant) for moment in ("decided_at", "finished_at")),
    Column("findings", Words, nullable=False, server_default="[]"),
    Index("ix_turns_conversation_id_position", "conversation_id", "position"),
    Index(
        "ix_turns_working",
        "due_at",
        sqlite_where=text("state IN ('assessing', 'collecting', 'drafting', 'gathering')"),
        postgresql_where=text("state IN ('assessing', 'collecting', 'drafting', 'gathering')"),
    ),
    Index(
        "ix_turns_assessing",
        "topic",
        "channel",
        sqlite_where=text("state = 'assessing'"),
        postgresql_where=text("state = 'assessing'"),
    ),
    Index(
        "ix_turns_automatic",
        "topic",
        "channel",
        "decided_at",
        sqlite_where=text("decision IN ('degrade', 'deliver')"),
        postgresql_where=text("decision IN ('degrade', 'deliver')"),
    ),
    Index(
        "ix_turns_decided",
        *("decided_at", "topic", "channel", "agent_version", "decision", "state", "created_at", "finished_at"),
        sqlite_where=text("decided_at IS NOT NULL"),
        postgresql_where=text("decided_at IS NOT NULL"),
    ),
    Index(
        "ix_turns_found",
        "decided_at",
        sqlite_where=text("findings != '[]'"),
        postgresql_where=text("findings != '[]'"),
    ),
    sqlite_autoincrement=True,
)

slice_counts = Table(
    "slice_counts",
    metadata,
    Column("topic", String(200), primary_key=True),
    Column("channel", String(100), primary_key=True),
    Column("kind", Choice(DecisionKind), primary_key=True),
    Column("began_at", Instant, primary_key=True),
    Column("count", Integer, nullable=False),
)
"""How many decisions of a kind fell into each ten seconds, so that a quota is looked up and not counted each time."""

artifacts = Table(
    "artifacts",
    metadata,
    Column("turn_id", String(200), primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
)

holds = Table(
    "holds",
    metadata,
    _id(),
    Column("version", Integer, nullable=False),
    Column("kind", Choice(HoldKind), nullable=False),
    Column("state", Choice(HoldState), nullable=False),
    Column("turn_id", String(200), nullable=False, index=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False, index=True),
    Column("channel", String(100), nullable=False),
    Column("topic", String(200)),
    Column("priority", Integer, nullable=False),
    Column("reasons", Words, nullable=False),
    Column("claimed_by", String(200)),
    Column("claimed_until", Instant),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("raised_at", Instant),
    Column("closed_at", Instant),
    Column("superseded_by", String(200)),
    *(Column(moment, Instant) for moment in ("claimed_at", "undo_until")),
    Column("alike", String(64)),
    Index("ix_holds_queue", "state", "priority", "created_at", "id"),
    Index(
        "ix_holds_expiring",
        "expires_at",
        sqlite_where=text("state = 'open' AND raised_at IS NULL"),
        postgresql_where=text("state = 'open' AND raised_at IS NULL"),
    ),
    Index(
        "ix_holds_raised",
        "raised_at",
        sqlite_where=text("raised_at IS NOT NULL"),
        postgresql_where=text("raised_at IS NOT NULL"),
    ),
    Index(
        "ix_holds_given_up",
        "created_at",
        sqlite_where=text("kind IN ('hand_off', 'unsure_send')"),
        postgresql_where=text("kind IN ('hand_off', 'unsure_send')"),
    ),
)

verdicts = Table(
    "verdicts",
    metadata,
    _id(),
    Column("hold_id", ForeignKey("holds.id"), nullable=False, index=True),
    Column("turn_id", String(200), nullable=False, index=True),
    Column("kind", Choice(VerdictKind), nullable=False),
    Column("text", Text),
    Column("reasons", Words, nullable=False),
    Column("severity", Float),
    *(Column(name, String(200), nullable=name == "topic") for name in ("reviewer", "topic")),
    Column("at", Instant, nullable=False, index=True),
    Column("bulk", String(200)),
    Column("is_repeat", Boolean, nullable=False),
    Column("actions", Document(tuple[ActionChoice, ...])),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", _serial, primary_key=True, autoincrement=True),
    Column("id", String(200), nullable=False, unique=True),
    Column("turn_id", String(200), index=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("channel", String(100), nullable=False),
    Column("address", String(500), nullable=False),
    Column("external_id", String(500), nullable=False),
    Column("text", Text, nullable=False),
    Column("author", Choice(Author), nullable=False),
    Column("author_name", Text),
    Column("ai_generated", Boolean, nullable=False),
    Column("state", Choice(OutboxState), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant),
    Column("last_error", Text),
    Column("created_at", Instant, nullable=False),
    Column("origin", Choice(Origin)),
    Column("disclosure", Document(Disclosure)),
    Index(
        "ix_outbox_open",
        "conversation_id",
        "seq",
        sqlite_where=text("state IN ('pending', 'sending', 'unknown')"),
        postgresql_where=text("state IN ('pending', 'sending', 'unknown')"),
    ),
    Index(
        "ix_outbox_due",
        "due_at",
        sqlite_where=text("state IN ('pending', 'sending')"),
        postgresql_where=text("state IN ('pending', 'sending')"),
    ),
    Index("ix_outbox_dead", "seq", sqlite_where=text("state IN ('dead')"), postgresql_where=text("state IN ('dead')")),
    sqlite_autoincrement=True,
)

receipts = Table(
    "receipts",
    metadata,
    Column("outbox_id", String(200), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("outcome", String(40), nullable=False),
    Column("provider_id", String(500)),
    Column("detail", Text),
    Column("at", Instant, nullable=False),
    Index(
        "ix_receipts_provider",
        "provider_id",
        sqlite_where=text("provider_id IS NOT NULL"),
        postgresql_where=text("provider_id IS NOT NULL"),
    ),
)

AUTONOMY_EVENTS = tuple(
    f"autonomy.{what}" for what in ("began", "burst", "declined", "ended", "promoted", "proposed", "resumed", "stopped")
)
"""Events that tell of a level; those that only count labels come with every label and are not among them."""
OF_AUTONOMY = "event IN ({})".format(", ".join(f"'{event}'" for event in AUTONOMY_EVENTS))

ledger = Table(
    "ledger",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("event", String(60), nullable=False),
    Column("turn_id", String(200)),
    Column("conversation_id", String(200)),
    Column("actor", String(200), nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index(
        "ix_ledger_autonomy",
        "seq",
        sqlite_where=text(OF_AUTONOMY),
        postgresql_where=text(OF_AUTONOMY),
    ),
    Index(
        "ix_ledger_turn",
        "turn_id",
        "seq",
        sqlite_where=text("turn_id IS NOT NULL"),
        postgresql_where=text("turn_id IS NOT NULL"),
    ),
)

rulebooks = Table(
    "rulebooks",
    metadata,
    _id(),
    Column("rules", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    Column("name", String(200), nullable=False),
    Column("scopes", Scopes, nullable=False),
    Column("secret_hash", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("owner", String(200), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request_digest", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

agent_calls = Table(
    "agent_calls",
    metadata,
    _id(),
    Column("agent", String(200), nullable=False),
    *(Column(moment, Instant, nullable=False) for moment in ("began_at", "until")),
    *(Index(f"ix_agent_calls_agent_{moment}", "agent", moment) for moment in ("began_at", "until")),
)
