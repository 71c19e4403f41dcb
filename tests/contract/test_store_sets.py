"""What a group of steps writes is written in sets at its end, and nobody can tell: not a later step, not a reader."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import StepSuperseded
from understudy.ports.store import Transaction
from understudy.records.assessment import DecisionKind
from understudy.records.outbox import OutboxState
from understudy.records.turn import TurnState

NOW = datetime(2026, 1, 1, 12, 0, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
Step = Callable[[Transaction], Any]


def told(step: Step) -> Step:
    """A step that says in the ledger that it changed something."""

    def with_entry(tx: Transaction) -> Any:
        tx.ledger.append("test.changed", at=NOW)
        return step(tx)

    return with_entry


def test_a_row_that_is_added_and_changed_in_one_group_is_stored_as_it_is_in_the_end(store: SqlStore, make: Any) -> None:
    def step(tx: Transaction) -> Any:
        turn = make.turn(tx, state=TurnState.COLLECTING)
        for state in (TurnState.DRAFTING, TurnState.GATHERING, TurnState.ASSESSING):
            turn = tx.turns.advance(turn, state, topic=state.value)
        return turn

    turn = store.write_now(told(step))
    assert store.read_now(lambda tx: tx.turns.get(turn.id)) == turn


def test_a_step_reads_what_it_wrote_itself(store: SqlStore, make: Any) -> None:
    def step(tx: Transaction) -> None:
        turn = make.turn(tx, state=TurnState.DRAFTING)
        assert tx.turns.get(turn.id) == turn
        moved = tx.turns.advance(turn, TurnState.GATHERING)
        assert tx.turns.get(turn.id) == tx.turns.latest_of(turn.conversation_id) == moved
        assert tx.turns.backlog() == 1
        entry = make.entry(tx, conversation_id=turn.conversation_id, turn_id=turn.id)
        tx.outbox.change(replace(entry, state=OutboxState.SENT), attempts=entry.attempts)
        assert tx.outbox.get(entry.id).state is OutboxState.SENT
        assert tx.outbox.open_of(turn.conversation_id) == []
        tx.artifacts.put(turn.id, "draft", "1")
        tx.artifacts.put(turn.id, "draft", "2")
        assert tx.artifacts.get(turn.id, "draft") == "2"
        message = make.message(tx, conversation_id=turn.conversation_id, turn_id=turn.id)
        assert tx.messages.of_turn(turn.id) == [message]
        assert tx.outbox.of_turn(turn.id) == [tx.outbox.get(entry.id)]
        superseded = tx.turns.advance(moved, TurnState.SUPERSEDED)
        assert tx.turns.get(turn.id) == tx.turns.latest_of(turn.conversation_id) == superseded
        assert tx.turns.open_of(turn.conversation_id) == []
        assert tx.turns.get(tx.turns.touch(superseded, due_at=NOW).id).due_at == NOW

    store.write_now(told(step))


def test_a_turn_that_was_handed_off_and_is_answered_is_read_as_it_is_then(store: SqlStore, make: Any) -> None:
    handed = store.write_now(told(lambda tx: make.turn(tx, state=TurnState.HANDED_OFF)))
    handed = store.write_now(told(lambda tx: tx.turns.touch(handed, finished_at=NOW)))
    answering = store.write_now(told(lambda tx: tx.turns.advance(handed, TurnState.DELIVERING)))
    assert store.write_now(lambda tx: tx.turns.get(handed.id)) == answering
    answered = store.write_now(told(lambda tx: tx.turns.advance(answering, TurnState.ANSWERED)))
    assert store.write_now(lambda tx: tx.turns.get(handed.id)) == answered


@pytest.mark.parametrize("is_new", [True, False])
def test_a_change_under_an_old_token_is_refused_within_the_same_group_too(
    store: SqlStore, make: Any, *, is_new: bool
) -> None:
    before = None if is_new else store.write_now(told(lambda tx: make.turn(tx, state=TurnState.DRAFTING)))

    def step(tx: Transaction) -> None:
        turn = before or make.turn(tx, state=TurnState.DRAFTING)
        tx.turns.touch(turn, due_at=NOW)
        tx.turns.touch(turn, due_at=NOW)

    with pytest.raises(StepSuperseded):
        store.write_now(told(step))


def test_numbers_go_on_after_a_group_that_was_rolled_back(store: SqlStore, make: Any) -> None:
    def broken(tx: Transaction) -> None:
        make.turn(tx)
        raise LookupError

    positions = []
    for _ in range(3):
        with pytest.raises(LookupError):
            store.write_now(told(broken))
        positions += [store.write_now(told(lambda tx: make.turn(tx).position)) for _ in range(40)]
    assert positions == sorted(set(positions))


@pytest.mark.parametrize("seed", range(4))
def test_what_is_counted_in_memory_is_what_the_tables_say(store: SqlStore, make: Any, seed: int) -> None:
    """Backlog and quota, after any changes by this process and now and then by another, at moving moments."""
    dice, now = random.Random(seed), NOW
    other = SqlStore(store.engine.url.render_as_string(hide_password=False))
    open_turns: list[Any] = []

    def change(tx: Transaction) -> None:
        if open_turns and dice.random() < 0.6:
            turn = open_turns.pop(dice.randrange(len(open_turns)))
            if turn.state is TurnState.DRAFTING:
                path = (TurnState.GATHERING, TurnState.ASSESSING)
                open_turns.append(tx.turns.advance(turn, *path, topic=dice.choice("ab")))
            else:
                kind = dice.choice([DecisionKind.DELIVER, DecisionKind.DEGRADE, DecisionKind.HOLD])
                to = TurnState.HELD if kind is DecisionKind.HOLD else TurnState.DELIVERING
                tx.turns.advance(turn, to, decision=kind, decided_at=now)
        else:
            open_turns.append(make.turn(tx, state=TurnState.DRAFTING, topic=None))

    def counts(tx: Transaction) -> list[Any]:
        since = now - HOUR
        return [tx.turns.backlog(), *(tx.turns.decided_since(topic, "webchat", since) for topic in "ab")]

    for _ in range(60):
        (other if dice.random() < 0.1 else store).write_now(told(change))
        now += timedelta(seconds=dice.choice([0, 0.5, 7, 130]))
        assert store.write_now(counts) == store.read_now(counts)
    other.close_now()
