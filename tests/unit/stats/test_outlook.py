"""The exact outlook: how often a certificate is false, and how many labels a true one takes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from understudy.stats.betting import labels_needed, level, log_e, observed_target
from understudy.stats.binomial import at_most_p
from understudy.stats.outlook import certified_by, divergence, most_bad, outlook, wald_limit


def test_false_certification_at_the_target_is_close_to_but_below_delta() -> None:
    odds = outlook(0.02, target=0.02, delta=0.05, horizon=3000).certified_by[-1]
    assert 0.03 < odds <= 0.05


def test_mean_labels_at_a_quarter_of_the_target_are_the_pinned_ones() -> None:
    assert 395 <= outlook(0.005, target=0.02, delta=0.05, horizon=6000).mean_labels <= 425


@pytest.mark.parametrize(
    ("target", "share", "median", "times_limit"),
    [
        (0.01, 0.25, 667, 1.12),
        (0.01, 0.5, 1918, 1.17),
        (0.02, 0.25, 332, 1.12),
        (0.02, 0.5, 956, 1.17),
        (0.05, 0.25, 131, 1.12),
        (0.05, 0.5, 379, 1.18),
    ],
)
def test_labels_to_certify_are_the_pinned_ones(target: float, share: float, median: int, times_limit: float) -> None:
    risk = share * target
    found = outlook(risk, target=target, delta=0.05, horizon=round(130 / target))
    assert found.certified_by[-1] > 0.9999
    assert found.labels_for(0.5) == median
    assert found.mean_labels / wald_limit(risk, target=target, delta=0.05) == pytest.approx(times_limit, abs=0.006)


@pytest.mark.parametrize(("sensitivity", "risk", "naive"), [(0.7, 0.02, 0.81), (0.7, 0.026, 0.11), (0.5, 0.026, 0.93)])
def test_reviewers_who_miss_bad_drafts_make_false_certificates_until_the_target_is_corrected(
    sensitivity: float, risk: float, naive: float
) -> None:
    seen, corrected = risk * sensitivity, observed_target(0.02, sensitivity)
    assert outlook(seen, target=0.02, delta=0.05, horizon=6000).certified_by[-1] == pytest.approx(naive, abs=0.01)
    assert outlook(seen, target=corrected, delta=0.05, horizon=6000).certified_by[-1] <= 0.05


@pytest.mark.parametrize(("sensitivity", "median"), [(1.0, 332), (0.9, 369), (0.7, 475), (0.5, 667)])
def test_reviewers_who_miss_bad_drafts_cost_labels(sensitivity: float, median: int) -> None:
    found = outlook(0.005 * sensitivity, target=0.02 * sensitivity, delta=0.05, horizon=4000)
    assert found.labels_for(0.5) == pytest.approx(median, abs=2)


@pytest.mark.parametrize("seed", [7])
def test_outlook_agrees_with_a_simulation(seed: int) -> None:
    runs, horizon = 4000, 400
    bad = np.cumsum(np.random.default_rng(seed).random((runs, horizon)) < 0.0125, axis=1)
    wealth = log_e(np.arange(1, horizon + 1), bad, target=0.05)
    certified = np.maximum.accumulate(wealth, axis=1) >= level(0.05)
    exact = outlook(0.0125, target=0.05, delta=0.05, horizon=horizon).certified_by[1:]
    assert np.abs(certified.mean(axis=0) - exact).max() < 4 * math.sqrt(0.25 / runs)


def test_boundary_is_the_certificate_table_read_the_other_way() -> None:
    boundary = most_bad(600, target=0.02, delta=0.05)
    for bad in range(4):
        assert int(np.argmax(boundary >= bad)) == labels_needed(bad, target=0.02, delta=0.05)


@pytest.mark.parametrize(("share", "labels"), [(0.25, 7.4), (0.5, 19.5), (0.75, 88)])
def test_wald_limit_for_a_small_target_is_the_pinned_one(share: float, labels: float) -> None:
    assert wald_limit(share * 1e-4, target=1e-4, delta=0.05) * 1e-4 == pytest.approx(labels, rel=0.01)


def test_no_number_of_labels_certifies_a_risk_at_the_target() -> None:
    assert wald_limit(0.02, target=0.02, delta=0.05) == math.inf


def test_a_bound_for_one_look_is_wrong_far_too_often_when_it_is_looked_at_after_each_label() -> None:
    labels, bad = np.arange(1, 3001)[:, None], np.arange(90)[None, :]
    p = at_most_p(np.minimum(bad, labels), labels, target=0.02)
    peeking = np.r_[-1, (p <= 0.05).sum(axis=1) - 1]
    assert 0.15 < certified_by(0.02, peeking)[-1] < 0.25


def test_a_risk_of_nothing_takes_the_fewest_labels() -> None:
    found = outlook(0.0, target=0.02, delta=0.05, horizon=300)
    assert found.labels_for(1.0) == 189
    assert found.mean_labels == 189


def test_a_short_horizon_gives_no_number() -> None:
    assert outlook(0.01, target=0.02, delta=0.05, horizon=100).labels_for(0.5) is None


def test_divergence_of_certain_losses_is_finite() -> None:
    assert divergence(1.0, 0.5) == pytest.approx(math.log(2))
    assert divergence(0.0, 0.5) == pytest.approx(math.log(2))


def test_an_impossible_risk_is_refused() -> None:
    with pytest.raises(ValueError, match="risk must be"):
        outlook(1.5, target=0.02, delta=0.05, horizon=10)
