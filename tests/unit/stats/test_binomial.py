"""Exact bounds for one look: the published ones, what they promise, and what they are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from understudy.stats import binomial
from understudy.stats.betting import risk_upper


@pytest.mark.parametrize(("caught", "seeded", "bound"), [(72, 80, 0.81), (18, 20, 0.68), (0, 20, 0.0)])
def test_sensitivity_from_seeded_drafts_is_the_pinned_one(caught: int, seeded: int, bound: float) -> None:
    assert binomial.sensitivity_lower(caught, seeded) == pytest.approx(bound, abs=0.005)


def test_sensitivity_that_nobody_measured_is_assumed() -> None:
    assert binomial.sensitivity_lower(0, 0) == 0.7


def test_zero_in_many_rules_out_three_over_their_number_at_one_look() -> None:
    assert binomial.zero_upper(10_000, delta=0.05) * 10_000 == pytest.approx(3.0, abs=0.01)


@given(labels=st.integers(1, 500), data=st.data(), delta=st.floats(0.001, 0.3))
def test_upper_bound_is_where_the_tail_has_the_error(labels: int, data: st.DataObject, delta: float) -> None:
    bad = data.draw(st.integers(0, labels - 1))
    bound = binomial.upper(bad, labels, delta=delta)
    assert stats.binom.cdf(bad, labels, bound) == pytest.approx(delta, rel=1e-6)


@given(labels=st.integers(1, 500), data=st.data(), delta=st.floats(0.001, 0.3))
def test_bounds_mirror_each_other(labels: int, data: st.DataObject, delta: float) -> None:
    bad = data.draw(st.integers(0, labels))
    mirrored = 1 - binomial.lower(labels - bad, labels, delta=delta)
    assert binomial.upper(bad, labels, delta=delta) == pytest.approx(mirrored, rel=1e-9)


@given(labels=st.integers(1, 500), data=st.data())
def test_interval_holds_the_observed_share(labels: int, data: st.DataObject) -> None:
    bad = data.draw(st.integers(0, labels))
    low, high = binomial.interval(bad, labels, delta=0.05)
    assert 0 <= low <= bad / labels <= high <= 1


@given(labels=st.integers(1, 500))
def test_zero_bound_is_the_upper_bound_at_zero(labels: int) -> None:
    assert binomial.zero_upper(labels, delta=0.05) == pytest.approx(binomial.upper(0, labels, delta=0.05), rel=1e-9)


@given(labels=st.integers(1, 2000), bad=st.integers(0, 15))
def test_one_look_says_more_than_all_looks_together(labels: int, bad: int) -> None:
    bad = min(bad, labels)
    assert binomial.upper(bad, labels, delta=0.05) <= risk_upper(labels, bad, delta=0.05) + 1e-9


@given(labels=st.integers(0, 500), data=st.data(), target=st.floats(0.001, 0.9))
def test_p_value_is_the_binomial_tail(labels: int, data: st.DataObject, target: float) -> None:
    bad = data.draw(st.integers(0, labels))
    expected = stats.binom.cdf(bad, labels, target)
    assert float(binomial.at_most_p(bad, labels, target=target)) == pytest.approx(expected, rel=1e-9)


def test_p_values_come_for_whole_arrays() -> None:
    assert binomial.at_most_p(np.arange(3), [10, 10, 10], target=0.1).shape == (3,)


def test_no_labels_bound_nothing() -> None:
    assert binomial.interval(0, 0, delta=0.05) == (0.0, 1.0)


@pytest.mark.parametrize(("bad", "labels", "delta"), [(3, 2, 0.05), (-1, 2, 0.05), (0, 2, 0.0), (0, 2, 1.0)])
def test_impossible_counts_are_refused(bad: int, labels: int, delta: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        binomial.upper(bad, labels, delta=delta)


def test_zero_in_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="rules out nothing"):
        binomial.zero_upper(0, delta=0.05)


def test_impossible_counts_have_no_p_value() -> None:
    with pytest.raises(ValueError, match="between 0 and labels"):
        binomial.at_most_p([1, 5], [2, 4], target=0.1)
