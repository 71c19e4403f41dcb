"""Redrafts and their plans as the store keeps them, on both databases; what is drawn does not depend on any label."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import StaleVersion
from understudy.learning.redraft_draw import plan_of
from understudy.ports.store import Transaction
from understudy.records.autonomy import Candidate, Epoch, Label, Outcome, Targets
from understudy.records.redraft import RedraftPlan, RedraftTerms
from understudy.records.release import Release, Stage

T = TypeVar("T")
NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
TERMS = RedraftTerms(per_slice_max=20)
PLAN = RedraftPlan(
    release_id="rel-2",
    topic="orders",
    channel="chat",
    version=1,
    baseline="v1",
    epoch="e-1",
    seed="s",
    pool=9,
    drawn=(7, 3, 5),
    tuned_on=(3,),
    drawn_at=NOW,
)
EPOCH = Epoch(
    id="e-1",
    version=1,
    topic="orders",
    channel="chat",
    release="v1",
    calibrator="shipped",
    targets=Targets(risk_max=0.05, severe_max=0.005, delta=0.05, sensitivity=0.7),
    began_at=NOW,
    after=10,
    consumed=90,
    progress="{}",
)
RELEASE = Release(
    id="rel-2",
    version=1,
    agent="shop",
    entry="shop-2",
    parts=(),
    stage=Stage.SHADOW,
    created_at=NOW,
    created_by="ines",
    since=NOW,
)


def label(loss: float = 0.0, outcome: Outcome = Outcome.APPROVE, **fields: Any) -> Label:
    return Label(outcome=outcome, loss=loss, is_severe=False, by="rosa", at=NOW, **fields)


def candidate(seq: int, **fields: Any) -> Candidate:
    given: dict[str, Any] = {
        "turn_id": f"t-{seq}",
        "conversation_id": f"c-{seq}",
        "topic": "orders",
        "channel": "chat",
        "release": "v1",
        "calibrator": "shipped",
        "confidence": 0.9,
        "signals": (),
        "is_delivered": True,
        "is_sampled": True,
        "rate": 1.0,
        "decided_at": NOW,
        "due_at": NOW + timedelta(hours=72),
        "label": label(),
    }
    return Candidate(seq=seq, **{**given, **fields})


Commit = Callable[[Callable[[Transaction], T]], T]


def add(commit: Any, *candidates: Candidate) -> None:
    commit(lambda tx: [tx.candidates.add(one) for one in candidates])


def read_pool(store: SqlStore, **bounds: Any) -> list[int]:
    given = {"after": 0, "until": 100, "since": NOW, "limit": 100, **bounds}
    return [one.seq for one in store.read_now(lambda tx: tx.candidates.evidence_in("orders", "chat", "v1", **given))]


def test_a_plan_is_read_as_it_was_written_and_changed_once(store: SqlStore, commit: Any) -> None:
    commit(lambda tx: tx.redrafts.add(PLAN))
    assert store.read_now(lambda tx: tx.redrafts.get("rel-2", "orders", "chat")) == PLAN
    assert store.read_now(lambda tx: tx.redrafts.get("rel-2", "orders", "mail")) is None
    assert store.read_now(lambda tx: tx.redrafts.get("rel-3", "orders", "chat")) is None
    later = replace(PLAN, version=2, done=2, same=1, asked=1, tries=1, again_at=NOW)
    commit(lambda tx: tx.redrafts.change(later, was=1))
    assert store.read_now(lambda tx: tx.redrafts.of_release("rel-2")) == [later]
    with pytest.raises(StaleVersion, match="no longer at version 1"):
        commit(lambda tx: tx.redrafts.change(replace(PLAN, version=2), was=1))
    commit(lambda tx: tx.redrafts.add(replace(PLAN, release_id="rel-1")))
    found = store.read_now(lambda tx: tx.redrafts.of_slice("orders", "chat"))
    assert [one.release_id for one in found] == ["rel-1", "rel-2"]


def test_a_redraft_is_read_with_what_it_is_of(store: SqlStore, commit: Any) -> None:
    redraft = candidate(7, release="rel-2", redraft_of=3, label=label(carried_from=3))
    add(commit, redraft)
    assert store.read_now(lambda tx: tx.candidates.get(7)) == redraft
    assert store.read_now(lambda tx: tx.candidates.get(8)) is None


def test_only_evidence_of_its_own_is_drawn_from(store: SqlStore, commit: Any) -> None:
    add(
        commit,
        candidate(1),
        candidate(2, is_sampled=False),
        candidate(3, is_repeat=True),
        candidate(4, label=None),
        candidate(5, redraft_of=1),
        candidate(6, topic="refunds"),
        candidate(7, channel="mail"),
        candidate(8, release="v2"),
        candidate(9, decided_at=NOW - timedelta(seconds=1)),
        candidate(10, is_delivered=False),
    )
    assert read_pool(store) == [10, 1]
    assert read_pool(store, after=1) == [10]
    assert read_pool(store, until=9) == [1]
    assert read_pool(store, limit=1) == [10]


def test_redrafts_that_wait_are_found_and_none_teaches_a_calibrator(store: SqlStore, commit: Any) -> None:
    add(
        commit,
        candidate(1),
        candidate(2, redraft_of=1, label=None),
        candidate(3, redraft_of=1),
        candidate(4, label=None),
    )
    found = store.read_now(lambda tx: tx.candidates.awaited_redrafts("orders", "chat", "v1", limit=9))
    assert [one.seq for one in found] == [2]
    assert [one.seq for one in store.read_now(lambda tx: tx.candidates.latest_judged(limit=9))] == [1]
    assert [one.seq for one in store.read_now(lambda tx: tx.candidates.judged(after=0, limit=9))] == [1]
    assert store.read_now(lambda tx: tx.candidates.count_judged(after=0)) == 1


def draw(store: SqlStore, **given: Any) -> RedraftPlan | None:
    fields = {"seed": "a seed", "tuned_on": frozenset(), "now": NOW, **given}
    return store.read_now(lambda tx: plan_of(tx, EPOCH, RELEASE, TERMS, **fields))


@pytest.mark.parametrize("seed", range(3))
def test_what_is_drawn_is_the_same_whatever_people_said(store: SqlStore, commit: Any, seed: int) -> None:
    dice = random.Random(seed)
    losses = {seq: dice.choice([0.0, 0.2, 0.5, 1.0]) for seq in range(11, 71)}
    outcomes = [Outcome.APPROVE, Outcome.EDIT, Outcome.REJECT, Outcome.TIMEOUT]
    add(commit, *(candidate(seq, label=label(loss, dice.choice(outcomes))) for seq, loss in losses.items()))
    before = draw(store)
    assert before is not None
    assert (before.pool, len(before.drawn)) == (60, 20)
    for seq in losses:
        other = label(dice.choice([0.0, 1.0]), dice.choice(outcomes))
        commit(lambda tx, seq=seq, other=other: tx.candidates.judge(candidate(seq), other))
    assert draw(store) == before


def test_what_says_nothing_and_what_was_drawn_before_is_not_drawn(store: SqlStore, commit: Any) -> None:
    silent = [candidate(seq, label=label(outcome=Outcome.VOID)) for seq in (11, 12)]
    other_score = [candidate(13, calibrator="another")]
    add(commit, *silent, *other_score, *(candidate(seq) for seq in range(14, 60)), candidate(91))
    commit(lambda tx: tx.redrafts.add(replace(PLAN, release_id="rel-1", drawn=(14, 15))))
    plan = draw(store, tuned_on=frozenset({"t-16", "t-14"}))
    assert plan is not None
    assert plan.pool == 44
    assert set(plan.drawn) <= set(range(16, 60))
    assert set(plan.tuned_on) == {16} & set(plan.drawn)


def test_too_few_are_no_sample(store: SqlStore, commit: Any) -> None:
    add(commit, *(candidate(seq) for seq in range(11, 40)))
    assert draw(store) is None
