"""When somebody is there next: the first opening after a moment, over nights, weekends, holidays and changes of the hour."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.opening import is_open, next_opening
from understudy.records.policy import OpeningHours, OpenPeriod

BERLIN = "Europe/Berlin"
WEEK = OpeningHours(
    timezone=BERLIN, periods=tuple(OpenPeriod(weekday=day, from_minute=540, to_minute=1020) for day in range(5))
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN))


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-03-03T08:59", "2026-03-03T09:00"),
        ("2026-03-03T17:00", "2026-03-04T09:00"),
        ("2026-03-06T18:00", "2026-03-09T09:00"),
        ("2026-03-28T12:00", "2026-03-30T09:00"),  # the clock changes in that night
    ],
)
def test_the_next_opening_is_the_first_after_now(now: str, opens: str) -> None:
    assert next_opening(WEEK, at(now)) == at(opens)


def test_nobody_waits_for_an_opening_where_people_are_there() -> None:
    assert next_opening(WEEK, at("2026-03-03T09:00")) is None
    assert next_opening(WEEK, at("2026-03-03T16:59")) is None


def test_a_holiday_is_a_day_on_which_nobody_comes() -> None:
    free = {date(2026, 12, 25), date(2026, 12, 28)}
    assert not is_open(WEEK, at("2026-12-25T10:00"), free)
    assert next_opening(WEEK, at("2026-12-24T18:00"), free) == at("2026-12-29T09:00")


def test_who_is_never_there_comes_at_no_time() -> None:
    assert next_opening(OpeningHours(timezone=BERLIN), at("2026-03-03T10:00")) is None


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
    st.sets(st.dates(date(2020, 1, 1), date(2040, 12, 31)), max_size=5),
)
def test_people_are_there_at_the_next_opening_and_not_a_minute_before(now: datetime, free: set[date]) -> None:
    opens = next_opening(WEEK, now, free)
    if opens is None:
        assert is_open(WEEK, now, free)
        return
    assert opens > now
    assert is_open(WEEK, opens, free)
    assert not is_open(WEEK, opens - timedelta(minutes=1), free)
