"""Cases that must pass: how many clean trials that takes, and how seldom the verdict is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.stats.sprt import Outcome, Sprt


@pytest.mark.parametrize(("unacceptable", "acceptable", "trials"), [(0.10, 0.01, 32), (0.2, 0.02, 15)])
def test_clean_trials_that_pass_are_the_pinned_number(unacceptable: float, acceptable: float, trials: int) -> None:
    test = Sprt(unacceptable=unacceptable, acceptable=acceptable)
    assert test.clean_trials_needed() == trials
    assert test.judge((False,) * trials) is Outcome.PASS
    assert test.judge((False,) * (trials - 1)) is Outcome.INCONCLUSIVE


@given(failed=st.lists(st.booleans(), max_size=60), later=st.lists(st.booleans(), max_size=20))
def test_a_verdict_stays_whatever_comes_later(failed: list[bool], later: list[bool]) -> None:
    outcome = Sprt().judge(tuple(failed))
    if outcome is not Outcome.INCONCLUSIVE:
        assert Sprt().judge((*failed, *later)) is outcome


@pytest.mark.parametrize("seed", [11])
@pytest.mark.parametrize(
    ("risk", "passed", "trials"),
    [(0.5, 0.0, 4), (0.01, 0.98, 41), (0.10, 0.047, 23)],
)
def test_verdicts_come_as_often_and_as_soon_as_pinned(seed: int, risk: float, passed: float, trials: float) -> None:
    outcomes, counts = _simulated(risk, seed)
    assert np.mean(outcomes == Outcome.PASS) == pytest.approx(passed, abs=0.012)
    assert np.mean(counts) == pytest.approx(trials, rel=0.15)


def _simulated(risk: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    test, runs, horizon = Sprt(), 4000, 1500
    failures = np.cumsum(np.random.default_rng(seed).random((runs, horizon)) < risk, axis=1)
    clean, failed = test.log_ratio(1, 0), test.log_ratio(1, 1)
    ratio = (np.arange(1, horizon + 1) - failures) * clean + failures * failed
    ended = (ratio >= np.log(20)) | (ratio <= -np.log(20))
    assert ended.any(axis=1).all()
    first = ended.argmax(axis=1)
    return np.where(ratio[np.arange(runs), first] > 0, Outcome.PASS, Outcome.FAIL), first + 1


@pytest.mark.parametrize("rates", [(0.01, 0.1), (0.1, 0.1), (1.0, 0.1), (0.1, 0.0)])
def test_rates_in_the_wrong_order_are_refused(rates: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="acceptable < unacceptable"):
        Sprt(unacceptable=rates[0], acceptable=rates[1])


def test_impossible_errors_are_refused() -> None:
    with pytest.raises(ValueError, match="errors must be in"):
        Sprt(pass_error=0.0)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and trials"):
        Sprt().log_ratio(2, 3)
