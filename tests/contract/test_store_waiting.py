"""The queue as a list shows it, on both databases: what is in it, in which order, and for whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from understudy.adapters.stores.sql_store import SqlStore
from understudy.records.conversation import Author
from understudy.records.review import HoldState, Waiting

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
Commit = Callable[[Callable[..., Any]], Any]


def waiting(store: SqlStore, **how: Any) -> list[Waiting]:
    return store.read_now(lambda tx: tx.holds.waiting(**{"limit": 100, "reader": "Ines", **how}))


def test_open_holds_come_in_queue_order_with_their_customers_words(store: SqlStore, commit: Commit, make: Any) -> None:
    def step(tx: Any) -> list[Any]:
        asked = make.turn(tx, confidence=0.25)
        for author, text in ((Author.CUSTOMER, "first"), (Author.CUSTOMER, "x" * 300), (Author.AGENT, "answer")):
            make.message(tx, conversation_id=asked.conversation_id, turn_id=asked.id, author=author, text=text)
        later = make.hold(tx, turn=asked, created_at=NOW + timedelta(seconds=1))
        first = make.hold(tx, priority=0, created_at=NOW + timedelta(seconds=9))
        make.hold(tx, state=HoldState.DECIDED)
        return [first, later]

    first, later = commit(step)
    one, other = waiting(store)
    assert (one.hold, one.asked, one.confidence) == (first, None, None)
    assert (other.hold, other.asked, other.confidence) == (later, "x" * 200, 0.25)
    assert [row.hold for row in waiting(store, limit=1)] == [first]


def test_named_holds_come_whatever_their_state_and_unknown_ones_not(store: SqlStore, commit: Commit, make: Any) -> None:
    closed = commit(lambda tx: make.hold(tx, state=HoldState.SUPERSEDED))
    commit(make.hold)
    assert [row.hold for row in waiting(store, only=["none", closed.id])] == [closed]
    assert waiting(store, only=[]) == []


def test_what_a_reviewer_is_barred_from_is_not_listed(store: SqlStore, commit: Commit, make: Any) -> None:
    hold = commit(make.hold)
    commit(lambda tx: tx.reviews.bar(hold.id, "Ines"))
    assert waiting(store) == waiting(store, only=[hold.id]) == []
    assert [row.hold for row in waiting(store, reader="Tom")] == [hold]
