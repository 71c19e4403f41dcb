"""Where thresholds stand and how delta is shared among them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.stats.ladder import COVERAGES, Ladder
from understudy.stats.ladder_design import coverage_of, shares_for, thresholds_at

SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=200)


@given(scores=SCORES)
def test_each_threshold_covers_at_least_what_was_asked(scores: list[float]) -> None:
    for coverage in COVERAGES:
        (threshold,) = thresholds_at(scores, [coverage])
        assert coverage_of([threshold], scores)[0] >= coverage - 1e-9
        above = [score for score in scores if score > threshold]
        assert len(above) < coverage * len(scores) + 1e-9


@given(scores=SCORES, predicted=st.floats(0, 1))
def test_a_design_is_a_ladder(scores: list[float], predicted: float) -> None:
    thresholds = thresholds_at(scores)
    shares = shares_for(coverage_of(thresholds, scores), predicted)
    assert len(Ladder(thresholds=thresholds, shares=shares, target=0.05).thresholds) <= len(COVERAGES)


def test_distinct_scores_give_the_quantiles() -> None:
    scores = np.random.default_rng(1).permutation(np.arange(1, 101) / 100)
    assert thresholds_at(scores) == pytest.approx([0.81 - 0.05 * step for step in range(17)])


def test_most_of_delta_is_where_six_tenths_of_the_predicted_coverage_are() -> None:
    shares = dict(zip(COVERAGES, shares_for(COVERAGES, 0.84), strict=True))
    assert {coverage: share for coverage, share in shares.items() if share} == {0.2: 0.1, 0.35: 0.3, 0.5: 0.6}


def test_shares_that_fall_on_one_threshold_add_up() -> None:
    assert shares_for((0.2,), 0.9) == pytest.approx((1.0,))
    assert math.fsum(shares_for(COVERAGES, 0.0)) == pytest.approx(1.0)


@pytest.mark.parametrize("scores", [[], [0.5, math.nan]])
def test_no_thresholds_without_past_scores(scores: list[float]) -> None:
    with pytest.raises(ValueError, match="past scores"):
        thresholds_at(scores)


@pytest.mark.parametrize("coverage", [0.0, 1.1])
def test_impossible_coverages_are_refused(coverage: float) -> None:
    with pytest.raises(ValueError, match="coverages must be"):
        thresholds_at([0.5], [coverage])


def test_no_thresholds_share_nothing() -> None:
    with pytest.raises(ValueError, match="no thresholds"):
        shares_for((), 0.5)
