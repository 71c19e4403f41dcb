"""Candidate and baseline compared at the same time: fair pairs, few false alarms, regressions found."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.records.codec import dump, load
from understudy.records.release import Stage
from understudy.records.rollout import LiveSignal, ReleaseTerms, SignalSeen, Trend
from understudy.release.signals import Progress, begun, compared, comparison, complained, exposed, observed, seen

TERMS = ReleaseTerms(pairs_min=20)
QUALITY = LiveSignal.QUALITY


def of(progress: Progress, signal: LiveSignal = QUALITY, terms: ReleaseTerms = TERMS) -> SignalSeen:
    (found,) = (one for one in seen(progress, terms) if one.signal is signal)
    return found


def stream(
    seed: int, *, share: float, base: float, candidate: float, count: int, signal: LiveSignal = QUALITY
) -> Progress:
    """So many replies of either release, each bad with its own probability."""
    dice, progress = random.Random(seed), begun(Stage.CANARY)
    for _ in range(count):
        is_candidate = dice.random() < share
        loss = float(dice.random() < (candidate if is_candidate else base))
        progress = observed(progress, signal, loss, is_candidate=is_candidate, terms=TERMS)
    return progress


def test_a_loss_is_compared_with_the_mean_of_the_others_since() -> None:
    progress = begun(Stage.CANARY)
    for loss in (0.0, 1.0, 0.5):
        progress = observed(progress, QUALITY, loss, is_candidate=False, terms=TERMS)
    progress = observed(progress, QUALITY, 1.0, is_candidate=True, terms=TERMS)
    assert comparison(progress, QUALITY).difference == pytest.approx(0.5)
    assert comparison(progress, QUALITY).base_count == 0


def test_a_loss_of_the_candidate_waits_for_one_of_the_baseline() -> None:
    progress = begun(Stage.CANARY)
    for loss in (1.0, 0.2):
        progress = observed(progress, QUALITY, loss, is_candidate=True, terms=TERMS)
    assert of(progress).pairs == 0
    progress = observed(progress, QUALITY, 0.4, is_candidate=False, terms=TERMS)
    assert comparison(progress, QUALITY).difference == pytest.approx(0.6)
    assert comparison(progress, QUALITY).waiting == (0.2,)


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.2, 0.5, 1.0])), max_size=60),
    st.integers(0, 59),
)
def test_what_is_kept_between_looks_changes_nothing(losses: list[tuple[bool, float]], cut: int) -> None:
    def taken(progress: Progress, some: list[tuple[bool, float]]) -> Progress:
        for is_candidate, loss in some:
            progress = observed(progress, QUALITY, loss, is_candidate=is_candidate, terms=TERMS)
        return progress

    at_once = taken(begun(Stage.CANARY), losses)
    kept = load(Progress, dump(taken(begun(Stage.CANARY), losses[:cut])))
    assert dump(taken(kept, losses[cut:])) == dump(at_once)


def test_nothing_is_said_before_there_is_enough() -> None:
    progress = begun(Stage.CANARY)
    for _ in range(TERMS.pairs_min - 1):
        progress = compared(progress, QUALITY, candidate=1.0, baseline=0.0, terms=TERMS)
    assert of(progress).trend is Trend.MISSING
    assert of(compared(progress, QUALITY, candidate=1.0, baseline=0.0, terms=TERMS)).trend is Trend.WORSE


def test_without_a_baseline_nothing_is_ever_said() -> None:
    progress = begun(Stage.CANARY)
    for _ in range(2_000):
        progress = observed(progress, QUALITY, 1.0, is_candidate=True, terms=TERMS)
    assert (of(progress).trend, of(progress).difference) == (Trend.MISSING, None)
    assert len(comparison(progress, QUALITY).waiting) == 1_000


def test_equal_releases_are_seldom_called_worse() -> None:
    """200 seeded canaries of 2,000 replies: one signal's share of `delta` is 1 %, the alarm beside it adds little."""
    found = [of(stream(seed, share=0.1, base=0.1, candidate=0.1, count=2_000)).trend for seed in range(200)]
    assert found.count(Trend.WORSE) <= 8


def test_a_regression_is_found() -> None:
    """From 5 to 25 % bad replies, 10 % of 4,000 conversations: found in at least 9 of 10."""
    found = [of(stream(seed, share=0.1, base=0.05, candidate=0.25, count=4_000)).trend for seed in range(40)]
    assert found.count(Trend.WORSE) >= 36


def test_a_regression_that_begins_late_is_found() -> None:
    dice, progress = random.Random(7), begun(Stage.CANARY)
    for number in range(3_000):
        is_candidate = dice.random() < 0.5
        bad = 0.3 if is_candidate and number >= 1_500 else 0.05
        progress = observed(progress, QUALITY, float(dice.random() < bad), is_candidate=is_candidate, terms=TERMS)
        if number == 1_499:
            assert of(progress).trend is not Trend.WORSE
    assert of(progress).trend is Trend.WORSE


def test_a_candidate_that_is_better_is_seen_to_be_no_worse() -> None:
    assert of(stream(1, share=0.5, base=0.2, candidate=0.02, count=4_000)).trend is Trend.NO_WORSE


def test_a_candidate_a_little_slower_is_nobodys_business() -> None:
    progress = begun(Stage.CANARY)
    for _ in range(2_000):
        progress = compared(progress, LiveSignal.LATENCY, candidate=0.24, baseline=0.2, terms=TERMS)
    assert of(progress, LiveSignal.LATENCY).trend is not Trend.WORSE
    for _ in range(400):
        progress = compared(progress, LiveSignal.LATENCY, candidate=0.7, baseline=0.2, terms=TERMS)
    assert of(progress, LiveSignal.LATENCY).trend is Trend.WORSE


def complaints(seed: int, *, candidate: float, base: float, count: int) -> Progress:
    dice, progress = random.Random(seed), begun(Stage.CANARY)
    for _ in range(count):
        is_candidate = dice.random() < 0.2
        progress = exposed(progress, is_candidate=is_candidate)
        if dice.random() < (candidate if is_candidate else base):
            progress = complained(progress, is_candidate=is_candidate, terms=TERMS)
    return progress


def test_complaints_are_compared_with_how_many_replies_each_sent() -> None:
    equal = [of(complaints(seed, candidate=0.03, base=0.03, count=3_000), LiveSignal.COMPLAINTS) for seed in range(60)]
    worse = [of(complaints(seed, candidate=0.15, base=0.03, count=3_000), LiveSignal.COMPLAINTS) for seed in range(20)]
    assert [one.trend for one in equal].count(Trend.WORSE) <= 3
    assert [one.trend for one in worse].count(Trend.WORSE) >= 19


def test_a_complaint_before_both_have_sent_anything_says_nothing() -> None:
    progress = exposed(begun(Stage.CANARY), is_candidate=True)
    assert complained(progress, is_candidate=True, terms=TERMS) == progress


@pytest.mark.parametrize("loss", [-0.1, 1.1])
def test_a_loss_outside_its_range_is_refused(loss: float) -> None:
    with pytest.raises(ValueError, match="loss"):
        observed(begun(Stage.CANARY), QUALITY, loss, is_candidate=True, terms=TERMS)
