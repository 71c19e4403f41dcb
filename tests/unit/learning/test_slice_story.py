"""What people see of a slice: the curve, labels over time, what happened, and which release speaks for it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.learning.slice_story import (
    BUCKETS_MAX,
    CURVE_POINTS_MAX,
    bucket_for,
    buckets_of,
    curve_of,
    evidence_of,
    in_order,
    leading,
    moves_of,
)
from understudy.records.autonomy import Candidate, Epoch, Label, Outcome, Proposal, Targets
from understudy.records.ledger import LedgerEntry
from understudy.records.release import Stage
from understudy.records.rulebook import Level
from understudy.records.slice_story import LabelSource
from understudy.records.standing import SliceStatus

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
TARGETS = Targets(risk_max=0.05, severe_max=0.005, delta=0.05, sensitivity=0.7)


def label(outcome: Outcome = Outcome.APPROVE, *, loss: float = 0.0, s: float = 0, severe: bool = False) -> Label:
    return Label(outcome=outcome, loss=loss, is_severe=severe, by="rosa", at=NOW + timedelta(seconds=s))


def draft(seq: int, **fields: Any) -> Candidate:
    given: dict[str, Any] = {
        "turn_id": f"t-{seq}",
        "conversation_id": f"c-{seq}",
        "topic": "orders",
        "channel": "chat",
        "release": "v1",
        "calibrator": "shipped",
        "confidence": 0.9,
        "signals": (),
        "is_delivered": False,
        "is_sampled": True,
        "rate": 1.0,
        "decided_at": NOW,
        "due_at": NOW,
        "label": label(),
    }
    return Candidate(seq=seq, **{**given, **fields})


def epoch(name: str, **fields: Any) -> Epoch:
    given: dict[str, Any] = {
        "version": 1,
        "topic": "orders",
        "channel": "chat",
        "release": "v1",
        "calibrator": "shipped",
        "targets": TARGETS,
        "began_at": NOW,
        "after": 0,
        "consumed": 0,
        "progress": "{}",
    }
    return Epoch(id=name, **{**given, **fields})


def test_evidence_is_what_counts_and_nothing_else() -> None:
    drafts = [
        draft(1),
        draft(5),
        draft(6, is_sampled=False),
        draft(7, label=None),
        draft(8, is_repeat=True),
        draft(9, label=label(Outcome.DISCOUNTED)),
        draft(10, calibrator="another"),
    ]
    assert [one.seq for one, _ in evidence_of(drafts, epoch("e-1", after=2))] == [5]
    assert [one.seq for one, _ in evidence_of(drafts, None)] == [1, 5, 10]


def test_a_first_verdict_is_in_no_count_while_a_second_reviewer_is_waited_for() -> None:
    drafts = [draft(1, label=label(Outcome.REJECT, loss=1.0), second_due_at=NOW)]
    assert evidence_of(drafts, None) == []
    assert buckets_of(drafts) == (10, ())
    assert len(evidence_of([replace(drafts[0], second_due_at=None)], None)) == 1


def test_the_curve_weighs_a_label_by_how_seldom_it_was_drawn() -> None:
    drafts = [draft(1, confidence=0.9, rate=0.1, is_delivered=True), draft(2, confidence=0.5, label=label(loss=1.0))]
    strict, lax = curve_of(evidence_of(drafts, None))
    assert (strict.threshold, strict.coverage, strict.risk) == pytest.approx((0.9, 10 / 11, 0.0))
    assert (lax.threshold, lax.coverage, lax.risk) == pytest.approx((0.5, 1.0, 1 / 11))


@given(count=st.integers(0, 400))
def test_a_curve_is_thinned_and_keeps_both_ends(count: int) -> None:
    curve = curve_of(evidence_of([draft(n, confidence=n / 400) for n in range(count)], None))
    assert len(curve) == min(count, CURVE_POINTS_MAX)
    assert [point.coverage for point in curve] == sorted(point.coverage for point in curve)
    if curve:
        assert (curve[0].threshold, curve[-1].coverage) == ((count - 1) / 400, 1.0)


@given(moments=st.lists(st.integers(0, 10**8), min_size=1, max_size=30))
def test_labels_over_time_are_all_there_in_few_stretches(moments: list[int]) -> None:
    drafts = [draft(n, label=label(s=s)) for n, s in enumerate(moments)]
    size, buckets = buckets_of(drafts)
    assert sum(one.good for one in buckets) == len(moments)
    span = (max(one.at for one in buckets) - min(one.at for one in buckets)).total_seconds()
    assert span / size < BUCKETS_MAX


def test_labels_over_time_tell_their_source() -> None:
    drafts = [
        draft(1),
        draft(2, is_delivered=True, label=label(Outcome.REJECT, loss=1.0, severe=True)),
        draft(3, redraft_of=1),
        draft(4, label=label(Outcome.TIMEOUT, loss=1.0)),
        draft(5, label=label(Outcome.VOID)),
        draft(6, label=None),
    ]
    _, buckets = buckets_of(drafts)
    assert {one.source: (one.good, one.bad, one.severe, one.silent) for one in buckets} == {
        LabelSource.REVIEW: (1, 0, 0, 1),
        LabelSource.AUDIT: (0, 1, 1, 0),
        LabelSource.CARRIED: (1, 0, 0, 0),
        LabelSource.NOBODY: (0, 1, 0, 0),
    }
    assert buckets_of([]) == (10, ())


def test_a_stretch_of_time_grows_with_what_there_is_to_show() -> None:
    spans = (60, 3_600, 86_400, 30 * 86_400, 20 * 365 * 86_400)
    assert [bucket_for(NOW, NOW + timedelta(seconds=span)) for span in spans] == [10, 600, 3_600, 86_400, 365 * 86_400]


def entry(seq: int, event: str, **body: Any) -> LedgerEntry:
    given: dict[str, Any] = {"turn_id": None, "conversation_id": None, "actor": "lena", "previous": "", "hash": ""}
    return LedgerEntry(seq=seq, at=NOW, event=event, body=json.dumps(body), **given)


def test_what_happened_is_what_the_ledger_says_of_its_epochs_and_of_stops_that_cover_it() -> None:
    entries = [
        entry(9, "autonomy.stopped", topic="*", channel="*", why="odd replies"),
        entry(8, "autonomy.stopped", topic="returns", channel="*", why=""),
        entry(7, "autonomy.ended", epoch="e-1", why="alarm", level="demoted"),
        entry(6, "autonomy.promoted", epoch="e-9", level="auto", threshold=0.9),
        entry(5, "autonomy.promoted", epoch="e-1", level="probation", threshold=0.9),
        entry(4, "autonomy.resumed", topic="orders", channel="chat"),
    ]
    moves = moves_of(entries, "orders", "chat", [epoch("e-1")])
    assert [(one.seq, one.what, one.level, one.why) for one in moves] == [
        (9, "stopped", None, "odd replies"),
        (7, "ended", Level.DEMOTED, "alarm"),
        (5, "promoted", Level.PROBATION, None),
        (4, "resumed", None, None),
    ]
    assert (moves[0].topic, moves[1].release, moves[2].threshold) == ("*", "v1", 0.9)


def status(release: str, **fields: Any) -> SliceStatus:
    given: dict[str, Any] = dict.fromkeys(SliceStatus.__dataclass_fields__)
    given |= {
        "topic": "orders",
        "channel": "chat",
        "level": Level.ASSIST,
        "drafts": 1,
        "targets": TARGETS,
        "answers": 0.0,
    }
    return SliceStatus(**{**given, "release": release, **fields})


def test_who_answers_alone_speaks_for_a_slice_then_who_is_proposed_then_the_latest() -> None:
    proposal = Proposal(level=Level.PROBATION, threshold=0.9, at=NOW, basis="e-1")
    first, later = status("v1", since=NOW, drafts=900), status("v2", since=NOW + timedelta(days=1))
    assert leading([later, first]) is later
    assert leading([later, replace(first, proposal=proposal)]).release == "v1"
    assert leading([replace(first, proposal=proposal), status("v0", level=Level.AUTO)]).release == "v0"


def test_who_answers_now_speaks_first_and_who_was_taken_back_last() -> None:
    back = status("rel-2", level=Level.PROBATION, stage=Stage.ROLLED_BACK, since=NOW)
    shadow, few = status("rel-3", stage=Stage.SHADOW), status("rel-4", stage=Stage.CANARY, answers=0.1)
    answers = status("v1", level=Level.AUTO, stage=Stage.FULL, answers=0.9)
    assert leading([back, shadow]) is shadow
    assert [one.release for one in in_order([back, shadow, few, answers])] == ["v1", "rel-4", "rel-3", "rel-2"]
