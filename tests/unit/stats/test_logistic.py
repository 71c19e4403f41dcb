"""The score: the optimum of its loss, what it does with few labels, and that its parts add up."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from understudy.records import codec
from understudy.stats.calibration import auroc
from understudy.stats.logistic import Prior, RiskModel, Scaling, fit, learnt_elsewhere, scaling_of, sign_informed

PLAIN = Scaling(centres=(0.0,) * 3, scales=(1.0,) * 3)


def labelled(seed: int, count: int, *, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, spread, (count, 3))
    log_odds = -2 + rows @ np.array([-1.0, -0.5, 0.2])
    return rows, (rng.random(count) < 1 / (1 + np.exp(-log_odds))).astype(float)


@given(
    seed=st.integers(0, 10_000), count=st.integers(1, 200), sd=st.floats(0.05, 5), spread=st.sampled_from([0.1, 1, 30])
)
def test_fit_is_the_optimum_that_a_general_optimiser_finds(seed: int, count: int, sd: float, spread: float) -> None:
    rows, bad = labelled(seed, count, spread=spread)
    prior = Prior(means=(-0.4, 0.0, 0.3), sds=(sd, sd, 2 * sd))
    model = fit(rows, bad, prior=prior, scaling=PLAIN)

    def loss(beta: np.ndarray) -> float:
        log_odds = beta[0] + rows @ beta[1:]
        pulled = (beta - [0.0, *prior.means]) / [5.0, *prior.sds]
        return float((np.logaddexp(0, log_odds) - bad * log_odds).sum() + (pulled**2).sum() / 2)

    best = minimize(loss, np.zeros(4), method="L-BFGS-B", options={"maxiter": 2000}).fun
    assert loss(np.array([model.intercept, *model.weights])) <= best + 1e-6 * (1 + abs(best))


def test_without_labels_the_prior_speaks() -> None:
    model = fit(np.empty((0, 3)), [], prior=sign_informed(2, topics=1), scaling=PLAIN)
    assert (model.weights, model.intercept) == ((-0.45, -0.45, 0.0), 0.0)


def test_many_labels_overrule_the_prior() -> None:
    rows, bad = labelled(1, 60_000)
    model = fit(rows, bad, prior=sign_informed(3), scaling=PLAIN)
    assert model.weights == pytest.approx((-1.0, -0.5, 0.2), abs=0.06)
    assert model.intercept == pytest.approx(-2, abs=0.06)


def test_few_labels_with_a_prior_sort_better_than_without_one() -> None:
    rows, bad = labelled(2, 5000)
    gains = []
    for seed in range(30):
        few, few_bad = labelled(1000 + seed, 40)
        informed, ignorant = (
            fit(few, few_bad, prior=prior, scaling=PLAIN)
            for prior in (sign_informed(2, topics=1), Prior(means=(0,) * 3, sds=(9,) * 3))
        )
        gains.append(auroc(informed.risks(rows), bad) - auroc(ignorant.risks(rows), bad))
    assert np.mean(gains) > 0.01


def test_perfectly_separated_labels_do_not_run_away() -> None:
    rows = np.array([[-1.0, 0, 0], [1.0, 0, 0]] * 20)
    model = fit(rows, [1.0, 0.0] * 20, prior=sign_informed(3), scaling=PLAIN)
    assert -2.5 < model.weights[0] < -0.45


def test_a_label_that_counts_twice_is_two_labels() -> None:
    rows, bad = labelled(3, 50)
    prior = sign_informed(3)
    doubled = fit(np.vstack([rows, rows]), np.r_[bad, bad], prior=prior, scaling=PLAIN)
    assert fit(rows, bad, prior=prior, scaling=PLAIN, counts=[2.0] * 50).weights == pytest.approx(doubled.weights)


@given(row=st.lists(st.floats(-50, 50), min_size=3, max_size=3))
def test_contributions_add_up_to_the_risk(row: list[float]) -> None:
    scaling = Scaling(centres=(1.0, 0.0, -2.0), scales=(2.0, 1.0, 0.5))
    model = RiskModel(scaling=scaling, weights=(-1.0, 0.3, 0.8), intercept=-2.0)
    log_odds = -2.0 + sum(model.contributions(row))
    assert model.log_odds(row) == pytest.approx(log_odds)
    assert model.risk(row) == pytest.approx(1 / (1 + math.exp(-log_odds)), rel=1e-6)
    assert model.risks([row])[0] == pytest.approx(model.risk(row), abs=1e-12)


def test_an_average_draft_has_no_contributions() -> None:
    rows, _ = labelled(4, 100)
    scaling = scaling_of(rows)
    model = RiskModel(scaling=scaling, weights=(1.0, 1.0, 1.0), intercept=0.0)
    assert model.contributions(rows.mean(axis=0).tolist()) == pytest.approx((0, 0, 0))


@pytest.mark.parametrize("log_odds", [-1000.0, -700.0, 0.0, 700.0, 1000.0])
def test_extreme_features_give_a_probability(log_odds: float) -> None:
    model = RiskModel(scaling=Scaling(centres=(0.0,), scales=(1.0,)), weights=(1.0,), intercept=0.0)
    assert 0 <= model.risk([log_odds]) <= 1
    assert 0 <= model.risks([[log_odds]])[0] <= 1


def test_traffic_is_scaled_to_mean_zero_and_deviation_one() -> None:
    rows = np.column_stack([labelled(5, 400)[0] * 3 + 7, np.full(400, 5.0), np.arange(400) % 2])
    scaling = scaling_of(rows, as_they_are=[4])
    scaled = (rows - scaling.centres) / scaling.scales
    assert scaled[:, :3].mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-9)
    assert scaled[:, :3].std(axis=0) == pytest.approx(np.ones(3))
    assert (scaling.centres[3:], scaling.scales[3:]) == ((0.0, 0.0), (1.0, 1.0))


def test_model_goes_through_json_and_back_exactly() -> None:
    model = fit(*labelled(6, 80), prior=learnt_elsewhere((-0.5, -0.3), topics=1), scaling=PLAIN)
    assert codec.load(RiskModel, codec.dump(model)) == model


@pytest.mark.parametrize(
    "wrong",
    [
        {"features": [[0.0, 0.0]]},
        {"features": [[0.0, 0.0, math.nan]]},
        {"bad": [2.0]},
        {"bad": [0.0, 1.0]},
        {"counts": [0.0]},
        {"counts": [1.0, 1.0]},
    ],
)
def test_labels_that_do_not_fit_are_refused(wrong: dict[str, list[float]]) -> None:
    right = {"features": [[0.0, 0.0, 0.0]], "bad": [1.0], "prior": sign_informed(3), "scaling": PLAIN}
    with pytest.raises(ValueError, match=r"do not fit|must be|broadcast"):
        fit(**right | wrong)


@pytest.mark.parametrize("sds", [(0.0,), (-1.0,), (1.0, 1.0), (math.nan,)])
def test_an_impossible_prior_is_refused(sds: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="one mean and one sd"):
        Prior(means=(0.0,), sds=sds)


def test_scaling_needs_traffic() -> None:
    with pytest.raises(ValueError, match="at least one draft"):
        scaling_of(np.empty((0, 3)))
