"""What auditors and the health page look up: found backwards, a stretch at a time, the same on both stores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.adapters.stores import sending, trail
from understudy.adapters.stores.engine import open_engine
from understudy.adapters.stores.sql_store import SqlStore
from understudy.adapters.stores.trail import _latest_before
from understudy.records.assessment import DecisionKind
from understudy.records.conversation import Author
from understudy.records.outbox import OutboxState
from understudy.records.review import HoldState
from understudy.records.trail import Process
from understudy.records.turn import TurnState

NOW = datetime.fromisoformat("2026-01-01T12:00:00.123456+00:00")
SECOND = timedelta(seconds=1)
Commit = Callable[[Callable[[Any], Any]], Any]


def turns_in(commit: Commit, make: Any, count: int) -> list[Any]:
    """So many turns of one conversation, a second apart."""

    def step(tx: Any) -> list[Any]:
        contact = tx.contacts.resolve("webchat", make.inbound(contact_name="Zoë Müller"), new_id=make.id("c"), now=NOW)
        conversation = make.conversation(tx, contact_id=contact.id)
        turns = []
        for number in range(count):
            turns.append(make.turn(tx, conversation_id=conversation.id, created_at=NOW + number * SECOND))
            make.message(tx, conversation_id=conversation.id, turn_id=turns[-1].id, text=f"question {number}")
        return turns

    found: list[Any] = commit(step)
    return found


def test_turns_come_the_latest_first_and_page_by_page(store: SqlStore, commit: Commit, make: Any) -> None:
    turns = turns_in(commit, make, 5)
    first = store.read_now(lambda tx: tx.trail.turns(limit=2))
    then = store.read_now(lambda tx: tx.trail.turns(before=first[-1].position, limit=9))
    assert [one.id for one in (*first, *then)] == [one.id for one in reversed(turns)]


def test_a_turn_in_a_list_has_its_customer_and_what_they_asked(store: SqlStore, commit: Commit, make: Any) -> None:
    turns = turns_in(commit, make, 2)
    seen = store.read_now(lambda tx: tx.trail.turns_seen(limit=9))
    assert [(one.turn.id, one.customer, one.asked) for one in seen] == [
        (turns[1].id, "Zoë Müller", "question 1"),
        (turns[0].id, "Zoë Müller", "question 0"),
    ]
    of = store.read_now(lambda tx: tx.trail.turns_of(turns[0].conversation_id, before=turns[1].position, limit=9))
    assert [one.turn.id for one in of] == [turns[0].id]


def test_texts_are_those_of_the_stretch_alone(store: SqlStore, commit: Commit, make: Any) -> None:
    turns = turns_in(commit, make, 3)
    found = store.read_now(lambda tx: tx.trail.texts(after=turns[0].position, until=turns[1].position))
    assert found == {turns[1].position: ["question 1"]}


@pytest.mark.parametrize(("after_s", "expected"), [(-1, None), (0, None), (0.5, 0), (1, 0), (2.5, 2), (99, 4)])
def test_a_position_is_found_by_its_moment(
    after_s: float, expected: int | None, store: SqlStore, commit: Commit, make: Any
) -> None:
    turns = turns_in(commit, make, 5)
    found = store.read_now(lambda tx: tx.trail.position_before(NOW + after_s * SECOND))
    assert found == (0 if expected is None else turns[expected].position)


@given(numbers=st.sets(st.integers(1, 300)), asked=st.integers(-1, 301))
def test_the_latest_before_a_moment_is_found_whatever_gaps_there_are(numbers: set[int], asked: int) -> None:
    ordered = sorted(numbers)

    def at(number: int) -> tuple[int, datetime] | None:
        there = [one for one in ordered if one <= number]
        return (there[-1], NOW + there[-1] * SECOND) if there else None

    before = [one for one in ordered if one < asked]
    assert _latest_before(NOW + asked * SECOND, at) == (before[-1] if before else 0)


def test_entries_are_found_by_what_is_asked_of_them(store: SqlStore) -> None:
    def step(tx: Any) -> None:
        for number in range(6):
            event = "a.even" if number % 2 == 0 else "a.odd"
            conversation = f"conv-{number // 3}"
            actor = "Mia" if number == 4 else "system"
            tx.ledger.append(
                event, at=NOW + number * SECOND, turn_id=f"turn-{number % 2}", conversation_id=conversation, actor=actor
            )

    store.write_now(step)

    def seqs(**asked: Any) -> list[int]:
        return [one.seq for one in store.read_now(lambda tx: tx.trail.entries(limit=9, **asked))]

    assert seqs() == [6, 5, 4, 3, 2, 1]
    assert seqs(before=4, after=1) == [3, 2]
    assert seqs(event="a.odd") == [6, 4, 2]
    assert seqs(actor="Mia") == [5]
    assert seqs(conversation_id="conv-0", event="a.even") == [3, 1]
    assert [one.seq for one in store.read_now(lambda tx: tx.trail.entries_of("turn-1", limit=9))] == [2, 4, 6]
    assert store.read_now(lambda tx: tx.trail.seq_before(NOW + 3 * SECOND)) == 3


def test_every_hold_of_a_turn_is_found_whatever_became_of_it(store: SqlStore, commit: Commit, make: Any) -> None:
    turn = turns_in(commit, make, 1)[0]
    second = commit(lambda tx: make.hold(tx, turn=turn, state=HoldState.DECIDED, created_at=NOW + SECOND))
    first = commit(lambda tx: make.hold(tx, turn=turn, created_at=NOW))
    assert store.read_now(lambda tx: [one.id for one in tx.trail.holds_of(turn.id)]) == [first.id, second.id]


def test_sizes_count_what_is_under_way(store: SqlStore, commit: Commit, make: Any) -> None:
    turns = turns_in(commit, make, 3)

    def step(tx: Any) -> None:
        tx.turns.advance(tx.turns.get(turns[2].id), TurnState.SUPERSEDED)
        of = {"turn_id": turns[0].id, "conversation_id": turns[0].conversation_id}
        for raised_at in (None, NOW):
            make.hold(tx, turn=turns[0], raised_at=raised_at)
        for state in (OutboxState.PENDING, OutboxState.DEAD, OutboxState.DEAD, OutboxState.SENT):
            make.entry(tx, **of, state=state, channel="sms")

    commit(step)
    sizes = store.read_now(lambda tx: tx.trail.sizes(NOW))
    assert {state: (one.count, one.oldest_at) for state, one in sizes.working.items()} == {
        TurnState.COLLECTING: (2, NOW)
    }
    assert [(one.count, one.raised) for one in sizes.holds] == [(2, 1)]
    assert sorted((one.channel, one.state.value, one.count) for one in sizes.unsent) == [
        ("sms", "dead", 2),
        ("sms", "pending", 1),
    ]
    listed = store.read_now(lambda tx: tx.outbox.listed(list(OutboxState), limit=3))
    assert [one.state for one in listed] == [OutboxState.PENDING, OutboxState.DEAD, OutboxState.DEAD]
    assert len(store.read_now(lambda tx: tx.trail.dead(limit=9))) == 2


def test_processes_tell_of_themselves_and_are_forgotten(store: SqlStore) -> None:
    one = Process(id="p-1", host="a", pid=1, version="1", does="serves", started_at=NOW, seen_at=NOW, knows="{}")
    later = replace(one, seen_at=NOW + 10 * SECOND, knows='{"agents":[]}')
    other = replace(one, id="p-2", started_at=NOW + SECOND, seen_at=NOW + 20 * SECOND)
    for process in (one, later, other):
        store.write_now(lambda tx, process=process: tx.processes.put(process, forget_before=NOW - SECOND))
    assert store.read_now(lambda tx: tx.processes.all()) == [later, other]
    store.write_now(lambda tx: tx.processes.put(other, forget_before=NOW + 15 * SECOND))
    assert store.read_now(lambda tx: tx.processes.all()) == [other]
    store.write_now(lambda tx: tx.processes.end("p-2"))
    assert store.read_now(lambda tx: tx.processes.all()) == []


def test_what_is_narrowed_when_it_is_asked_reads_no_table_from_end_to_end(tmp_path: Any) -> None:
    """These statements are made when they are first needed, so the test of all plans does not see them."""
    from understudy.adapters.stores.migrate import upgrade

    engine = open_engine(f"sqlite:///{tmp_path / 'plans.db'}")
    upgrade(engine)
    parts = sending._parts([OutboxState.PENDING, OutboxState.UNKNOWN, OutboxState.DEAD])
    statements = [
        *trail._TEXTS,
        *(trail._found(has_event=a, has_actor=b, has_conversation=c) for a in (0, 1) for b in (0, 1) for c in (0, 1)),
        *(sending._listed(part, has_channel=False) for part in parts),
        *(sending._counted(part, has_channel=True) for part in parts),
    ]
    with engine.connect() as connection:
        for statement in statements:
            sql = statement.on(engine.dialect).sql
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", (0,) * sql.count("?")).fetchall()
            for line in (row[3] for row in plan):
                assert not line.startswith("SCAN") or line.endswith(("ix_outbox_open", "ix_outbox_dead")), (sql, line)
    engine.dispose()


def test_slices_say_what_left_alone_within_the_hour(store: SqlStore, commit: Commit, make: Any) -> None:
    turn = turns_in(commit, make, 1)[0]

    def step(tx: Any) -> None:
        path = (TurnState.DRAFTING, TurnState.GATHERING, TurnState.ASSESSING, TurnState.DELIVERING)
        tx.turns.advance(tx.turns.get(turn.id), *path, decision=DecisionKind.DELIVER, topic="orders", decided_at=NOW)

    commit(step)
    sizes = store.read_now(lambda tx: tx.trail.sizes(NOW + 60 * SECOND))
    assert [(one.topic, one.kind, one.count) for one in sizes.slices] == [("orders", DecisionKind.DELIVER, 1)]
    assert store.read_now(lambda tx: tx.trail.sizes(NOW + timedelta(hours=2))).slices == ()


def test_the_author_of_what_was_asked_is_the_customer(store: SqlStore, commit: Commit, make: Any) -> None:
    turn = turns_in(commit, make, 1)[0]
    of = {"turn_id": turn.id, "conversation_id": turn.conversation_id}
    commit(lambda tx: make.message(tx, **of, text="our reply", author=Author.AGENT))
    assert store.read_now(lambda tx: tx.trail.turns_seen(limit=1))[0].asked == "question 0"
