"""The gate: seldom wrong at the margin, quick where the difference is clear, and its interval says what it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.records import codec
from understudy.stats.gate import (
    STAKES,
    Gate,
    Pairs,
    clustered_error,
    fixed_pairs,
    interval,
    judge,
    log_mean,
    wealth_paths,
)
from understudy.stats.sprt import Outcome

GATE = Gate()
DIFFERENCES = st.lists(st.sampled_from([-1.0, 0.0, 1.0, 0.1, -0.1]) | st.floats(-1, 1), max_size=80)


@given(share=st.floats(0, 1), worst=st.floats(0.04, 1))
def test_bets_on_a_pass_do_not_grow_on_average_at_the_margin(share: float, worst: float) -> None:
    high = max(GATE.margin, worst)
    low = -share
    chance = (GATE.margin - low) / (high - low) if high > low else 1.0
    passing, _ = wealth_paths(GATE, np.array([[high], [low]]))
    growth = chance * np.exp(passing[0, 0]) + (1 - chance) * np.exp(passing[1, 0])
    assert growth == pytest.approx(np.ones(7))


@given(differences=DIFFERENCES, cut=st.integers(0, 80))
def test_pairs_in_any_portions_give_the_same_record_bit_for_bit(differences: list[float], cut: int) -> None:
    whole = judge(GATE, Pairs(), differences)
    assert judge(GATE, judge(GATE, Pairs(), differences[:cut]), differences[cut:]) == whole
    assert codec.load(Pairs, codec.dump(whole)) == whole


@given(later=DIFFERENCES)
def test_a_decision_stays_whatever_comes_later(later: list[float]) -> None:
    passed = judge(GATE, Pairs(), [-1.0] * 30)
    assert passed.outcome is Outcome.PASS
    assert judge(GATE, passed, later) == passed


def test_a_clear_regression_fails_soon() -> None:
    failed = judge(GATE, Pairs(), [0.0, 1.0] * 30)
    assert failed.outcome is Outcome.FAIL
    assert failed.pairs <= 14


def test_identical_losses_pass_after_a_while() -> None:
    passed = judge(GATE, Pairs(), [0.0] * 500)
    assert passed.outcome is Outcome.PASS
    wealth = [sum((1 + stake * 0.03) ** pairs for stake in STAKES) / len(STAKES) for pairs in (163, 164)]
    assert wealth[0] < 20 <= wealth[1]
    assert passed.pairs == 164


def test_too_few_pairs_are_inconclusive() -> None:
    assert judge(GATE, Pairs(), [0.0] * 30).outcome is Outcome.INCONCLUSIVE


def test_pairs_beyond_the_limit_are_not_used() -> None:
    few = Gate(pairs_max=20)
    assert judge(few, judge(few, Pairs(), [0.0] * 15), [0.0] * 400).pairs == 20


def test_progress_reaches_one_with_the_decision() -> None:
    passed = judge(GATE, Pairs(), [-1.0] * 30)
    assert passed.progress(GATE)[0] >= 1 > passed.progress(GATE)[1]


@given(differences=DIFFERENCES.filter(bool))
def test_interval_and_gate_say_the_same(differences: list[float]) -> None:
    low, high = interval(differences)
    passing, failing = wealth_paths(GATE, np.array(differences))
    edges = abs(high - GATE.margin) < 1e-9 or abs(low) < 1e-9
    assert edges or (high < GATE.margin) == bool(log_mean(passing[-1]) >= math.log(20))
    assert edges or (low > 0) == bool(log_mean(failing[-1]) >= math.log(20))


@given(differences=DIFFERENCES)
def test_interval_holds_the_mean_and_mirrors(differences: list[float]) -> None:
    low, high = interval(differences)
    mean = float(np.mean(differences)) if differences else 0.0
    assert -1 <= low <= mean + 1e-9
    assert mean - 1e-9 <= high <= 1
    assert interval([-d for d in differences]) == pytest.approx((-high, -low))


def test_no_pairs_leave_everything_possible() -> None:
    assert interval([]) == (-1.0, 1.0)


@pytest.mark.parametrize("seed", [71])
@pytest.mark.parametrize("mean", [-0.3, 0.1])
def test_interval_misses_the_mean_seldom_although_it_is_looked_at_often(seed: int, mean: float) -> None:
    rng, runs = np.random.default_rng(seed), 200
    chances = {-1.0: 0.3, 1.0: 0.2, 0.0: 0.5}
    values = np.array(list(chances))
    shares = np.array(list(chances.values()))
    values = values - shares @ values
    values = values * 0.6 + mean
    draws = rng.choice(values, size=(runs, 400), p=shares)
    missed = np.zeros((runs, 2), dtype=bool)
    for looked in (30, 100, 400):
        for run in range(runs):
            low, high = interval(draws[run, :looked])
            missed[run] |= (low > mean, high < mean)
    assert missed.mean(axis=0).max() <= 0.05


def suite(rng: np.random.Generator, cases: int = 300) -> np.ndarray:
    """How often each of so many flaky cases fails: 8 % on average, most of them hardly ever."""
    chances = rng.beta(0.31, 3.56, cases)
    return chances * 0.08 / chances.mean()


@pytest.mark.parametrize("seed", [72])
@pytest.mark.parametrize("is_cached", [True, False])
def test_a_candidate_at_the_margin_seldom_passes(seed: int, is_cached: bool) -> None:
    found = outcomes(np.random.default_rng(seed), 0.03, 1000, is_cached=is_cached)
    assert np.mean(found == Outcome.PASS) <= 0.05
    assert np.mean(found == Outcome.FAIL) >= 0.85


@pytest.mark.parametrize("seed", [73])
def test_an_equal_candidate_passes_and_seldom_fails(seed: int) -> None:
    found = outcomes(np.random.default_rng(seed), 0.0, 1000, is_cached=True)
    assert np.mean(found == Outcome.FAIL) <= 0.05
    assert np.mean(found == Outcome.PASS) >= 0.9


def outcomes(rng: np.random.Generator, effect: float, runs: int, *, is_cached: bool) -> np.ndarray:
    """Verdicts on a candidate that fails so much more often than the baseline was seen to, in so many runs."""
    found = np.empty(runs, dtype=object)
    for run in range(runs):
        base = np.minimum(suite(rng), 1.0)
        seen = rng.binomial(10, base) / 10 if is_cached else base
        candidate = base + (1 - base) * (effect + seen.mean() - base.mean()) / (1 - base.mean())
        drawn = rng.integers(0, base.size, 3000)
        of_base = seen[drawn] if is_cached else (rng.random(3000) < base[drawn]).astype(float)
        found[run] = judge(GATE, Pairs(), (rng.random(3000) < candidate[drawn]) - of_base).outcome
    return found


def test_clustered_error_without_clusters_is_the_plain_one() -> None:
    differences = np.random.default_rng(1).normal(0, 0.2, 400)
    plain = differences.std() / 20
    assert clustered_error(differences, range(400)) == pytest.approx(plain)


def test_clustered_error_of_repeated_pairs_is_that_of_the_pairs() -> None:
    once = np.random.default_rng(1).normal(0, 0.2, 100)
    thrice = np.repeat(once, 3)
    assert clustered_error(thrice, np.repeat(np.arange(100), 3).tolist()) == pytest.approx(once.std() / 10)


@pytest.mark.parametrize(("power", "pairs"), [(0.8, 804), (0.9, 1114)])
def test_the_fixed_design_needs_the_pinned_number_of_pairs(power: float, pairs: int) -> None:
    assert fixed_pairs(0.3421, GATE, power=power) == pytest.approx(pairs, rel=0.003)


@pytest.mark.parametrize("differences", [[0.0, 1.5], [-1.1], [math.nan]])
def test_differences_outside_their_range_are_refused(differences: list[float]) -> None:
    for refusing in (lambda: judge(GATE, Pairs(), differences), lambda: interval(differences)):
        with pytest.raises(ValueError, match="differences must be"):
            refusing()


@pytest.mark.parametrize("wrong", [{"margin": 0.0}, {"margin": 1.1}, {"pairs_max": 0}, {"delta": 0.0}])
def test_a_gate_that_could_not_decide_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"margin|delta"):
        Gate(**wrong)


def test_clusters_must_be_given_for_each_pair() -> None:
    with pytest.raises(ValueError, match="one cluster"):
        clustered_error([0.1, 0.2], ["a"])
