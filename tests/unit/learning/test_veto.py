"""What the labels of an epoch have shown: here, when a slice's own labels speak against resting on its topic's certificate."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from understudy.learning.ladder import advance, begun, is_vetoed
from understudy.records.autonomy import Candidate, Label, Outcome, Targets

AT = datetime(2026, 5, 15, tzinfo=UTC)


def candidates(losses: list[float]) -> list[Candidate]:
    return [
        Candidate(
            seq=number,
            turn_id="",
            conversation_id="",
            topic="orders",
            channel="email",
            release="1",
            calibrator="shipped",
            confidence=0.9,
            signals=(),
            is_delivered=False,
            is_sampled=True,
            rate=1.0,
            decided_at=AT,
            due_at=AT,
            label=Label(outcome=Outcome.APPROVE, loss=loss, is_severe=False, by="rosa", at=AT),
        )
        for number, loss in enumerate(losses, start=1)
    ]


@pytest.mark.parametrize("target", [0.01, 0.05, 0.2])
def test_clean_labels_never_veto_however_many(target: float) -> None:
    targets = Targets(risk_max=target, severe_max=0.005, delta=0.05, sensitivity=0.7)
    clean = advance(begun([0.9] * 30, targets), candidates([0.0] * 800), targets, calibrator="shipped")
    assert not is_vetoed(clean, targets)
    worse = advance(clean, candidates([1.0, 0.0] * 10), targets, calibrator="shipped")
    assert is_vetoed(worse, targets)
