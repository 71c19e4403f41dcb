"""Quantiles of counted values: against the values themselves, and how often the interval has the true one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.stats.quantile import Bin, quantile

bins = st.lists(st.integers(0, 50), min_size=1, max_size=30).filter(any)


def of_width_one(counts: list[int]) -> list[Bin]:
    return [(float(place), float(place + 1), count) for place, count in enumerate(counts)]


@given(bins, st.floats(0.01, 0.99))
def test_a_quantile_lies_in_the_bin_of_its_rank(counts: list[int], q: float) -> None:
    value, low, high = quantile(of_width_one(counts), q)
    below = sum(count for place, count in enumerate(counts) if place + 1 <= value)
    upto = sum(count for place, count in enumerate(counts) if place <= value)
    assert below - 1e-6 <= sum(counts) * q <= upto + 1e-6
    assert low <= value <= high


@given(bins, st.floats(0.01, 0.98))
def test_a_higher_quantile_is_no_smaller_value(counts: list[int], q: float) -> None:
    assert quantile(of_width_one(counts), q)[0] <= quantile(of_width_one(counts), q + 0.01)[0]


def test_order_of_bins_does_not_matter_and_empty_ones_are_none() -> None:
    assert quantile([(3, 4, 2), (9, 10, 0), (0, 1, 2)], 0.5) == quantile([(0, 1, 2), (3, 4, 2)], 0.5)


def test_the_interval_has_the_true_median_as_often_as_it_says() -> None:
    draw = random.Random(3)
    hits = 0
    for _ in range(400):
        counts = [0] * 400
        for _ in range(200):
            counts[min(399, int(draw.expovariate(1.0) * 50))] += 1
        _, low, high = quantile([(place / 50, (place + 1) / 50, n) for place, n in enumerate(counts)], 0.5)
        hits += low <= 0.6931 <= high
    assert hits >= 370  # 380 of 400, give or take


@pytest.mark.parametrize("q", [0.0, 1.0])
def test_only_what_lies_between_is_a_quantile(q: float) -> None:
    with pytest.raises(ValueError, match="q must be"):
        quantile([(0, 1, 1)], q)


def test_there_is_no_quantile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        quantile([(0, 1, 0)], 0.5)
