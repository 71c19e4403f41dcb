"""Risk-coverage curves and the largest coverage at a risk."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.stats.coverage import coverage_at_risk, information_limited_coverage, risk_coverage
from understudy.stats.outlook import wald_limit

SCORED = st.lists(
    st.tuples(st.sampled_from([0.1, 0.5, 0.9]) | st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=60
).map(lambda rows: (np.array([row[0] for row in rows]), np.array([row[1] for row in rows])))


@given(scored=SCORED)
def test_each_point_is_the_mean_loss_of_the_drafts_at_or_above_the_threshold(
    scored: tuple[np.ndarray, np.ndarray],
) -> None:
    scores, losses = scored
    curve = risk_coverage(scores, losses)
    assert curve.thresholds.tolist() == sorted(set(scores.tolist()), reverse=True)
    for threshold, coverage, risk in zip(curve.thresholds, curve.coverage, curve.risk, strict=True):
        assert coverage == pytest.approx((scores >= threshold).mean())
        assert risk == pytest.approx(losses[scores >= threshold].mean())


@given(scored=SCORED, seed=st.integers(0, 1000))
def test_order_of_the_drafts_does_not_matter(scored: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    scores, losses = scored
    order = np.random.default_rng(seed).permutation(scores.size)
    one, other = risk_coverage(scores, losses), risk_coverage(scores[order], losses[order])
    assert one.risk == pytest.approx(other.risk)
    assert one.area == pytest.approx(other.area)


@given(scored=SCORED, target=st.floats(0.01, 0.99))
def test_coverage_at_a_risk_keeps_it(scored: tuple[np.ndarray, np.ndarray], target: float) -> None:
    curve = risk_coverage(*scored)
    coverage = coverage_at_risk(curve, target)
    if coverage:
        assert curve.risk[curve.coverage == coverage][0] <= target
    assert (curve.risk[curve.coverage > coverage] > target).all()


def test_a_perfect_score_has_less_area_than_a_useless_one() -> None:
    losses = np.r_[np.zeros(90), np.ones(10)]
    assert risk_coverage(-losses, losses).area < 0.02
    assert risk_coverage(np.zeros(100), losses).area == pytest.approx(0.1)


def test_information_limit_is_the_wald_limit_of_the_labels_covered() -> None:
    scores, losses = np.linspace(1, 0, 1000), np.full(1000, 0.01)
    curve = risk_coverage(scores, losses)
    limit = wald_limit(0.01, target=0.05, delta=0.05)
    coverage = information_limited_coverage(curve, math.ceil(2 * limit), target=0.05, delta=0.05)
    assert coverage == 1.0
    assert information_limited_coverage(curve, math.floor(limit) - 1, target=0.05, delta=0.05) == 0.0


@given(scored=SCORED, labels=st.integers(0, 5000))
def test_more_labels_never_limit_more_and_never_pass_the_oracle(
    scored: tuple[np.ndarray, np.ndarray], labels: int
) -> None:
    curve = risk_coverage(*scored)
    few, many = (information_limited_coverage(curve, n, target=0.3, delta=0.05) for n in (labels, labels + 500))
    assert few <= many <= coverage_at_risk(curve, 0.3)


@pytest.mark.parametrize(("scores", "losses"), [([], []), ([0.5], [0.1, 0.2]), ([math.nan], [0.0])])
def test_scores_without_losses_are_refused(scores: list[float], losses: list[float]) -> None:
    with pytest.raises(ValueError, match=r"one loss|must be numbers"):
        risk_coverage(scores, losses)


@given(scored=SCORED)
def test_a_weight_is_as_good_as_so_many_copies(scored: tuple[np.ndarray, np.ndarray]) -> None:
    scores, losses = scored
    weights = 1 + np.arange(len(scores)) % 3
    weighed = risk_coverage(scores, losses, weights=weights)
    copied = risk_coverage(np.repeat(scores, weights), np.repeat(losses, weights))
    assert weighed.thresholds.tolist() == copied.thresholds.tolist()
    assert weighed.coverage.tolist() == pytest.approx(copied.coverage.tolist())
    assert weighed.risk.tolist() == pytest.approx(copied.risk.tolist())


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0], [1.0, math.inf]])
def test_weights_that_are_none_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        risk_coverage([0.5, 0.6], [0.0, 1.0], weights=weights)
