"""Holds and verdicts as the store keeps them: versions, the order of the queue, its pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.adapters.stores.columns import Choice
from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import NotFound, StaleVersion, StoreError
from understudy.ports.store import Transaction
from understudy.records.review import Hold, HoldKind, HoldState, VerdictKind

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)

Commit = Callable[[Callable[..., Any]], Any]


def place(hold: Hold) -> tuple[int, datetime, str]:
    return hold.priority, hold.created_at, hold.id


def test_a_kind_that_only_a_newer_program_knows_is_named_and_may_be_asked_for_again() -> None:
    with pytest.raises(StoreError, match=r"'of_tomorrow', which this program does not know.*HoldKind.*draft") as caught:
        Choice(HoldKind).out_of("of_tomorrow")
    assert caught.value.is_retryable


def test_a_hold_comes_back_as_it_was_added(store: SqlStore, commit: Commit, make: Any) -> None:
    added = commit(
        lambda tx: make.hold(
            tx,
            kind=HoldKind.UNSURE_SEND,
            topic="Rückgabe",
            reasons=("a", "b"),
            claimed_by="r-1",
            claimed_until=NOW,
            expires_at=None,
            raised_at=NOW,
        )
    )
    assert store.read_now(lambda tx: tx.holds.get(added.id)) == added


def test_a_missing_hold_is_named(store: SqlStore) -> None:
    with pytest.raises(NotFound, match="'none'"):
        store.read_now(lambda tx: tx.holds.get("none"))


def test_a_change_of_the_seen_version_is_written(store: SqlStore, commit: Commit, make: Any) -> None:
    hold = commit(make.hold)
    changed = replace(hold, version=2, state=HoldState.DECIDED, closed_at=NOW)
    commit(lambda tx: tx.holds.change(changed, was=1))
    assert store.read_now(lambda tx: tx.holds.get(hold.id)) == changed


def test_a_change_of_another_version_is_refused(store: SqlStore, commit: Commit, make: Any) -> None:
    hold = commit(make.hold)
    commit(lambda tx: tx.holds.change(replace(hold, version=2), was=1))
    with pytest.raises(StaleVersion, match="version 1"):
        commit(lambda tx: tx.holds.change(replace(hold, version=2, priority=0), was=1))
    assert store.read_now(lambda tx: tx.holds.get(hold.id)).priority == hold.priority


def test_one_of_many_racing_changes_wins(store: SqlStore, commit: Commit, make: Any) -> None:
    hold = commit(make.hold)

    def step(tx: Transaction) -> str:
        tx.ledger.append("won", at=NOW)
        tx.holds.change(replace(hold, version=2, state=HoldState.DECIDED), was=1)
        return "won"

    async def scene() -> list[Any]:
        return await asyncio.gather(*(store.write(step) for _ in range(30)), return_exceptions=True)

    results = asyncio.run(scene())
    assert results.count("won") == 1
    assert sum(isinstance(result, StaleVersion) for result in results) == 29


def test_open_holds_are_found_by_turn_and_by_conversation(store: SqlStore, commit: Commit, make: Any) -> None:
    turn = commit(make.turn)
    draft, unsure = (commit(lambda tx, k=kind: make.hold(tx, turn=turn, kind=k)) for kind in ("draft", "unsure_send"))
    commit(lambda tx: make.hold(tx, turn=turn, state=HoldState.DECIDED))
    commit(make.hold)  # somebody else's
    of_turn = store.read_now(lambda tx: tx.holds.open_of_turn(turn.id))
    of_conversation = store.read_now(lambda tx: tx.holds.open_of_conversation(turn.conversation_id))
    assert {hold.id for hold in of_turn} == {hold.id for hold in of_conversation} == {draft.id, unsure.id}


def test_the_queue_goes_by_priority_then_age_then_id(store: SqlStore, commit: Commit, make: Any) -> None:
    early = NOW - timedelta(microseconds=1)
    for priority, created_at, name in [(5, NOW, "c"), (0, NOW, "d"), (5, NOW, "b"), (5, early, "z"), (9, early, "a")]:
        commit(lambda tx, p=priority, c=created_at, n=name: make.hold(tx, id=n, priority=p, created_at=c))
    queue = store.read_now(lambda tx: tx.holds.queue(state=HoldState.OPEN, after=None, limit=10))
    assert [hold.id for hold in queue] == ["d", "z", "b", "c", "a"]


def test_the_queue_shows_one_state_or_all(store: SqlStore, commit: Commit, make: Any) -> None:
    for state in HoldState:
        commit(lambda tx, s=state: make.hold(tx, state=s))
    for state in HoldState:
        queue = store.read_now(lambda tx, s=state: tx.holds.queue(state=s, after=None, limit=10))
        assert [hold.state for hold in queue] == [state]
    assert len(store.read_now(lambda tx: tx.holds.queue(state=None, after=None, limit=10))) == len(HoldState)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    added=st.lists(st.tuples(st.integers(0, 3), st.integers(-2, 2)), min_size=1, max_size=12), page=st.integers(1, 5)
)
def test_pages_of_the_queue_give_every_hold_once_in_order(
    store: SqlStore, commit: Commit, make: Any, added: list[tuple[int, int]], page: int
) -> None:
    commit(lambda tx: [_decide(tx, hold) for hold in tx.holds.queue(state=HoldState.OPEN, after=None, limit=1000)])

    def add_all(tx: Transaction) -> list[Hold]:
        return [make.hold(tx, priority=p, created_at=NOW + timedelta(microseconds=at)) for p, at in added]

    expected = sorted(commit(add_all), key=place)
    seen: list[Hold] = []
    while found := page_after(store, seen[-1:], limit=page):
        seen += found
    assert seen == expected


def page_after(store: SqlStore, last: list[Hold], *, limit: int) -> list[Hold]:
    after = place(last[0]) if last else None
    return store.read_now(lambda tx: tx.holds.queue(state=HoldState.OPEN, after=after, limit=limit))


def _decide(tx: Transaction, hold: Hold) -> None:
    tx.holds.change(replace(hold, state=HoldState.DECIDED, version=hold.version + 1), was=hold.version)


def test_due_gives_open_holds_whose_deadline_passed_and_that_were_not_raised(
    store: SqlStore, commit: Commit, make: Any
) -> None:
    due, earlier = (
        commit(lambda tx, o=offset: make.hold(tx, expires_at=NOW - timedelta(microseconds=o))) for offset in (0, 5)
    )
    for fields in (
        {"expires_at": NOW + timedelta(microseconds=1)},
        {"expires_at": None},
        {"expires_at": NOW, "raised_at": NOW},
        {"expires_at": NOW, "state": HoldState.DECIDED},
    ):
        commit(lambda tx, f=fields: make.hold(tx, **f))
    assert store.read_now(lambda tx: tx.holds.due(NOW, limit=10)) == [earlier, due]
    assert store.read_now(lambda tx: tx.holds.due(NOW, limit=1)) == [earlier]


def test_open_holds_are_counted(store: SqlStore, commit: Commit, make: Any) -> None:
    for state in (HoldState.OPEN, HoldState.OPEN, HoldState.EXPIRED):
        commit(lambda tx, s=state: make.hold(tx, state=s))
    assert store.read_now(lambda tx: tx.holds.count_open()) == 2


def test_verdicts_of_a_turn_come_back_in_order(store: SqlStore, commit: Commit, make: Any) -> None:
    hold = commit(make.hold)
    later = NOW + timedelta(seconds=1)
    given = [
        make.verdict(hold, at=later, kind=VerdictKind.EDIT, text="Besser 🎉", reasons=("x", "y"), severity=0.2),
        make.verdict(hold, at=NOW),
    ]
    commit(lambda tx: [tx.verdicts.add(verdict) for verdict in given])
    assert store.read_now(lambda tx: tx.verdicts.of_turn(hold.turn_id)) == [given[1], given[0]]
