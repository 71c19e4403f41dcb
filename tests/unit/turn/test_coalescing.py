"""The pause after a message: always within its limits, longer where more is likely to come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.turn.coalescing import CoalescingLimits, window_s

LIMITS = CoalescingLimits(window_s_min=0.4, window_s_max=4.0, burst_s_max=12.0)

BOUNDS = st.lists(st.floats(0, 60), min_size=3, max_size=3).map(sorted)


def pause(text: str, *gaps_s: float, limits: CoalescingLimits = LIMITS) -> float:
    return window_s(text, gaps_s=gaps_s, limits=limits)


@given(text=st.text(max_size=80), gaps=st.lists(st.floats(-1, 1000), max_size=5), bounds=BOUNDS)
def test_the_pause_is_always_within_its_limits(text: str, gaps: list[float], bounds: list[float]) -> None:
    limits = CoalescingLimits(window_s_min=bounds[0], window_s_max=bounds[1], burst_s_max=bounds[2])
    assert bounds[0] <= window_s(text, gaps_s=gaps, limits=limits) <= bounds[1]


@given(text=st.text(max_size=80), gaps=st.lists(st.floats(0, 1000), max_size=5))
def test_a_business_that_never_waits_does_not_wait(text: str, gaps: list[float]) -> None:
    assert window_s(text, gaps_s=gaps, limits=CoalescingLimits(window_s_min=0, window_s_max=0, burst_s_max=0)) == 0


@given(text=st.text(max_size=80), gaps=st.lists(st.floats(0, 10), max_size=5), gap=st.floats(0, 10))
def test_a_slower_customer_is_never_given_less_time(text: str, gaps: list[float], gap: float) -> None:
    assert window_s(text, gaps_s=[*gaps, gap], limits=LIMITS) >= window_s(text, gaps_s=gaps, limits=LIMITS)


@pytest.mark.parametrize(
    "text", ["Where is my order?", "Thanks!", "It broke.", "I see…", "(the red one)", 'he said "no"']
)
def test_what_looks_finished_gets_the_shortest_pause(text: str) -> None:
    assert pause(text) == LIMITS.window_s_min


@pytest.mark.parametrize(
    "text", ["I bought a kettle, ", "and", "It is because", "my order:", "the", "I want to", "so -"]
)
def test_what_is_left_dangling_gets_the_longest_pause(text: str) -> None:
    assert pause(text) == LIMITS.window_s_max


def test_a_few_words_without_an_end_wait_longer_than_a_sentence_without_one() -> None:
    few, many = pause("hi there"), pause("my kettle has a crack in its lid")
    assert LIMITS.window_s_min < many < few < LIMITS.window_s_max


def test_a_word_that_ends_like_a_dangling_one_does_not_dangle() -> None:
    assert pause("I bought sand") < LIMITS.window_s_max
    assert pause("a red sofa") < LIMITS.window_s_max


def test_the_pause_follows_twice_the_customers_longest_pause() -> None:
    assert pause("Where is it?", 0.3, 1.5, 0.2) == 3.0


def test_a_pause_beyond_the_window_tells_nothing_of_a_habit() -> None:
    assert pause("Where is it?", 100.0) == LIMITS.window_s_min


@pytest.mark.parametrize("bounds", [(-1, 4, 12), (5, 4, 12), (0, 13, 12)])
def test_bounds_out_of_order_are_refused(bounds: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="coalescing needs"):
        CoalescingLimits(window_s_min=bounds[0], window_s_max=bounds[1], burst_s_max=bounds[2])
