"""Actions in the store: fenced, one way, the oldest of a conversation first, counted within a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import NotFound, StepSuperseded
from understudy.records.acting import ActionEntry, ActionState, ActionStep
from understudy.records.action_rules import ActionUse

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
S = ActionState


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def entry(which: str = "a", **fields: Any) -> ActionEntry:
    given: dict[str, Any] = {
        "id": f"t-{which}",
        "seq": 0,
        "turn_id": "t",
        "conversation_id": "c",
        "contact_id": "k",
        "place": 0,
        "name": "refund",
        "arguments": '{"amount":4}',
        "amount": 4_000_000,
        "state": S.PROPOSED,
        "step": ActionStep.CALL,
        "attempts": 0,
        "tries": 0,
        "is_unsure": False,
        "is_edited": False,
        "created_at": NOW,
    }
    empty = ("due_at", "called_at", "approved_by", "approved_at", "provider_id", "answer", "last_error", "settled_at")
    return ActionEntry(**{**dict.fromkeys(empty), **given, **fields})


def let(which: str, state: ActionState = S.APPROVED, at_s: float = 0, **fields: Any) -> ActionEntry:
    return entry(which, state=state, approved_at=at(at_s), approved_by="rosa", due_at=at(at_s), **fields)


def add(store: SqlStore, *entries: ActionEntry) -> list[ActionEntry]:
    def step(tx: Any) -> list[ActionEntry]:
        tx.ledger.append("action.proposed", at=NOW)
        return [tx.actions.add(one) for one in entries]

    return store.write_now(step)


def change(store: SqlStore, was: ActionEntry, **fields: Any) -> ActionEntry:
    changed = replace(was, attempts=was.attempts + 1, **fields)

    def step(tx: Any) -> None:
        tx.ledger.append("action.changed", at=NOW)
        tx.actions.change(changed, attempts=was.attempts)

    store.write_now(step)
    return changed


def test_what_is_added_is_read_again_in_the_order_of_the_draft(store: SqlStore) -> None:
    second, first = add(store, entry("b", place=1), entry("a", place=0))
    assert (second.seq, first.seq) == (1, 2)
    assert store.read_now(lambda tx: tx.actions.of_turn("t")) == [first, second]
    assert store.read_now(lambda tx: tx.actions.of_conversation("c", limit=9)) == [second, first]
    assert store.read_now(lambda tx: tx.actions.of_conversation("c", limit=1)) == [first]
    assert store.read_now(lambda tx: tx.actions.get("t-a")) == first
    with pytest.raises(NotFound, match="t-x"):
        store.read_now(lambda tx: tx.actions.get("t-x"))


def test_a_change_under_an_old_number_changes_nothing(store: SqlStore) -> None:
    (was,) = add(store, entry())
    now = change(store, was, state=S.APPROVED, due_at=NOW)
    with pytest.raises(StepSuperseded):
        change(store, was, state=S.DROPPED)
    assert store.read_now(lambda tx: tx.actions.get(was.id)) == now


@pytest.mark.parametrize(
    ("state", "to"),
    [(S.PROPOSED, S.EXECUTING), (S.DONE, S.APPROVED), (S.DROPPED, S.APPROVED), (S.COMPENSATED, S.DONE)],
)
def test_there_is_no_way_but_those_that_are_written_down(store: SqlStore, state: ActionState, to: ActionState) -> None:
    (was,) = add(store, entry(state=state))
    with pytest.raises(ValueError, match="no way leads"):
        change(store, was, state=to)
    assert store.read_now(lambda tx: tx.actions.get(was.id)).state is state


def test_only_the_oldest_open_one_of_a_conversation_is_due(store: SqlStore) -> None:
    first, second, *_ = add(
        store, let("a"), let("b", place=1), let("c", conversation_id="d", at_s=5), entry("e", conversation_id="e")
    )
    assert store.read_now(lambda tx: tx.actions.head("c")) == first
    due = store.read_now(lambda tx: tx.actions.due(at(10), limit=9))
    assert [one.id for one in due] == ["t-a", "t-c"]
    assert [one.id for one in store.read_now(lambda tx: tx.actions.due(at(4), limit=9))] == ["t-a"]
    leased = change(store, first, state=S.EXECUTING)
    unknown = change(store, leased, state=S.UNKNOWN, due_at=None)
    assert store.read_now(lambda tx: tx.actions.head("c")) == unknown
    assert [one.id for one in store.read_now(lambda tx: tx.actions.due(at(10), limit=9))] == ["t-c"]
    change(store, unknown, state=S.DONE)
    assert store.read_now(lambda tx: tx.actions.head("c")) == second


def test_what_was_let_through_counts_for_a_day(store: SqlStore) -> None:
    add(
        store,
        let("old", S.DONE, at_s=-1),
        let("a", S.DONE, at_s=1),
        let("b", S.UNKNOWN, at_s=2, contact_id="other"),
        let("c", S.EXECUTING, at_s=3, amount=None),
        let("failed", S.FAILED, at_s=4),
        let("dropped", S.DROPPED, at_s=5),
        let("undone", S.COMPENSATED, at_s=6),
        entry("proposed"),
        let("cancel", S.DONE, at_s=7, name="cancel", amount=None),
    )
    found = store.read_now(lambda tx: tx.actions.uses(["refund", "cancel", "none"], "k", since=NOW))
    assert found["refund"] == ActionUse(
        name="refund", contact_count=2, contact_amount=4_000_000, count=3, amount=8_000_000
    )
    assert found["cancel"] == ActionUse(name="cancel", contact_count=1, count=1)
    assert found["none"] == ActionUse(name="none")
    assert store.read_now(lambda tx: tx.actions.uses([], "k", since=NOW)) == {}


def test_actions_are_listed_and_counted_by_state_and_name(store: SqlStore) -> None:
    add(store, entry("a"), let("b"), let("c", name="cancel"))
    listed = store.read_now(lambda tx: tx.actions.listed([S.PROPOSED, S.APPROVED], limit=2))
    assert [one.id for one in listed] == ["t-a", "t-b"]
    assert [one.id for one in store.read_now(lambda tx: tx.actions.listed([S.APPROVED], name="cancel", limit=9))] == [
        "t-c"
    ]
    counts = store.read_now(lambda tx: tx.actions.count([S.APPROVED, S.DONE]))
    assert counts == {S.APPROVED: 2, S.DONE: 0}
