"""Topic models, tags and judged drafts as the store keeps them, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from understudy.adapters.stores.sql_store import SqlStore
from understudy.records.autonomy import Candidate, Label, Outcome
from understudy.records.topics import TopicModel

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
Commit = Callable[[Callable[..., Any]], Any]


def model(name: str) -> TopicModel:
    return TopicModel(
        id=name,
        topics=("a", "b"),
        features="AAAAAA==",
        idf="AACAPw==",
        weights="AQI=",
        scales="AACAPw==",
        unseen_idf=1.5,
        biases=(0.25, -0.5),
        thresholds=(0.9, 2.0),
        tags=7,
        trained_until=12,
    )


def candidate(seq: int, *, channel: str = "web", outcome: Outcome | None = None, is_sampled: bool = True) -> Candidate:
    label = None if outcome is None else Label(outcome=outcome, loss=0.0, is_severe=False, by="rosa", at=NOW)
    return Candidate(
        seq=seq,
        turn_id=f"t-{seq}",
        conversation_id="c",
        topic="a",
        channel=channel,
        release="v1",
        calibrator="shipped",
        confidence=0.5,
        signals=(("quality", 1.0),),
        is_delivered=False,
        is_sampled=is_sampled,
        rate=1.0,
        decided_at=NOW,
        due_at=NOW,
        label=label,
    )


def test_the_latest_topic_model_is_in_force(store: SqlStore, commit: Commit) -> None:
    assert store.read_now(lambda tx: tx.topics.latest()) is None
    commit(lambda tx: tx.topics.add(model("first"), now=NOW))
    commit(lambda tx: tx.topics.add(model("second"), now=NOW + timedelta(seconds=1)))
    assert store.read_now(lambda tx: tx.topics.latest()) == model("second")
    assert store.read_now(lambda tx: tx.topics.get("first")) == model("first")
    assert store.read_now(lambda tx: tx.topics.get("none")) is None


def test_the_writer_sees_a_model_that_it_adopted(store: SqlStore, commit: Commit) -> None:
    assert commit(lambda tx: tx.topics.latest()) is None
    commit(lambda tx: tx.topics.add(model("first"), now=NOW))
    assert commit(lambda tx: tx.topics.latest()) == model("first")


def test_tags_come_with_their_evidence_the_latest_turn_first(store: SqlStore, commit: Commit, make: Any) -> None:
    def step(tx: Any) -> None:
        for number, topic in enumerate(["a", None, "b"]):
            hold = make.hold(tx)
            tx.artifacts.put(hold.turn_id, "evidence", f'{{"n":{number}}}')
            tx.verdicts.add(make.verdict(hold, topic=topic))
        tx.verdicts.add(make.verdict(hold, topic="c", at=NOW + timedelta(seconds=1)))

    commit(step)
    found, end = store.read_now(lambda tx: tx.topics.tagged(before=None, limit=10))
    assert end is None
    assert [(tag.topic, tag.evidence) for tag in found] == [("c", '{"n":2}'), ("b", '{"n":2}'), ("a", '{"n":0}')]
    page, end = store.read_now(lambda tx: tx.topics.tagged(before=None, limit=2))
    assert page == found[:2]
    assert store.read_now(lambda tx: tx.topics.tagged(before=end, limit=2)) == (found[2:], None)
    assert store.read_now(lambda tx: tx.topics.count_tagged(after=0)) == 3
    assert store.read_now(lambda tx: tx.topics.count_tagged(after=found[2].position)) == 2


def test_given_topics_are_told_from_others_by_the_evidence(store: SqlStore, commit: Commit, make: Any) -> None:
    evidence = [
        '{"topic_by":"agent"}',
        '{"topic_by":"model"}',
        '{"said":"\\"topic_by\\":\\"agent\\""}',
        '{"topic_by":"channel"}',
    ]

    def step(tx: Any) -> None:
        for body in evidence:
            turn = make.turn(tx, topic="a")
            tx.artifacts.put(turn.id, "evidence", body)

    commit(step)
    found, place = store.read_now(lambda tx: tx.topics.given(before=2**62, limit=10))
    assert [turn.evidence for turn in found] == [evidence[3], evidence[0]]
    assert place is None
    found, place = store.read_now(lambda tx: tx.topics.given(before=2**62, limit=2))
    assert [turn.evidence for turn in found] == [evidence[3]]
    assert store.read_now(lambda tx: tx.topics.given(before=place, limit=2))[0][0].evidence == evidence[0]


def test_the_latest_judged_drafts_come_oldest_first(store: SqlStore, commit: Commit) -> None:
    drafts = [
        candidate(1, outcome=Outcome.APPROVE),
        candidate(2),
        candidate(3, outcome=Outcome.EDIT, is_sampled=False),
        candidate(4, outcome=Outcome.REJECT, channel="mail"),
        candidate(5, outcome=Outcome.APPROVE),
    ]
    commit(lambda tx: [tx.candidates.add(one) for one in drafts])
    latest = store.read_now(lambda tx: tx.candidates.latest_judged(limit=2))
    assert [one.seq for one in latest] == [4, 5]
    assert store.read_now(lambda tx: tx.candidates.count_judged(after=1)) == 2
    of_slice = store.read_now(lambda tx: tx.candidates.latest_of("a", "web", "v1", limit=3))
    assert [one.seq for one in of_slice] == [2, 3, 5]
    assert [one.seq for one in store.read_now(lambda tx: tx.candidates.latest_of("a", "*", "v1", limit=2))] == [4, 5]
    assert latest == drafts[3:]
