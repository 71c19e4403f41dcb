"""What both clocks promise behind `ports/clock.py`, and what a frozen one adds."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from understudy.adapters.system_clock import SystemClock
from understudy.ports.clock import Clock
from understudy.testing.scripted import FrozenClock


@pytest.fixture(params=[SystemClock, FrozenClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


def test_now_is_aware_and_in_utc(clock: Clock) -> None:
    assert clock.now().tzinfo is UTC


def test_ids_carry_their_prefix_and_never_repeat(clock: Clock) -> None:
    ids = [clock.new_id("t") for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert all(one.startswith("t-") for one in ids)


def test_dice_fall_in_the_half_open_unit_interval(clock: Clock) -> None:
    assert all(0.0 <= clock.random() < 1.0 for _ in range(1000))


@pytest.mark.parametrize("seconds", [0.0, -5.0])
def test_sleep_of_nothing_returns_at_once(clock: Clock, seconds: float) -> None:
    asyncio.run(asyncio.wait_for(clock.sleep(seconds), 20))


def test_ids_of_the_real_clock_sort_by_time() -> None:
    clock = SystemClock()
    first = clock.new_id("t")
    time.sleep(0.002)
    assert first < clock.new_id("t")
    assert len(first) == len("t-") + 26


def test_frozen_clock_moves_only_when_told_or_slept_on() -> None:
    clock = FrozenClock(datetime(2026, 5, 1, tzinfo=UTC))
    before = clock.now()
    asyncio.run(clock.sleep(2.5))
    clock.advance(7.5)
    assert clock.now() - before == timedelta(seconds=10)
    assert clock.slept == [2.5]


def test_frozen_clocks_of_one_seed_throw_the_same() -> None:
    assert [FrozenClock(seed=3).random() for _ in range(3)] == [FrozenClock(seed=3).random() for _ in range(3)]


def test_frozen_clock_refuses_a_moment_without_a_zone() -> None:
    with pytest.raises(ValueError, match="aware"):
        FrozenClock().set(datetime(2026, 5, 1))
