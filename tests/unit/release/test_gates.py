"""What follows from gates and live signals: missing data decide nothing, and nothing overrides a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.records.gate import GateResult, GateVerdict
from understudy.records.release import Hold, Release, Stage
from understudy.records.rollout import LiveSignal, NextStep, ReleaseTerms, SignalSeen, Trend
from understudy.release.gates import PROVEN, admit, advise

NOW = datetime(2026, 1, 8, tzinfo=UTC)
TERMS = ReleaseTerms(days_min=1.0)
LONG_AGO = NOW - timedelta(days=3)


def release(stage: Stage = Stage.CANARY, **fields: Any) -> Release:
    given: dict[str, Any] = {"agent": "shop", "entry": "shop-2", "parts": (), "created_at": LONG_AGO, "since": LONG_AGO}
    return Release(id="rel-1", version=1, stage=stage, created_by="Ines", **{**given, **fields})


def seen(signal: LiveSignal, trend: Trend, *, pairs: int = 500) -> SignalSeen:
    return SignalSeen(signal=signal, trend=trend, pairs=pairs, difference=0.1, worse=0, no_worse=0)


def all_seen(trend: Trend, **others: Trend) -> list[SignalSeen]:
    return [seen(signal, others.get(signal.value, trend)) for signal in LiveSignal]


def gate(verdict: GateVerdict, **fields: Any) -> GateResult:
    given: dict[str, Any] = {"reason": "so it is", "blocked_by": (), "would_decide": None, "flipped": ()}
    return GateResult(
        id="g",
        suite="s",
        suite_digest="d",
        baseline="a",
        candidate="b",
        verdict=verdict,
        effect=0.0,
        interval=(0.0, 0.0),
        pairs=1,
        errors=0,
        at=NOW,
        **{**given, **fields},
    )


Signals = st.lists(
    st.builds(
        seen, st.sampled_from(LiveSignal), st.sampled_from([Trend.MISSING, Trend.OPEN]), pairs=st.integers(0, 500)
    ),
    max_size=8,
)


@given(signals=Signals, stage=st.sampled_from([Stage.SHADOW, Stage.CANARY]), days=st.floats(0, 400))
def test_missing_and_open_signals_never_move_a_release(signals: list[SignalSeen], stage: Stage, days: float) -> None:
    found = advise(release(stage), signals, harms=0, terms=TERMS, now=LONG_AGO + timedelta(days=days))
    assert found.step is NextStep.INCONCLUSIVE
    assert found.why


AnySignals = st.lists(
    st.builds(seen, st.sampled_from(LiveSignal), st.sampled_from(Trend), pairs=st.integers(0, 500)), max_size=8
)


@given(signals=AnySignals, harms=st.integers(0, 3), stage=st.sampled_from(Stage))
def test_a_person_who_holds_a_release_is_overridden_by_nothing(
    signals: list[SignalSeen], harms: int, stage: Stage
) -> None:
    held = release(stage, hold=Hold(by="Lena", why="", at=NOW))
    found = advise(held, signals, harms=harms, terms=TERMS, now=NOW)
    assert found.step in (NextStep.HOLD, NextStep.INCONCLUSIVE)


@given(signals=AnySignals, harms=st.integers(0, 3))
def test_a_regression_is_never_promoted(signals: list[SignalSeen], harms: int) -> None:
    found = advise(release(), signals, harms=harms, terms=TERMS, now=NOW)
    if harms or any(one.trend is Trend.WORSE for one in signals):
        assert found.step is NextStep.ROLL_BACK


@given(signals=AnySignals)
def test_to_go_on_everything_that_counts_was_seen_to_be_no_worse(signals: list[SignalSeen]) -> None:
    found = advise(release(), signals, harms=0, terms=TERMS, now=NOW)
    if found.step is NextStep.GO_ON:
        assert {one.signal for one in signals if one.trend is Trend.NO_WORSE} >= PROVEN[Stage.CANARY]


@pytest.mark.parametrize("stage", [one for one in Stage if one not in (Stage.SHADOW, Stage.CANARY)])
def test_what_is_not_being_tried_is_moved_by_nothing_that_is_seen(stage: Stage) -> None:
    for trend in Trend:
        found = advise(release(stage), all_seen(trend), harms=3, terms=TERMS, now=NOW)
        assert found.step is NextStep.INCONCLUSIVE


def test_a_signal_that_is_worse_is_named() -> None:
    found = advise(release(), all_seen(Trend.OPEN, latency=Trend.WORSE), harms=0, terms=TERMS, now=NOW)
    assert (found.step, found.signal) == (NextStep.ROLL_BACK, LiveSignal.LATENCY)
    assert "latency: worse by +0.100 in 500 comparisons" in found.why


def test_one_harmful_reply_is_enough() -> None:
    found = advise(release(), all_seen(Trend.NO_WORSE), harms=1, terms=TERMS, now=NOW)
    assert found.step is NextStep.ROLL_BACK


def test_a_stage_lasts_its_days() -> None:
    early = advise(release(since=NOW), all_seen(Trend.NO_WORSE), harms=0, terms=TERMS, now=NOW + timedelta(hours=23))
    late = advise(release(since=NOW), all_seen(Trend.NO_WORSE), harms=0, terms=TERMS, now=NOW + timedelta(hours=24))
    assert (early.step, late.step) == (NextStep.INCONCLUSIVE, NextStep.GO_ON)


def test_what_nobody_can_tell_of_does_not_stop_a_release() -> None:
    """An agent that never says what a draft costs has no such signal."""
    found = advise(release(), all_seen(Trend.NO_WORSE, cost=Trend.MISSING), harms=0, terms=TERMS, now=NOW)
    assert found.step is NextStep.GO_ON


@pytest.mark.parametrize(
    ("result", "step"),
    [
        (None, NextStep.INCONCLUSIVE),
        (gate(GateVerdict.PASS), NextStep.GO_ON),
        (gate(GateVerdict.FAIL, blocked_by=("case-3",)), NextStep.ROLL_BACK),
        (gate(GateVerdict.INCONCLUSIVE, would_decide="400 more pairs"), NextStep.INCONCLUSIVE),
    ],
)
def test_only_a_pass_admits(result: GateResult | None, step: NextStep) -> None:
    found = admit(result)
    assert found.step is step
    assert "case-3" in found.why or step is not NextStep.ROLL_BACK
    assert "400 more pairs" in found.why or result is None or result.would_decide is None
