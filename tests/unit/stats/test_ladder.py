"""The ladder: what it certifies, that order and portions do not matter to it, and that it is seldom wrong."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.records import codec
from understudy.stats.betting import Wealth, labels_needed, level, log_mixture
from understudy.stats.ladder import (
    Ladder,
    Rungs,
    certified_threshold,
    climb,
    fallback,
    foot,
    one_look,
    standing,
    wealth_paths,
)

THRESHOLDS = (0.9, 0.7, 0.5, 0.3, 0.1)
LADDER = Ladder(thresholds=THRESHOLDS, shares=(0.1, 0.0, 0.6, 0.3, 0.0), target=0.05)
LABELS = st.lists(st.tuples(st.floats(0, 1), st.sampled_from([0.0, 0.2, 0.5, 1.0]) | st.floats(0, 1)), max_size=60).map(
    lambda pairs: (np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs]))
)
LOG_P = st.lists(st.floats(-12, 0), min_size=6, max_size=6).map(np.array)


@given(labels=LABELS)
def test_each_rung_is_the_wealth_of_the_labels_that_reach_it(labels: tuple[np.ndarray, np.ndarray]) -> None:
    scores, losses = labels
    rungs = climb(LADDER, foot(LADDER), scores, losses)
    for k, threshold in enumerate(THRESHOLDS):
        alone = Wealth(target=0.05).after(losses[scores >= threshold])
        assert rungs.labels[k] == alone.labels
        assert rungs.loss_sums[k] == alone.loss_sum
        assert rungs.log_wealth[5 * k : 5 * k + 5] == alone.log_wealth
        assert rungs.log_peaks[k] == alone.log_peak


@given(labels=LABELS, cuts=st.lists(st.integers(0, 60), max_size=5))
def test_labels_in_any_portions_give_the_same_rungs_bit_for_bit(
    labels: tuple[np.ndarray, np.ndarray], cuts: list[int]
) -> None:
    scores, losses = labels
    portioned, start = foot(LADDER), 0
    for end in sorted({*(cut for cut in cuts if cut <= scores.size), scores.size}):
        portioned = climb(LADDER, portioned, scores[start:end], losses[start:end])
        start = end
    assert portioned == climb(LADDER, foot(LADDER), scores, losses)


def test_a_long_history_gives_the_same_rungs_at_once_as_in_portions() -> None:
    rng = np.random.default_rng(3)
    scores, losses = rng.random(10_000), (rng.random(10_000) < 0.03).astype(float)
    portioned = foot(LADDER)
    for start in range(0, 10_000, 777):
        portioned = climb(LADDER, portioned, scores[start : start + 777], losses[start : start + 777])
    assert portioned == climb(LADDER, foot(LADDER), scores, losses)


@given(labels=LABELS)
def test_rungs_go_through_json_and_back_exactly(labels: tuple[np.ndarray, np.ndarray]) -> None:
    rungs = climb(LADDER, foot(LADDER), *labels)
    assert codec.load(Rungs, codec.dump(rungs)) == rungs
    assert codec.load(Ladder, codec.dump(LADDER)) == LADDER


@given(labels=LABELS, more=LABELS)
def test_a_certified_threshold_stays_certified(
    labels: tuple[np.ndarray, np.ndarray], more: tuple[np.ndarray, np.ndarray]
) -> None:
    clean = climb(LADDER, foot(LADDER), np.full(100, 0.6), np.zeros(100))
    before = climb(LADDER, clean, *labels)
    after = climb(LADDER, before, *more)
    assert all(now or not then for then, now in zip(standing(LADDER, before), standing(LADDER, after), strict=True))


def test_one_threshold_needs_the_labels_of_the_certificate_table() -> None:
    single = Ladder(thresholds=(0.0,), shares=(1.0,), target=0.02)
    for bad in range(4):
        needed = labels_needed(bad, target=0.02, delta=0.05)
        losses = np.r_[np.ones(bad), np.zeros(needed - bad)]
        enough = climb(single, foot(single), np.ones(needed), losses)
        assert certified_threshold(single, enough) == 0.0
        one_less = climb(single, foot(single), np.ones(needed - 1), losses[:-1])
        assert certified_threshold(single, one_less) is None


def test_the_laxest_certified_threshold_counts() -> None:
    peaks = (9.0, 0.0, 9.0, 9.0, 0.0)
    rungs = Rungs(labels=(1,) * 5, loss_sums=(0.0,) * 5, log_wealth=(0.0,) * 25, log_peaks=peaks)
    assert standing(LADDER, rungs) == (True, False, True, True, False)
    assert certified_threshold(LADDER, rungs) == 0.3


@given(log_p=LOG_P)
def test_all_of_the_share_on_the_strictest_is_fixed_sequence_testing(log_p: np.ndarray) -> None:
    in_sequence = np.cumprod(log_p <= math.log(0.05)).astype(bool)
    assert (fallback(log_p, (1.0, 0, 0, 0, 0, 0), 0.05) == in_sequence).all()


@given(log_p=LOG_P)
def test_equal_shares_reject_all_that_bonferroni_rejects(log_p: np.ndarray) -> None:
    rejected = fallback(log_p, (1 / 6,) * 6, 0.05)
    assert (rejected | ~(log_p <= math.log(0.05 / 6))).all()


@given(log_p=LOG_P, weights=st.lists(st.floats(0, 1), min_size=6, max_size=6).filter(any))
def test_each_hypothesis_is_tested_at_the_shares_since_the_last_one_that_stood(
    log_p: np.ndarray, weights: list[float]
) -> None:
    shares = tuple(weight / sum(weights) for weight in weights)
    rejected, spent = fallback(log_p, shares, 0.05), 0.0
    for k, share in enumerate(shares):
        spent += share * 0.05
        assert rejected[k] == (spent > 0 and log_p[k] <= math.log(spent))
        spent = spent if rejected[k] else 0.0


@given(peaks=st.lists(st.floats(0, 9), min_size=5, max_size=5))
def test_standing_is_the_fallback_on_the_highest_wealth(peaks: list[float]) -> None:
    rungs = replace(foot(LADDER), log_peaks=tuple(peaks))
    assert standing(LADDER, rungs) == tuple(fallback(-np.array(peaks), LADDER.shares, LADDER.delta).tolist())


@given(log_p=LOG_P)
def test_fallback_works_on_many_slices_at_once(log_p: np.ndarray) -> None:
    shares = (0.1, 0, 0.6, 0, 0.3, 0)
    both = fallback(np.stack([log_p, log_p[::-1]]), shares, 0.05)
    assert (both[0] == fallback(log_p, shares, 0.05)).all()
    assert (both[1] == fallback(log_p[::-1], shares, 0.05)).all()


@pytest.mark.parametrize("seed", [5])
def test_thresholds_whose_risk_is_the_target_are_seldom_certified_by_looking_at_each_label(seed: int) -> None:
    rng, runs, horizon = np.random.default_rng(seed), 1000, 1200
    scores, losses = rng.random((runs, horizon)), (rng.random((runs, horizon)) < 0.05).astype(float)
    peaks = np.zeros((runs, 5))
    for start in range(0, runs, 50):
        paths = wealth_paths(LADDER, scores[start : start + 50], losses[start : start + 50])
        peaks[start : start + 50] = log_mixture(paths).max(axis=1)
    wrong = fallback(-peaks, LADDER.shares, LADDER.delta).any(axis=1).mean()
    assert wrong <= 0.05
    assert (peaks >= level(0.05)).any(axis=1).mean() > 0.05  # without shares it would be wrong too often


@pytest.mark.parametrize(
    "wrong",
    [
        {"thresholds": (0.5, 0.5), "shares": (0.5, 0.5)},
        {"thresholds": (0.1, 0.5), "shares": (0.5, 0.5)},
        {"thresholds": (0.5, math.nan), "shares": (0.5, 0.5)},
        {"thresholds": (), "shares": ()},
        {"thresholds": (0.5, 0.1), "shares": (1.5, -0.5)},
        {"thresholds": (0.5, 0.1), "shares": (1.0,)},
        {"thresholds": (0.5, 0.1), "shares": (0.5, 0.4)},
        {"thresholds": (0.5, 0.1), "shares": (0.5, 0.5), "target": 0.0},
        {"thresholds": (0.5, 0.1), "shares": (0.5, 0.5), "delta": 1.0},
    ],
)
def test_a_ladder_without_guarantee_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"thresholds|share|target|delta"):
        Ladder(**{"target": 0.05} | wrong)


@pytest.mark.parametrize(("scores", "losses"), [([0.5], [0.0, 1.0]), ([math.nan], [0.0]), ([[0.5]], [[0.0]])])
def test_labels_without_score_or_loss_are_refused(scores: list[float], losses: list[float]) -> None:
    with pytest.raises(ValueError, match="one score and one loss"):
        climb(LADDER, foot(LADDER), scores, losses)


def test_graded_losses_cannot_have_a_single_look() -> None:
    with pytest.raises(ValueError, match="0 or 1"):
        one_look(LADDER, [0.5], [0.2])
