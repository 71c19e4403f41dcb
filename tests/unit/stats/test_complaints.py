"""Complaints that become more frequent are noticed, and quiet stretches may be taken in one step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.stats.complaints import USUAL_MAX, USUAL_MIN, complained, quiet, usual_rate
from understudy.stats.detector import Watch, after_all, complaint_detector, unstirred


@given(usual=st.floats(USUAL_MIN, USUAL_MAX), replies=st.integers(0, 60), before=st.lists(st.booleans(), max_size=10))
def test_many_quiet_replies_at_once_are_as_one_by_one(usual: float, replies: int, before: list[bool]) -> None:
    detector = complaint_detector(usual)
    start = after_all(detector, unstirred(detector), [(1.0, float(is_bad)) for is_bad in before])
    one_by_one = after_all(detector, start, [(1.0, 0.0)] * replies)
    at_once = quiet(detector, start, replies)
    assert at_once.statistic == pytest.approx(one_by_one.statistic, rel=1e-9, abs=1e-9)
    assert (at_once.delivered, at_once.audited) == (one_by_one.delivered, one_by_one.audited)


@given(replies=st.integers(1, 10**6), complaints=st.integers(0, 10**6))
def test_a_usual_rate_can_always_be_bet_on(replies: int, complaints: int) -> None:
    watch, _ = complained(usual_rate(replies, complaints), None, replies=10)
    assert np.isfinite(watch.statistic) or watch.delivered == 0


def replies_until_alarm(rate: float, *, usual: float, seed: int, limit: int) -> int | None:
    dice, total = np.random.default_rng(seed), 0
    watch: Watch | None = None
    while total < limit:
        between = int(dice.geometric(rate)) - 1
        total += between + 1
        watch, is_alarm = complained(usual, watch, replies=between)
        if is_alarm:
            return total
    return None


def test_a_rate_that_triples_is_noticed_and_the_usual_one_is_not() -> None:
    found = [replies_until_alarm(0.03, usual=0.01, seed=seed, limit=20_000) for seed in range(20)]
    assert all(count is not None for count in found)
    assert np.median([count for count in found if count is not None]) < 2_000
    false = [replies_until_alarm(0.01, usual=0.01, seed=seed, limit=20_000) for seed in range(20)]
    assert sum(count is not None for count in false) <= 4


@pytest.mark.parametrize(
    "wrong", [lambda: usual_rate(0, 0), lambda: quiet(complaint_detector(0.1), Watch((None,)), -1)]
)
def test_nonsense_is_refused(wrong: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        wrong()  # type: ignore[operator]
