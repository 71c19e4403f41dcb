"""Releases, choices, watches and rehearsals as the store keeps them, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import inspect

from understudy.adapters.stores.engine import open_engine
from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import Conflict, NotFound, StaleVersion, StoreError
from understudy.records.gate import FlippedCase, GateResult, GateVerdict
from understudy.records.release import (
    NO_RELEASES,
    Choice,
    Hold,
    Move,
    Part,
    Rehearsal,
    Rehearsed,
    Release,
    Stage,
    Watched,
)

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
Commit = Callable[[Callable[..., Any]], Any]
GATE = GateResult(
    id="g-1",
    suite="edge",
    suite_digest="d",
    baseline="rel-1",
    candidate="rel-2",
    verdict=GateVerdict.PASS,
    reason="no worse",
    effect=0.01,
    interval=(-0.02, 0.03),
    pairs=200,
    errors=1,
    flipped=(FlippedCase(case="c", baseline_loss=0.0, candidate_loss=1.0, why="it invents a price"),),
    blocked_by=(),
    would_decide=None,
    at=NOW,
)


def release(name: str, stage: Stage = Stage.CREATED, **fields: Any) -> Release:
    given: dict[str, Any] = {
        "agent": "shop",
        "entry": name,
        "parts": (Part(name="prompt", digest="d", words="12 words"),),
        "created_at": NOW,
        "created_by": "Ines",
        "since": NOW,
    }
    return Release(id=name, version=1, stage=stage, **{**given, **fields})


def test_a_release_is_read_as_it_was_written(store: SqlStore, commit: Commit) -> None:
    assert store.read_now(lambda tx: tx.releases.roster()) == NO_RELEASES
    written = release(
        "rel-1",
        gate=GATE,
        hold=Hold(by="Lena", why="a fair", at=NOW),
        moves=(Move(what="gated", by="Ines", why="it passed", at=NOW),),
        share=0.25,
    )
    commit(lambda tx: tx.releases.add(written))
    assert store.read_now(lambda tx: tx.releases.get("rel-1")) == written
    assert store.read_now(lambda tx: tx.releases.roster().releases) == (written,)
    with pytest.raises(Conflict, match="known already"):
        commit(lambda tx: tx.releases.add(written))
    with pytest.raises(NotFound, match="rel-9"):
        store.read_now(lambda tx: tx.releases.get("rel-9"))


def test_a_change_counts_only_under_the_version_it_was_made_on(store: SqlStore, commit: Commit) -> None:
    commit(lambda tx: tx.releases.add(release("rel-1")))
    gated = replace(release("rel-1"), version=2, stage=Stage.GATED)
    commit(lambda tx: tx.releases.change(gated, was=1))
    with pytest.raises(StaleVersion, match="rel-1"):
        commit(lambda tx: tx.releases.change(replace(gated, stage=Stage.RETIRED), was=1))
    assert store.read_now(lambda tx: tx.releases.get("rel-1")) == gated


@pytest.mark.parametrize(
    ("first", "second"),
    [(Stage.FULL, Stage.FULL), (Stage.SHADOW, Stage.CANARY), (Stage.CANARY, Stage.CANARY)],
)
def test_two_of_one_agent_are_never_at_the_same_place(
    store: SqlStore, commit: Commit, first: Stage, second: Stage
) -> None:
    commit(lambda tx: tx.releases.add(release("rel-1", first)))
    commit(lambda tx: tx.releases.add(release("rel-2")))
    commit(lambda tx: tx.releases.add(release("rel-3", second, agent="other")))
    with pytest.raises(Conflict, match="rel-1"):
        commit(lambda tx: tx.releases.change(release("rel-2", second), was=1))
    assert store.read_now(lambda tx: tx.releases.get("rel-2")).stage is Stage.CREATED


def test_the_database_itself_refuses_two_at_the_same_place(store: SqlStore, commit: Commit) -> None:
    def past_the_guard(tx: Any) -> None:
        tx.releases.add(release("rel-1", Stage.FULL))
        tx.releases._demand_room = lambda _release: None
        tx.releases.add(release("rel-2", Stage.FULL))

    with pytest.raises(StoreError, match=r"(?i)unique"):
        commit(past_the_guard)
    assert store.read_now(lambda tx: tx.releases.roster()) == NO_RELEASES


def test_the_roster_is_remembered_and_right_when_another_process_writes(url: str, store: SqlStore) -> None:
    def add(name: str) -> Callable[[Any], int]:
        def step(tx: Any) -> int:
            tx.releases.add(release(name))
            tx.ledger.append("test.step", at=NOW)
            return len(tx.releases.roster().releases)

        return step

    assert store.write_now(add("rel-1")) == 1
    other = SqlStore(url)
    assert other.write_now(add("rel-2")) == 2
    other.close_now()
    assert store.write_now(add("rel-3")) == 3


def test_a_choice_is_kept_for_each_conversation_and_agent(store: SqlStore, commit: Commit) -> None:
    first = Choice(conversation_id="c-1", agent="shop", release_id="rel-1", at=NOW)
    commit(lambda tx: tx.releases.choose(first))
    commit(lambda tx: tx.releases.choose(replace(first, agent="other", release_id="rel-9")))
    assert store.read_now(lambda tx: tx.releases.choice("c-1", "shop")) == first
    assert store.read_now(lambda tx: tx.releases.choice("c-2", "shop")) is None
    again = replace(first, release_id="rel-2", at=NOW + timedelta(seconds=1))
    commit(lambda tx: tx.releases.choose(again))
    assert store.read_now(lambda tx: tx.releases.choice("c-1", "shop")) == again
    commit(lambda tx: tx.releases.choose(replace(again, conversation_id="c-2", at=NOW + timedelta(seconds=2))))
    assert [one.conversation_id for one in store.read_now(lambda tx: tx.releases.chosen("rel-2", limit=9))] == [
        "c-2",
        "c-1",
    ]
    assert len(store.read_now(lambda tx: tx.releases.chosen("rel-2", limit=1))) == 1
    assert store.read_now(lambda tx: tx.releases.count_chosen("rel-2")) == 2
    assert store.read_now(lambda tx: tx.releases.count_chosen("rel-1")) == 0


def test_what_was_seen_is_written_once_for_each_stretch_of_the_ledger(store: SqlStore, commit: Commit) -> None:
    assert store.read_now(lambda tx: tx.releases.watched("rel-1")) is None
    seen = Watched(release_id="rel-1", consumed=10, progress="{}")
    commit(lambda tx: tx.releases.watch(seen, was=None))
    with pytest.raises(StaleVersion):
        commit(lambda tx: tx.releases.watch(seen, was=None))
    more = replace(seen, consumed=20, progress='{"a":1}')
    commit(lambda tx: tx.releases.watch(more, was=10))
    with pytest.raises(StaleVersion):
        commit(lambda tx: tx.releases.watch(replace(more, consumed=25), was=10))
    assert store.read_now(lambda tx: tx.releases.watched("rel-1")) == more


def test_rehearsals_are_read_in_the_order_of_decisions(store: SqlStore, commit: Commit) -> None:
    side = Rehearsed(decision="hold", findings=("policy.forbidden",), confidence=0.5, took_ms=12.5, text="A")
    one = Rehearsal(
        release_id="rel-1",
        turn_id="t-1",
        seq=5,
        at=NOW,
        baseline=side,
        candidate=Rehearsed(decision="degrade", findings=(), error="agent-timed-out"),
        is_same=False,
    )
    commit(lambda tx: tx.releases.rehearse(replace(one, turn_id="t-2", seq=9)))
    commit(lambda tx: tx.releases.rehearse(one))
    commit(lambda tx: tx.releases.rehearse(replace(one, is_same=True)))
    read = store.read_now(lambda tx: tx.releases.rehearsals("rel-1", limit=9))
    assert read == [replace(one, is_same=True), replace(one, turn_id="t-2", seq=9)]
    assert store.read_now(lambda tx: tx.releases.rehearsals("rel-1", after=5, limit=9)) == read[1:]
    assert store.read_now(lambda tx: tx.releases.rehearsals("rel-2", limit=9)) == []
    assert store.read_now(lambda tx: tx.releases.count_rehearsals("rel-1")) == 2


def test_rehearsals_of_turns_are_forgotten_those_of_one_release_or_of_all(store: SqlStore, commit: Commit) -> None:
    side = Rehearsed(decision="hold", findings=(), text="Dear Grace")
    commit(lambda tx: [tx.releases.add(release("rel-1", Stage.FULL)), tx.releases.add(release("rel-2", Stage.CANARY))])
    for number, (name, turn) in enumerate((one, f"t-{two}") for one in ("rel-1", "rel-2") for two in (1, 2, 3)):
        one = Rehearsal(release_id=name, turn_id=turn, seq=number, at=NOW, baseline=side, candidate=side, is_same=True)
        commit(lambda tx, one=one: tx.releases.rehearse(one))

    def kept() -> dict[str, list[str]]:
        def read(tx: Any) -> dict[str, list[str]]:
            return {name: [one.turn_id for one in tx.releases.rehearsals(name, limit=9)] for name in ("rel-1", "rel-2")}

        return store.read_now(read)

    commit(lambda tx: tx.releases.forget_rehearsals(["t-1", "t-none"], release_id="rel-1"))
    assert kept() == {"rel-1": ["t-2", "t-3"], "rel-2": ["t-1", "t-2", "t-3"]}
    commit(lambda tx: tx.releases.forget_rehearsals(["t-1", "t-2"]))
    assert kept() == {"rel-1": ["t-3"], "rel-2": ["t-3"]}
    assert store.read_now(lambda tx: tx.releases.count_rehearsals("rel-1")) == 1


def test_forgotten_rehearsals_leave_no_word_in_the_database(url: str, store: SqlStore, commit: Commit) -> None:
    side = Rehearsed(decision="hold", findings=(), text="Dear Grace, your kettle is on its way")
    one = Rehearsal(release_id="rel-1", turn_id="t-1", seq=1, at=NOW, baseline=side, candidate=side, is_same=True)
    commit(lambda tx: tx.releases.add(release("rel-1", Stage.FULL)))
    commit(lambda tx: tx.releases.rehearse(one))
    assert "Grace" in everything(url)
    commit(lambda tx: tx.releases.forget_rehearsals(["t-1"]))
    assert "Grace" not in everything(url)


def everything(url: str) -> str:
    """All rows of all tables."""
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            names = inspect(connection).get_table_names()
            return "\n".join(
                str(row) for name in names for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"')
            )
    finally:
        engine.dispose()
