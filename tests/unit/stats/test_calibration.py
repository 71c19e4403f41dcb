"""Figures about probabilities, beside scikit-learn's and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from understudy.stats.calibration import auroc, brier_score, expected_calibration_error, log_loss, reliability

FORECASTS = st.lists(
    st.tuples(st.floats(0, 1) | st.sampled_from([0.25, 0.5]), st.sampled_from([0.0, 1.0])), min_size=1, max_size=80
).map(lambda rows: (np.array([row[0] for row in rows]), np.array([row[1] for row in rows])))


@given(forecasts=FORECASTS)
def test_auroc_is_that_of_scikit_learn(forecasts: tuple[np.ndarray, np.ndarray]) -> None:
    predicted, happened = forecasts
    ours = auroc(predicted, happened)
    if happened.min() == happened.max():
        assert ours is None
    else:
        assert ours == pytest.approx(metrics.roc_auc_score(happened, predicted))


@given(forecasts=FORECASTS)
def test_brier_score_is_that_of_scikit_learn(forecasts: tuple[np.ndarray, np.ndarray]) -> None:
    predicted, happened = forecasts
    assert brier_score(predicted, happened) == pytest.approx(metrics.brier_score_loss(happened, predicted))


def test_log_loss_is_the_mean_surprise() -> None:
    assert log_loss([0.5, 0.25], [1, 0]) == pytest.approx((math.log(2) - math.log(0.75)) / 2)
    assert log_loss([0.0], [1]) == math.inf
    assert log_loss([0.0, 1.0], [0, 1]) == 0


@given(forecasts=FORECASTS)
def test_reliability_table_holds_every_forecast_once(forecasts: tuple[np.ndarray, np.ndarray]) -> None:
    predicted, happened = forecasts
    table = reliability(predicted, happened)
    assert sum(row.count for row in table) == predicted.size
    assert sum(row.count * row.happened for row in table) == pytest.approx(happened.sum())
    for row in table:
        assert row.low - 1e-9 <= row.predicted <= row.high + 1e-9
        assert row.happened_low <= row.happened <= row.happened_high


@given(forecasts=FORECASTS)
def test_calibration_error_is_the_weighted_gap_of_the_reliability_table(
    forecasts: tuple[np.ndarray, np.ndarray],
) -> None:
    predicted, happened = forecasts
    gaps = [row.count * abs(row.predicted - row.happened) for row in reliability(predicted, happened)]
    assert expected_calibration_error(predicted, happened) == pytest.approx(sum(gaps) / predicted.size, abs=1e-12)


def test_honest_forecasts_have_almost_no_calibration_error() -> None:
    rng = np.random.default_rng(1)
    predicted = rng.random(50_000)
    assert expected_calibration_error(predicted, rng.random(50_000) < predicted) < 0.01
    assert expected_calibration_error(predicted**2, rng.random(50_000) < predicted) > 0.1


@pytest.mark.parametrize(
    ("predicted", "happened"), [([], []), ([0.5], [0, 1]), ([1.5], [1]), ([math.nan], [1]), ([0.5], [0.5])]
)
def test_forecasts_without_an_outcome_each_are_refused(predicted: list[float], happened: list[float]) -> None:
    with pytest.raises(ValueError, match=r"one outcome|must be"):
        brier_score(predicted, happened)


def test_a_table_without_bins_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one bin"):
        reliability([0.5], [1], bins=0)
