"""Candidates, epochs, calibrators and stops on every store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import NotFound, StaleVersion, StoreError
from understudy.ports.store import Transaction
from understudy.records.autonomy import Candidate, Epoch, Label, Outcome, Proposal, Stop, Targets
from understudy.records.rulebook import Calibrator, Level

T = TypeVar("T")
NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
GOOD = Label(outcome=Outcome.APPROVE, loss=0.0, is_severe=False, by="rosa", at=NOW)


def candidate(seq: int, **fields: Any) -> Candidate:
    given: dict[str, Any] = {
        "turn_id": f"t-{seq}",
        "conversation_id": f"c-{seq}",
        "topic": "orders",
        "channel": "chat",
        "release": "v1",
        "calibrator": "shipped",
        "confidence": 0.9321,
        "signals": (("grounding", 0.123456789), ("quality", 1.0)),
        "is_delivered": False,
        "is_sampled": True,
        "rate": 1.0,
        "decided_at": NOW,
        "due_at": NOW + timedelta(hours=72),
    }
    return Candidate(seq=seq, **{**given, **fields})


def epoch(name: str = "e-1", **fields: Any) -> Epoch:
    given: dict[str, Any] = {
        "version": 1,
        "topic": "orders",
        "channel": "chat",
        "release": "v1",
        "calibrator": "shipped",
        "targets": Targets(risk_max=0.05, severe_max=0.005, delta=0.05, sensitivity=0.7),
        "began_at": NOW,
        "after": 0,
        "consumed": 0,
        "progress": "{}",
    }
    return Epoch(id=name, **{**given, **fields})


def write(store: SqlStore, step: Callable[[Transaction], T]) -> T:
    def with_entry(tx: Transaction) -> T:
        tx.ledger.append("test", at=NOW)
        return step(tx)

    return store.write_now(with_entry)


def add(store: SqlStore, *candidates: Candidate) -> None:
    write(store, lambda tx: [tx.candidates.add(one) for one in candidates])


def test_a_candidate_is_read_as_it_was_written(store: SqlStore) -> None:
    add(store, candidate(7))
    assert store.read_now(lambda tx: tx.candidates.of_turn("t-7")) == candidate(7)
    assert store.read_now(lambda tx: tx.candidates.of_turn("t-8")) is None


def test_a_label_comes_with_all_it_says_and_may_wait_for_a_second(store: SqlStore) -> None:
    add(store, candidate(7))
    later = NOW + timedelta(days=1)
    write(store, lambda tx: tx.candidates.judge(candidate(7), GOOD, second_due_at=later))
    read = store.read_now(lambda tx: tx.candidates.of_turn("t-7"))
    assert read == replace(candidate(7), label=GOOD, second_due_at=later)
    assert read is not None
    assert read.awaits_second
    write(store, lambda tx: tx.candidates.judge(candidate(7), GOOD))
    assert store.read_now(lambda tx: tx.candidates.of_turn("t-7")) == replace(candidate(7), label=GOOD)


def test_what_follows_is_of_one_slice_in_order_or_of_all_channels(store: SqlStore) -> None:
    add(store, candidate(3, channel="mail"), candidate(2), candidate(5), candidate(4, release="v2"))
    add(store, candidate(6, topic="refunds"))

    def following(channel: str, after: int = 0) -> list[int]:
        return [
            one.seq
            for one in store.read_now(lambda tx: tx.candidates.following("orders", channel, "v1", after=after, limit=9))
        ]

    assert (following("chat"), following("chat", 2), following("*")) == ([2, 5], [5], [2, 3, 5])


def test_overdue_are_sampled_ones_without_label_and_second_reviews_that_did_not_come(store: SqlStore) -> None:
    add(store, candidate(1), candidate(2, is_sampled=False), candidate(3), candidate(4))
    write(store, lambda tx: tx.candidates.judge(candidate(3), GOOD))
    write(store, lambda tx: tx.candidates.judge(candidate(4), GOOD, second_due_at=NOW))
    on_time = NOW + timedelta(hours=72)
    for now, expected in ((NOW, [4]), (on_time, [1, 4])):
        found = store.read_now(lambda tx, now=now: tx.candidates.overdue(now, limit=9))  # type: ignore[misc]
        assert [one.seq for one in found] == expected


def test_judged_are_sampled_ones_with_a_label(store: SqlStore) -> None:
    add(store, candidate(1), candidate(2, is_sampled=False), candidate(3))
    for one in (candidate(2), candidate(3)):
        write(store, lambda tx, one=one: tx.candidates.judge(one, GOOD))  # type: ignore[misc]
    assert [one.seq for one in store.read_now(lambda tx: tx.candidates.judged(after=0, limit=9))] == [3]


def test_slices_are_counted_with_what_they_wait_for(store: SqlStore) -> None:
    add(store, candidate(1), candidate(2), candidate(3, is_sampled=False), candidate(4, topic="refunds"))
    write(store, lambda tx: tx.candidates.judge(candidate(1), GOOD))
    found = store.read_now(lambda tx: tx.candidates.slices())
    assert found == [("orders", "chat", "v1", 3, 1), ("refunds", "chat", "v1", 1, 1)]


def test_an_epoch_is_read_as_it_was_written(store: SqlStore) -> None:
    proposal = Proposal(level=Level.PROBATION, threshold=0.91, at=NOW, basis="e-0")
    full = epoch(
        earned=Level.AUTO,
        threshold=0.9,
        audit_rate=0.05,
        burst_left=3,
        has_harm=True,
        certified_at=NOW,
        proposal=proposal,
    )
    write(store, lambda tx: tx.epochs.add(full))
    assert store.read_now(lambda tx: tx.epochs.get("e-1")) == full
    assert store.read_now(lambda tx: tx.epochs.current("orders", "chat", "v1")) == full
    with pytest.raises(NotFound):
        store.read_now(lambda tx: tx.epochs.get("e-2"))


def test_an_epoch_changes_only_under_the_version_it_was_read_with(store: SqlStore) -> None:
    write(store, lambda tx: tx.epochs.add(epoch()))
    write(store, lambda tx: tx.epochs.change(epoch(version=2, consumed=9), was=1))
    with pytest.raises(StaleVersion, match="e-1"):
        write(store, lambda tx: tx.epochs.change(epoch(version=2, consumed=11), was=1))
    assert store.read_now(lambda tx: tx.epochs.get("e-1")).consumed == 9
    current = write(store, lambda tx: tx.epochs.current("orders", "chat", "v1"))
    assert current is not None
    assert current.consumed == 9


def test_a_slice_and_release_has_one_open_epoch(store: SqlStore) -> None:
    write(store, lambda tx: tx.epochs.add(epoch()))
    with pytest.raises(StoreError):
        write(store, lambda tx: tx.epochs.add(epoch("e-2")))
    write(store, lambda tx: tx.epochs.change(epoch(version=2, ended_at=NOW, ended_why="alarm"), was=1))
    assert write(store, lambda tx: tx.epochs.current("orders", "chat", "v1")) is None
    write(store, lambda tx: tx.epochs.add(epoch("e-2")))
    assert [one.id for one in store.read_now(lambda tx: tx.epochs.all_open())] == ["e-2"]
    assert {one.id for one in store.read_now(lambda tx: tx.epochs.of_slice("orders", "chat"))} == {"e-1", "e-2"}


def test_epochs_of_a_topic_are_of_one_release(store: SqlStore) -> None:
    for name, fields in (("a", {}), ("b", {"channel": "mail"}), ("c", {"release": "v2"}), ("d", {"topic": "refunds"})):
        write(store, lambda tx, name=name, fields=fields: tx.epochs.add(epoch(name, **fields)))  # type: ignore[misc]
    assert [one.id for one in store.read_now(lambda tx: tx.epochs.of_topic("orders", "v1"))] == ["a", "b"]


def test_the_latest_calibrator_is_in_force(store: SqlStore) -> None:
    assert store.read_now(lambda tx: tx.calibrators.latest()) is None
    for number in (1, 2):
        made = Calibrator(id=f"k-{number}", base_log_odds=2.5, weights=(("grounding", 1.25),), trained_until=number)
        at = NOW + timedelta(seconds=number)
        write(store, lambda tx, made=made, at=at: tx.calibrators.add(made, now=at))  # type: ignore[misc]
        assert write(store, lambda tx: tx.calibrators.latest()) == made
    first = store.read_now(lambda tx: tx.calibrators.get("k-1"))
    assert first is not None
    assert first.weights == (("grounding", 1.25),)
    assert store.read_now(lambda tx: tx.calibrators.get("shipped")) is None


def test_a_stop_is_seen_until_it_is_lifted(store: SqlStore) -> None:
    stop = Stop(topic="*", channel="*", by="lena", at=NOW, why="odd replies")
    write(store, lambda tx: tx.stops.put(replace(stop, why="first")))
    write(store, lambda tx: tx.stops.put(stop))
    assert list(store.read_now(lambda tx: tx.stops.all())) == [stop]
    assert list(write(store, lambda tx: tx.stops.all())) == [stop]
    assert write(store, lambda tx: tx.stops.lift("*", "*"))
    assert not write(store, lambda tx: tx.stops.lift("*", "*"))
    assert list(store.read_now(lambda tx: tx.stops.all())) == []


def test_another_process_sees_a_stop_at_its_next_step(store: SqlStore, url: str) -> None:
    """What this process remembers is thrown away as soon as somebody else wrote."""
    assert list(write(store, lambda tx: tx.stops.all())) == []
    other = SqlStore(url)
    try:
        write(other, lambda tx: tx.stops.put(Stop(topic="*", channel="*", by="lena", at=NOW)))
    finally:
        other.close_now()
    assert len(write(store, lambda tx: tx.stops.all())) == 1


def test_open_epochs_under_other_calibrators_are_found(store: SqlStore) -> None:
    older = [epoch("e-1", topic="b"), epoch("e-2", topic="a", calibrator="c-1")]
    write(store, lambda tx: [tx.epochs.add(one) for one in (*older, epoch("e-3", topic="c", calibrator="c-2"))])
    write(store, lambda tx: tx.epochs.add(epoch("e-4", topic="d", ended_at=NOW, ended_why="alarm")))
    assert store.read_now(lambda tx: tx.epochs.open_under_others("c-2")) == [older[1], older[0]]


def test_the_latest_of_a_slice_are_counted_with_those_that_left(store: SqlStore) -> None:
    add(store, candidate(1, is_delivered=True), candidate(2), candidate(3, is_delivered=True), candidate(4))
    add(store, candidate(5, release="v2", is_delivered=True), candidate(6, channel="mail", is_delivered=True))
    add(store, candidate(7, redraft_of=2))

    def lately(channel: str, limit: int) -> tuple[int, int]:
        return store.read_now(lambda tx: tx.candidates.lately("orders", channel, "v1", limit=limit))

    assert (lately("chat", 9), lately("chat", 2), lately("*", 9), lately("post", 9)) == ((4, 2), (2, 1), (5, 3), (0, 0))


def test_audits_are_owed_for_what_left_was_drawn_and_has_no_label(store: SqlStore) -> None:
    add(store, candidate(1, is_delivered=True), candidate(2), candidate(3, is_delivered=True, is_sampled=False))
    add(store, candidate(4, is_delivered=True), candidate(5, is_delivered=True, channel="mail"))
    write(store, lambda tx: tx.candidates.judge(candidate(4), GOOD))
    owed = store.read_now(lambda tx: tx.candidates.audits_owed())
    assert owed == {("orders", "chat", "v1"): 1, ("orders", "mail", "v1"): 1}
