"""Wilson's and Newcombe's intervals: published values, and what holds for every count."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.stats.proportion import difference, wilson, z_of

counts = st.integers(1, 5000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


@pytest.mark.parametrize(
    ("count", "of", "low", "high"), [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)]
)
def test_published_intervals(count: int, of: int, low: float, high: float) -> None:
    """R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17, 1998, table I."""
    assert wilson(count, of) == pytest.approx((low, high), abs=5e-5)


def test_published_difference() -> None:
    """Newcombe's table II (a): 56/70 against 48/80, method 10."""
    assert difference(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@given(counts)
def test_an_interval_has_its_share_inside_and_stays_between_0_and_1(case: tuple[int, int]) -> None:
    count, of = case
    low, high = wilson(count, of)
    assert 0 <= low <= count / of <= high <= 1
    mirrored = wilson(of - count, of)
    assert (1 - high, 1 - low) == pytest.approx(mirrored)


@given(counts, counts)
def test_a_difference_is_the_other_way_round_the_other_way_round(one: tuple[int, int], other: tuple[int, int]) -> None:
    low, high = difference(*one, *other)
    back = difference(*other, *one)
    assert (low, high) == pytest.approx((-back[1], -back[0]))
    assert -1 <= low <= one[0] / one[1] - other[0] / other[1] <= high <= 1


def test_less_confidence_is_a_narrower_interval_and_nothing_says_nothing() -> None:
    assert wilson(5, 50, delta=0.2)[0] > wilson(5, 50, delta=0.01)[0]
    assert wilson(0, 0) == (0.0, 1.0)
    assert difference(1, 2, 0, 0) == (-1.0, 1.0)


@pytest.mark.parametrize("delta", [0.0, 1.0, -1.0])
def test_confidence_is_between_0_and_1(delta: float) -> None:
    with pytest.raises(ValueError, match="delta"):
        z_of(delta)


def test_more_than_all_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and of"):
        wilson(3, 2)


def test_two_equal_shares_are_seldom_called_different() -> None:
    draw = random.Random(7)
    wrong = 0
    for _ in range(1000):
        one, other = (sum(draw.random() < 0.3 for _ in range(150)) for _ in range(2))
        low, high = difference(one, 150, other, 150, delta=0.05)
        wrong += low > 0 or high < 0
    assert 20 <= wrong <= 80  # 50 of 1,000, give or take
