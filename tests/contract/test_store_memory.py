"""What the writer remembers is what the database holds, also where somebody else writes to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from told_steps import NOW, told
from understudy.adapters.stores import known_documents
from understudy.adapters.stores.sql_store import SqlStore
from understudy.ports.store import Transaction
from understudy.records.conversation import Mode
from understudy.records.outbox import OutboxState
from understudy.records.turn import TurnState

T = TypeVar("T")
Commit = Callable[[Callable[[Transaction], T]], T]


@pytest.fixture
def other(store: SqlStore) -> Iterator[SqlStore]:
    """Another process on the same database."""
    another = SqlStore(store.engine.url.render_as_string(hide_password=False))
    yield another
    another.close_now()


def test_a_change_of_another_process_is_seen(store: SqlStore, other: SqlStore, commit: Commit[Any], make: Any) -> None:
    conversation = commit(make.conversation)
    commit(lambda tx: tx.conversations.get(conversation.id))
    other.write_now(told(lambda tx: tx.conversations.change(replace(conversation, mode=Mode.PERSON, taken_by="Ines"))))
    seen = store.write_now(lambda tx: tx.conversations.get(conversation.id))
    assert (seen.mode, seen.taken_by) == (Mode.PERSON, "Ines")


def test_a_turn_that_another_process_took_further_is_seen(store: SqlStore, other: SqlStore, make: Any) -> None:
    conversation = store.write_now(told(make.conversation))
    turn = store.write_now(told(lambda tx: make.turn(tx, conversation_id=conversation.id, state=TurnState.COLLECTING)))
    assert store.write_now(lambda tx: tx.turns.open_of(conversation.id)) == [turn]
    moved = other.write_now(told(lambda tx: tx.turns.advance(turn, TurnState.GATHERING, TurnState.ASSESSING)))
    assert store.write_now(lambda tx: tx.turns.open_of(conversation.id)) == [moved]


@pytest.mark.parametrize("state", [TurnState.DRAFTING, TurnState.GATHERING])
def test_a_lease_that_another_process_lengthened_is_seen(
    store: SqlStore, other: SqlStore, make: Any, state: TurnState
) -> None:
    """It is lengthened without a ledger entry, so nothing says that what is remembered is out of date."""
    conversation = store.write_now(told(make.conversation))
    turn = other.write_now(told(lambda tx: make.turn(tx, conversation_id=conversation.id, state=state, due_at=NOW)))
    store.write_now(lambda tx: tx.turns.open_of(conversation.id))
    later = NOW + timedelta(seconds=60)
    other.write_now(lambda tx: tx.turns.renew(turn, until=later))
    (seen,) = store.write_now(lambda tx: tx.turns.open_of(conversation.id))
    assert seen.due_at == later


def test_a_send_that_another_process_goes_on_with_is_seen(store: SqlStore, other: SqlStore, make: Any) -> None:
    conversation = store.write_now(told(make.conversation))
    entry = store.write_now(told(lambda tx: make.entry(tx, conversation_id=conversation.id)))
    sending = replace(entry, state=OutboxState.SENDING, attempts=entry.attempts + 1, due_at=NOW)
    other.write_now(told(lambda tx: tx.outbox.change(sending, attempts=entry.attempts)))
    store.write_now(lambda tx: tx.outbox.open_of(conversation.id))
    later = NOW + timedelta(seconds=60)
    other.write_now(lambda tx: tx.outbox.renew(sending, until=later))
    (seen,) = store.write_now(lambda tx: tx.outbox.open_of(conversation.id))
    assert seen.due_at == later


def test_an_own_lease_is_remembered_as_it_was_lengthened(store: SqlStore, make: Any) -> None:
    """Who has it is the only one to lengthen it."""
    conversation = store.write_now(told(make.conversation))
    turn = store.write_now(
        told(lambda tx: make.turn(tx, conversation_id=conversation.id, state=TurnState.DRAFTING, due_at=NOW))
    )
    entry = store.write_now(told(lambda tx: make.entry(tx, conversation_id=conversation.id)))
    sending = replace(entry, state=OutboxState.SENDING, attempts=entry.attempts + 1, due_at=NOW)
    store.write_now(told(lambda tx: tx.outbox.change(sending, attempts=entry.attempts)))
    later = NOW + timedelta(seconds=60)

    def look(tx: Transaction) -> Any:
        return tx.turns.open_of(conversation.id), tx.outbox.open_of(conversation.id)

    store.write_now(look)
    store.write_now(lambda tx: (tx.turns.renew(turn, until=later), tx.outbox.renew(sending, until=later)))
    turns, entries = store.write_now(look)
    assert (turns[0].due_at, entries[0].due_at) == (later, later)
    assert (turns, entries) == store.read_now(look)


def test_what_was_rolled_back_is_forgotten(store: SqlStore, make: Any) -> None:
    conversation = store.write_now(told(make.conversation))

    def broken(tx: Transaction) -> None:
        tx.conversations.change(replace(conversation, mode=Mode.PERSON))
        make.turn(tx, conversation_id=conversation.id)
        raise LookupError("in the middle")

    with pytest.raises(LookupError):
        store.write_now(told(broken))
    assert store.write_now(lambda tx: tx.conversations.get(conversation.id)).mode is Mode.AGENT
    assert store.write_now(lambda tx: tx.turns.open_of(conversation.id)) == []


def test_a_step_sees_what_the_database_holds_after_each_kind_of_write(store: SqlStore, make: Any) -> None:
    conversation = store.write_now(told(make.conversation))
    turn = store.write_now(told(lambda tx: make.turn(tx, conversation_id=conversation.id)))
    message = store.write_now(told(lambda tx: make.message(tx, conversation_id=conversation.id, turn_id=turn.id)))
    entry = store.write_now(told(lambda tx: make.entry(tx, conversation_id=conversation.id)))
    sending = replace(entry, state=OutboxState.SENDING, attempts=entry.attempts + 1)
    for change in (
        lambda tx: tx.outbox.change(sending, attempts=entry.attempts),
        lambda tx: tx.outbox.change(replace(sending, state=OutboxState.SENT), attempts=sending.attempts),
        lambda tx: tx.turns.touch(turn, due_at=NOW),
        lambda tx: tx.messages.move(conversation.id, from_turn=turn.id, to_turn="another"),
        lambda tx: tx.messages.add(replace(message, id="later", provider_id="p-later"), channel="webchat"),
    ):
        store.write_now(told(change))

        def look(tx: Transaction) -> Any:
            return (
                tx.turns.open_of(conversation.id),
                tx.outbox.open_of(conversation.id),
                tx.messages.of_conversation(conversation.id),
                tx.conversations.find(conversation.channel, conversation.external_id),
            )

        assert store.write_now(look) == store.read_now(look)


def test_documents_are_as_they_are_stored(store: SqlStore, other: SqlStore, make: Any) -> None:
    conversation = store.write_now(told(make.conversation))
    turn = store.write_now(told(lambda tx: make.turn(tx, conversation_id=conversation.id)))

    def look(tx: Transaction) -> Any:
        return [tx.artifacts.get(turn.id, kind) for kind in ("draft", "facts", "draft", "evidence")]

    for store_, kind, body in (
        (store, "draft", "one"),
        (store, "draft", "two"),
        (other, "facts", "three"),
        (other, "draft", "four"),
        (store, "evidence", "five"),
    ):

        def put(tx: Transaction, kind: str = kind, body: str = body) -> None:
            tx.artifacts.put(turn.id, kind, body)

        store_.write_now(told(put))
        assert store.write_now(look) == store.read_now(look)
        assert other.write_now(look) == store.read_now(look)


def test_so_much_text_is_kept_and_no_more(store: SqlStore, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_documents, "CHARACTERS_MAX", 10)
    conversation = store.write_now(told(make.conversation))
    turn = store.write_now(told(lambda tx: make.turn(tx, conversation_id=conversation.id)))
    for body in ("12345", "123456", "1234567"):
        store.write_now(told(lambda tx, body=body: tx.artifacts.put(turn.id, f"kind-{body}", body)))

        def look(tx: Transaction, last: str = body) -> Any:
            return [tx.artifacts.get(turn.id, f"kind-{one}") for one in ("12345", last, "none")]

        assert store.write_now(look) == store.read_now(look)
