"""Whose hand-offs are, in every store: found by what has to be done with them, one at a time for a conversation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import NotFound, StaleVersion, StoreError
from understudy.records.conversation import Author
from understudy.records.review import HoldKind, HoldState
from understudy.records.staffing import Assignment, Availability, Ending, Why

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
Commit = Callable[[Callable[..., Any]], Any]


def wait(name: str, *, minutes: float = 0, **more: Any) -> Assignment:
    made = Assignment(
        id=name,
        version=1,
        hold_id=f"hold-{name}",
        conversation_id=f"conv-{name}",
        channel="chat",
        topic="orders",
        language="de",
        priority=4,
        waits_since=NOW + timedelta(minutes=minutes),
        target_s=600.0,
        due_at=NOW + timedelta(minutes=minutes + 10),
        team="orders",
        person=None,
        why=Why.NOBODY_HERE,
        words="Nobody of orders is here.",
        assigned_at=None,
        lapses_at=None,
    )
    return replace(made, **more)


def ids(found: list[Assignment]) -> list[str]:
    return [one.id for one in found]


def test_what_is_written_is_read_again(store: SqlStore, commit: Commit) -> None:
    one = wait(
        "a",
        person="ana",
        keeper="ben",
        lost=("cem", "dora"),
        assigned_at=NOW,
        lapses_at=NOW,
        step_at=NOW,
        is_taken=True,
        is_told=True,
        ending=Ending.ANSWERED,
        ended_at=NOW,
    )
    commit(lambda tx: tx.assignments.add(one))
    assert store.read_now(lambda tx: tx.assignments.get("a")) == one
    with pytest.raises(NotFound, match="'nothing'"):
        store.read_now(lambda tx: tx.assignments.get("nothing"))


def test_a_conversation_waits_once(store: SqlStore, commit: Commit) -> None:
    commit(lambda tx: tx.assignments.add(wait("a", ended_at=NOW)))
    commit(lambda tx: tx.assignments.add(wait("b", conversation_id="conv-a")))
    with pytest.raises(StoreError):
        commit(lambda tx: tx.assignments.add(wait("c", conversation_id="conv-a")))


def test_one_that_changed_meanwhile_is_not_written(store: SqlStore, commit: Commit) -> None:
    one = wait("a")
    commit(lambda tx: tx.assignments.add(one))
    commit(lambda tx: tx.assignments.change(replace(one, version=2, person="ana"), was=1))
    with pytest.raises(StaleVersion):
        commit(lambda tx: tx.assignments.change(replace(one, version=2, person="ben"), was=1))
    assert store.read_now(lambda tx: tx.assignments.get("a")).person == "ana"


def test_those_that_wait_come_by_urgency_then_by_age_and_apart_by_whose_they_are(
    store: SqlStore, commit: Commit
) -> None:
    def step(tx: Any) -> None:
        tx.assignments.add(wait("young", minutes=5))
        tx.assignments.add(wait("old"))
        tx.assignments.add(wait("urgent", minutes=9, priority=0, person="ana"))
        tx.assignments.add(wait("late", minutes=10, person="ana"))
        tx.assignments.add(wait("over", person="ana", ended_at=NOW))

    commit(step)
    assert ids(store.read_now(lambda tx: tx.assignments.live(limit=9))) == ["urgent", "old", "young", "late"]
    assert ids(store.read_now(lambda tx: tx.assignments.live(limit=1))) == ["urgent"]
    assert ids(store.read_now(lambda tx: tx.assignments.with_people())) == ["urgent", "late"]
    assert ids(store.read_now(lambda tx: tx.assignments.nobodys(limit=1))) == ["old"]
    assert store.read_now(lambda tx: tx.assignments.load()) == {"ana": 2}


def test_steps_that_are_due_are_found(store: SqlStore, commit: Commit) -> None:
    def step(tx: Any) -> None:
        tx.assignments.add(wait("later", step_at=NOW + timedelta(minutes=2)))
        tx.assignments.add(wait("due", step_at=NOW))
        tx.assignments.add(wait("none"))
        tx.assignments.add(wait("over", step_at=NOW, ended_at=NOW))

    commit(step)
    assert ids(store.read_now(lambda tx: tx.assignments.due(NOW, limit=9))) == ["due"]
    later = NOW + timedelta(hours=1)
    assert ids(store.read_now(lambda tx: tx.assignments.due(later, limit=9))) == ["due", "later"]


def test_hand_offs_that_nobody_looked_at_are_found_and_those_whose_hold_closed(
    store: SqlStore, commit: Commit, make: Any
) -> None:
    def step(tx: Any) -> list[Any]:
        made = [make.hold(tx, kind=HoldKind.HAND_OFF) for _ in range(3)]
        made += [make.hold(tx, kind=HoldKind.DRAFT), make.hold(tx, kind=HoldKind.HAND_OFF, state=HoldState.DECIDED)]
        known, gone = made[1], made[2]
        tx.assignments.add(wait("known", hold_id=known.id, conversation_id=known.conversation_id))
        tx.assignments.add(wait("gone", hold_id=gone.id, conversation_id=gone.conversation_id))
        tx.holds.change(replace(gone, state=HoldState.DECIDED, version=gone.version + 1), was=gone.version)
        return made

    made = commit(step)
    assert [one.id for one in store.read_now(lambda tx: tx.assignments.unknown(limit=9))] == [made[0].id]
    assert ids(store.read_now(lambda tx: tx.assignments.loose(limit=9))) == ["gone"]
    assert store.read_now(lambda tx: tx.assignments.of_hold(made[1].id)).id == "known"
    assert store.read_now(lambda tx: tx.assignments.of_hold(made[0].id)) is None


def test_it_is_known_whether_a_person_wrote_since(store: SqlStore, commit: Commit, make: Any) -> None:
    conversation = commit(make.conversation)

    def step(tx: Any) -> None:
        for author in (Author.CUSTOMER, Author.REVIEWER):
            make.message(tx, conversation_id=conversation.id, author=author, at=NOW)

    def answered(since: datetime) -> bool:
        found: bool = store.read_now(lambda tx: tx.assignments.is_answered(conversation.id, since=since))
        return found

    assert not answered(NOW)
    commit(step)
    assert answered(NOW)
    assert not answered(NOW + timedelta(seconds=1))


def test_what_somebody_says_of_themselves_is_what_they_said_last(store: SqlStore, commit: Commit) -> None:
    away = Availability(name="ana", is_away=True, until=None, said_at=NOW, said_by="ana")
    ben = Availability(name="ben", is_away=False, until=NOW + timedelta(hours=1), said_at=NOW, said_by="lea")
    commit(lambda tx: [tx.assignments.put_availability(one) for one in (ben, away)])
    assert store.read_now(lambda tx: tx.assignments.availabilities()) == [away, ben]
    here = replace(away, is_away=False, until=NOW)
    commit(lambda tx: tx.assignments.put_availability(here))
    assert store.read_now(lambda tx: tx.assignments.availabilities()) == [here, ben]
