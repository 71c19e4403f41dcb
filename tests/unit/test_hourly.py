"""In no stretch of an hour is more done than the budget allows, and what is spent comes back after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from understudy.hourly import HOUR, Hourly

AT = datetime(2026, 5, 4, tzinfo=UTC)


@given(st.integers(0, 5), st.lists(st.integers(0, 2_000), max_size=40))
def test_no_hour_holds_more_than_the_budget(most: int, pauses: list[int]) -> None:
    budget, now, done = Hourly(most), AT, []
    for pause in pauses:
        now += timedelta(seconds=pause)
        if budget.room(now) > 0:
            budget.spend(now)
            done.append(now)
        else:
            assert sum(one > now - HOUR for one in done) == most
        assert sum(one > now - HOUR for one in done) <= most


def test_what_was_spent_comes_back_after_an_hour() -> None:
    budget = Hourly(3)
    budget.spend(AT, 2)
    assert budget.room(AT) == 1
    assert budget.room(AT + HOUR - timedelta(microseconds=1)) == 1
    assert budget.room(AT + HOUR) == 3


def test_who_spent_more_than_there_was_has_no_room_and_owes_none() -> None:
    budget = Hourly(1)
    budget.spend(AT, 5)
    assert budget.room(AT) == 0
