"""Turns and their documents as the store keeps them: legal transitions, one winner of every race, honest counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from understudy.adapters.stores import oversight, sending, turns
from understudy.adapters.stores.engine import open_engine
from understudy.adapters.stores.migrate import upgrade
from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import NotFound, StepSuperseded
from understudy.ports.store import Transaction
from understudy.records.assessment import DecisionKind
from understudy.records.codec import digest
from understudy.records.turn import OPEN, TRANSITIONS, WORKING, Turn, TurnState

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)

Commit = Callable[[Callable[..., Any]], Any]


def in_state(commit: Commit, make: Any, state: TurnState, **fields: Any) -> Turn:
    turn: Turn = commit(lambda tx: make.turn(tx, state=state, **fields))
    return turn


def test_a_turn_comes_back_as_it_was_added(store: SqlStore, commit: Commit, make: Any) -> None:
    added = in_state(
        commit,
        make,
        TurnState.HELD,
        topic="Rückgabe",
        agent_version="v7",
        decision=DecisionKind.HOLD,
        reasons=("level_assist", "größer"),
        confidence=0.1 + 0.2,
        rulebook_id="rb",
        is_audited=True,
        trace="00-1-2-01",
        decided_at=NOW,
    )
    assert store.read_now(lambda tx: tx.turns.get(added.id)) == added


def test_a_missing_turn_is_named(store: SqlStore) -> None:
    with pytest.raises(NotFound, match="'none'"):
        store.read_now(lambda tx: tx.turns.get("none"))


def test_positions_follow_the_order_of_adding(commit: Commit, make: Any) -> None:
    positions = [in_state(commit, make, TurnState.COLLECTING).position for _ in range(4)]
    assert positions == sorted(set(positions))


@pytest.mark.parametrize("state", list(TurnState))
def test_a_turn_goes_only_where_its_table_says(commit: Commit, make: Any, state: TurnState) -> None:
    went = set()
    for to in TurnState:
        turn = in_state(commit, make, state)
        try:
            commit(lambda tx, turn=turn, to=to: tx.turns.advance(turn, to))
        except ValueError:
            continue
        went.add(to)
    assert went == TRANSITIONS[state]


def test_an_illegal_transition_changes_nothing(store: SqlStore, commit: Commit, make: Any) -> None:
    turn = in_state(commit, make, TurnState.ANSWERED)
    with pytest.raises(ValueError, match="answered to drafting"):
        commit(lambda tx: tx.turns.advance(turn, TurnState.DRAFTING))
    assert store.read_now(lambda tx: tx.turns.get(turn.id)) == turn


def test_advancing_writes_the_changes_and_returns_the_stored_turn(store: SqlStore, commit: Commit, make: Any) -> None:
    turn = in_state(commit, make, TurnState.COLLECTING)
    later = NOW + timedelta(seconds=70)
    advanced = commit(lambda tx: tx.turns.advance(turn, TurnState.DRAFTING, due_at=later, topic="refunds"))
    assert (advanced.state, advanced.due_at, advanced.topic) == (TurnState.DRAFTING, later, "refunds")
    assert store.read_now(lambda tx: tx.turns.get(turn.id)) == advanced


def test_advancing_a_turn_that_moved_on_is_refused(store: SqlStore, commit: Commit, make: Any) -> None:
    seen = in_state(commit, make, TurnState.DRAFTING)
    moved = commit(lambda tx: tx.turns.advance(seen, TurnState.SUPERSEDED))
    with pytest.raises(StepSuperseded, match=seen.id):
        commit(lambda tx: tx.turns.advance(seen, TurnState.GATHERING))
    assert store.read_now(lambda tx: tx.turns.get(seen.id)) == moved


def test_touching_a_turn_fences_those_who_saw_it_before(commit: Commit, make: Any) -> None:
    seen = in_state(commit, make, TurnState.DRAFTING)
    commit(lambda tx: tx.turns.touch(seen, due_at=NOW))
    with pytest.raises(StepSuperseded):
        commit(lambda tx: tx.turns.advance(seen, TurnState.GATHERING))


def test_touching_keeps_the_state(commit: Commit, make: Any) -> None:
    turn = in_state(commit, make, TurnState.DRAFTING)
    assert commit(lambda tx: tx.turns.touch(turn, topic="t")).state is TurnState.DRAFTING


def test_one_of_many_racing_steps_wins(store: SqlStore, commit: Commit, make: Any, url: str) -> None:
    seen = in_state(commit, make, TurnState.GATHERING)
    other = SqlStore(url)

    def step(tx: Transaction) -> str:
        tx.ledger.append("won", at=NOW)
        return tx.turns.advance(seen, TurnState.ASSESSING).id

    async def scene() -> list[Any]:
        racing = [(store, other)[number % 2].write(step) for number in range(40)]
        return await asyncio.gather(*racing, return_exceptions=True)

    results = asyncio.run(scene())
    other.close_now()
    assert results.count(seen.id) == 1
    assert sum(isinstance(result, StepSuperseded) for result in results) == 39
    assert [e.event for e in store.read_now(lambda tx: tx.ledger.entries())].count("won") == 1


def test_open_turns_of_a_conversation_are_the_open_ones_oldest_first(
    store: SqlStore, commit: Commit, make: Any
) -> None:
    conversation = commit(make.conversation).id
    added = [in_state(commit, make, state, conversation_id=conversation) for state in TurnState]
    in_state(commit, make, TurnState.DRAFTING)  # somebody else's
    found = store.read_now(lambda tx: tx.turns.open_of(conversation))
    assert found == [turn for turn in added if turn.state in OPEN]


def test_the_latest_turn_is_the_last_added(store: SqlStore, commit: Commit, make: Any) -> None:
    conversation = commit(make.conversation).id
    added = [
        in_state(commit, make, state, conversation_id=conversation)
        for state in (TurnState.HELD, TurnState.ANSWERED, TurnState.SUPERSEDED)
    ]
    assert store.read_now(lambda tx: tx.turns.latest_of(conversation)) == added[-1]
    assert store.read_now(lambda tx: tx.turns.latest_of("none")) is None


def test_the_backlog_counts_turns_in_which_the_system_has_the_move(store: SqlStore, commit: Commit, make: Any) -> None:
    for state in TurnState:
        in_state(commit, make, state)
    assert store.read_now(lambda tx: tx.turns.backlog()) == len(WORKING)


def test_due_gives_working_turns_whose_time_has_come_longest_waiting_first(
    store: SqlStore, commit: Commit, make: Any
) -> None:
    moments = {"late": -10, "now": 0, "later": -20, "future": 1}
    turns = {
        name: in_state(commit, make, TurnState.DRAFTING, due_at=NOW + timedelta(microseconds=offset))
        for name, offset in moments.items()
    }
    in_state(commit, make, TurnState.HELD, due_at=NOW)
    found = store.read_now(lambda tx: tx.turns.due(NOW, limit=10))
    assert found == [turns["later"], turns["late"], turns["now"]]
    assert store.read_now(lambda tx: tx.turns.due(NOW, limit=1)) == [turns["later"]]


def test_turns_are_listed_by_position_in_pages(store: SqlStore, commit: Commit, make: Any) -> None:
    added = [in_state(commit, make, TurnState.COLLECTING) for _ in range(5)]
    page = store.read_now(lambda tx: tx.turns.listed(after=0, limit=2))
    rest = store.read_now(lambda tx: tx.turns.listed(after=page[-1].position, limit=10))
    assert page + rest == added


def test_automatic_replies_of_a_slice_are_counted_since_a_moment(store: SqlStore, commit: Commit, make: Any) -> None:
    hour = NOW - timedelta(hours=1)
    counted = [
        {"state": TurnState.ANSWERED, "decision": DecisionKind.DELIVER, "decided_at": hour},
        {"state": TurnState.DELIVERING, "decision": DecisionKind.DELIVER, "decided_at": NOW},
        {"state": TurnState.ASSESSING},  # about to be decided
    ]
    not_counted = [
        {
            "state": TurnState.ANSWERED,
            "decision": DecisionKind.DELIVER,
            "decided_at": hour - timedelta(microseconds=1),
        },
        {"state": TurnState.HELD, "decision": DecisionKind.HOLD, "decided_at": NOW},
        {"state": TurnState.GATHERING},
        {"state": TurnState.ASSESSING, "topic": "other"},
        {"state": TurnState.ASSESSING, "channel": "other"},
    ]
    for fields in counted + not_counted:
        commit(lambda tx, fields=fields: make.turn(tx, **{"topic": "refunds", **fields}))
    automatic, safe = store.read_now(lambda tx: tx.turns.decided_since("refunds", "webchat", hour))
    assert (automatic, safe) == (len(counted), 1)


def test_a_document_comes_back_under_its_kind(store: SqlStore, commit: Commit) -> None:
    names = commit(lambda tx: [tx.artifacts.put("t", "draft", '{"a":"é"}'), tx.artifacts.put("t", "evidence", "{}")])
    assert names == [digest('{"a":"é"}'), digest("{}")]
    found = [
        store.read_now(lambda tx, k=kind: tx.artifacts.get("t", k)) for kind in ("draft", "evidence", "assessment")
    ]
    assert found == ['{"a":"é"}', "{}", None]


def test_a_second_document_of_a_kind_replaces_the_first(store: SqlStore, commit: Commit) -> None:
    commit(lambda tx: tx.artifacts.put("t", "draft", "1"))
    commit(lambda tx: tx.artifacts.put("t", "draft", "2"))
    assert store.read_now(lambda tx: tx.artifacts.get("t", "draft")) == "2"


def test_questions_asked_at_every_message_use_their_partial_indexes(tmp_path: Path) -> None:
    """SQLite takes a partial index only where the query repeats its condition, the values in the same order."""
    engine = open_engine(f"sqlite:///{tmp_path / 'plans.db'}")
    upgrade(engine)
    with engine.connect() as connection:
        for statement in (
            turns._BACKLOG,
            turns._DUE,
            turns._MOMENTS,
            turns._SUMS,
            turns._BEING_DECIDED,
            oversight._LAST_REPLY_TO,
            sending._OPEN_OF,
            sending._DUE,
        ):
            prepared = statement.on(engine.dialect)
            values = tuple("1" for _ in range(prepared.sql.count("?")))
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {prepared.sql}", values).all()
            assert not [row for row in plan if " turns" in row[3] + " " and "INDEX" not in row[3] and "SCAN" in row[3]]
            assert not [row for row in plan if "SCAN conversations" in row[3]], prepared.sql
            assert not [row for row in plan if "SCAN outbox" in row[3] and "INDEX" not in row[3]], prepared.sql
    engine.dispose()
