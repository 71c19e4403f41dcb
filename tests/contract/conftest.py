"""Stores for the contract tests: each test gets a fresh database, once in SQLite and once in a real PostgreSQL.

The schema is migrated once; afterwards a SQLite file is a copy, and the PostgreSQL database is emptied, which is quicker
than making one.
"""

from __future__ import annotations

import itertools
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from understudy.adapters.stores.engine import open_engine
from understudy.adapters.stores.migrate import upgrade
from understudy.adapters.stores.sql_store import SqlStore
from understudy.ports.store import Transaction
from understudy.records.conversation import Author, Contact, Conversation, Inbound, Message, Mode
from understudy.records.outbox import OutboxEntry, OutboxState
from understudy.records.review import Hold, HoldKind, HoldState, Verdict, VerdictKind
from understudy.records.turn import Turn, TurnState

sys.path.insert(0, str(Path(__file__).parents[1]))  # test files are no package

import queue_processes

database, elsewhere = queue_processes.database, queue_processes.elsewhere
T = TypeVar("T")

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)


class Postgres:
    """A running server that hands out databases, migrated once."""

    def __init__(self, server: Any, template: str) -> None:
        self._server = server
        self._migrated = server.create(like=template)

    def create(self) -> str:
        """Make a database without any table and return its URL."""
        url: str = self._server.create()
        return url

    def emptied(self) -> str:
        """Return the URL of the database with today's schema, after emptying it."""
        self._server.empty(self._migrated)
        return self._migrated


@pytest.fixture(scope="session")
def postgres(postgres_server: Any, postgres_template: str) -> Postgres:
    return Postgres(postgres_server, postgres_template)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "store.db"
    _migrate(f"sqlite:///{path}")
    return path


def _migrate(url: str) -> None:
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with today's schema and nothing in it."""
    if request.param == "sqlite":
        path = tmp_path / "store.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.emptied()


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    opened = SqlStore(url)
    yield opened
    opened.close_now()


@pytest.fixture
def commit(store: SqlStore) -> Callable[[Callable[[Transaction], T]], T]:
    """Write one step that notes itself in the ledger, as every step that changes a record must."""

    def write(step: Callable[[Transaction], T]) -> T:
        def noted(tx: Transaction) -> T:
            result = step(tx)
            tx.ledger.append("test.step", at=NOW)
            return result

        return store.write_now(noted)

    return write


class Make:
    """Records with sensible fields; name the ones a test is about."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def id(self, prefix: str) -> str:
        return f"{prefix}-{next(self._numbers):06d}"

    def inbound(self, **fields: Any) -> Inbound:
        given = {"provider_id": self.id("p"), "external_id": "e-1", "address": "a-1", "text": "Hello"}
        return Inbound(**{**given, **fields})

    def conversation(self, tx: Transaction, **fields: Any) -> Conversation:
        """Add a conversation with its contact."""
        number = self.id("conv")
        contact: Contact = tx.contacts.resolve(
            "webchat", self.inbound(address=f"a-{number}"), new_id=self.id("contact"), now=NOW
        )
        conversation = Conversation(
            **{
                "id": number,
                "contact_id": contact.id,
                "channel": "webchat",
                "external_id": f"e-{number}",
                "address": f"a-{number}",
                "mode": Mode.AGENT,
                "taken_by": None,
                "created_at": NOW,
                **fields,
            }
        )
        tx.conversations.add(conversation)
        return conversation

    def turn(self, tx: Transaction, **fields: Any) -> Turn:
        """Add a turn, in a new conversation unless `conversation_id` names one."""
        if "conversation_id" not in fields:
            fields["conversation_id"] = self.conversation(tx).id
        turn = Turn(
            id=self.id("turn"),
            position=0,
            conversation_id=fields["conversation_id"],
            channel="webchat",
            state=TurnState.COLLECTING,
            token=0,
            due_at=NOW,
            topic=None,
            agent_version=None,
            decision=None,
            reasons=(),
            confidence=None,
            rulebook_id=None,
            is_audited=False,
            superseded_by=None,
            trace=None,
            created_at=NOW,
            decided_at=None,
            finished_at=None,
        )
        return tx.turns.add(replace(turn, **fields))

    def hold(self, tx: Transaction, **fields: Any) -> Hold:
        """Add a hold, of a new turn unless `turn` is given."""
        turn: Turn = fields.pop("turn", None) or self.turn(tx)
        hold = Hold(
            id=self.id("hold"),
            version=1,
            kind=HoldKind.DRAFT,
            state=HoldState.OPEN,
            turn_id=turn.id,
            conversation_id=turn.conversation_id,
            channel=turn.channel,
            topic=None,
            priority=5,
            reasons=("level_assist",),
            claimed_by=None,
            claimed_until=None,
            created_at=NOW,
            expires_at=NOW + timedelta(minutes=15),
            raised_at=None,
            closed_at=None,
            superseded_by=None,
        )
        hold = replace(hold, **fields)
        tx.holds.add(hold)
        return hold

    def verdict(self, hold: Hold, **fields: Any) -> Verdict:
        verdict = Verdict(
            id=self.id("verdict"),
            hold_id=hold.id,
            turn_id=hold.turn_id,
            kind=VerdictKind.APPROVE,
            text=None,
            reasons=(),
            severity=None,
            reviewer="r-1",
            at=NOW,
        )
        return replace(verdict, **fields)

    def entry(self, tx: Transaction, **fields: Any) -> OutboxEntry:
        """Queue an outbox entry, in a new conversation unless `conversation_id` names one."""
        if "conversation_id" not in fields:
            fields["conversation_id"] = self.conversation(tx).id
        entry = OutboxEntry(
            id=self.id("out"),
            seq=0,
            turn_id=None,
            conversation_id=fields["conversation_id"],
            channel="webchat",
            address="a-1",
            external_id="e-1",
            text="An answer",
            author=Author.AGENT,
            author_name="Acme",
            ai_generated=True,
            state=OutboxState.PENDING,
            attempts=0,
            due_at=NOW,
            last_error=None,
            created_at=NOW,
        )
        return tx.outbox.add(replace(entry, **fields))

    def message(self, tx: Transaction, **fields: Any) -> Message:
        """Add a message, in a new conversation unless `conversation_id` names one."""
        if "conversation_id" not in fields:
            fields["conversation_id"] = self.conversation(tx).id
        channel = fields.pop("channel", "webchat")
        message = Message(
            seq=0,
            id=self.id("msg"),
            conversation_id=fields["conversation_id"],
            turn_id=None,
            author=Author.CUSTOMER,
            author_name=None,
            text="Hello",
            at=NOW,
            provider_id=None,
        )
        return tx.messages.add(replace(message, **fields), channel=channel)


@pytest.fixture
def make() -> Make:
    return Make()
