"""How long to wait before the next try: within bounds, growing, never sooner than asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.backoff import backoff_s

ATTEMPTS = st.integers(1, 10_000)
DRAWS = st.floats(0, 1, exclude_max=True)
SECONDS = st.floats(0, 1e6)


@given(attempt=ATTEMPTS, draw=DRAWS, base_s=SECONDS, max_s=SECONDS)
def test_the_wait_is_at_most_the_longest_allowed(attempt: int, draw: float, base_s: float, max_s: float) -> None:
    assert 0 <= backoff_s(attempt, draw, base_s=base_s, max_s=max_s) <= max_s


@given(attempt=ATTEMPTS, draw=DRAWS, at_least_s=SECONDS)
def test_the_wait_is_at_least_what_was_asked_for(attempt: int, draw: float, at_least_s: float) -> None:
    assert backoff_s(attempt, draw, base_s=1, max_s=10, at_least_s=at_least_s) >= at_least_s


@given(attempt=ATTEMPTS, draw=DRAWS)
def test_a_later_try_never_waits_less_at_the_same_draw(attempt: int, draw: float) -> None:
    assert backoff_s(attempt + 1, draw, base_s=0.5, max_s=60) >= backoff_s(attempt, draw, base_s=0.5, max_s=60)


@pytest.mark.parametrize(("attempt", "ceiling_s"), [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 10.0), (2_000, 10.0)])
def test_the_ceiling_doubles_up_to_the_longest_allowed(attempt: int, ceiling_s: float) -> None:
    assert backoff_s(attempt, 0.5, base_s=1, max_s=10) == ceiling_s / 2


def test_the_wait_is_spread_from_zero_on() -> None:
    assert backoff_s(3, 0.0, base_s=1, max_s=10) == 0.0


@pytest.mark.parametrize("attempt", [0, -1])
def test_there_is_no_try_before_the_first(attempt: int) -> None:
    with pytest.raises(ValueError, match="attempt must be >= 1"):
        backoff_s(attempt, 0.5, base_s=1, max_s=10)
