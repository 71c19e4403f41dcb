"""When people of the business are there, and when the next of them comes; pure. What is said to whoever waits is not known here."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from understudy.records.policy import OpeningHours

DAYS_AHEAD: Final = 366
"""So far ahead it is looked for a day that is no holiday."""


def is_open(hours: OpeningHours, at: datetime, holidays: Collection[date] = ()) -> bool:
    """Whether people of the business are there at a moment (aware)."""
    local = at.astimezone(ZoneInfo(hours.timezone))
    minute = 60 * local.hour + local.minute
    return local.date() not in holidays and any(
        period.weekday == local.weekday() and period.from_minute <= minute < period.to_minute
        for period in hours.periods
    )


def next_opening(hours: OpeningHours, at: datetime, holidays: Collection[date] = ()) -> datetime | None:
    """The next moment after `at` (aware) at which people come, in the business's own zone.

    None where somebody is there now, or nobody comes within `DAYS_AHEAD` days.
    """
    if is_open(hours, at, holidays):
        return None
    zone = ZoneInfo(hours.timezone)
    today = at.astimezone(zone).date()
    for ahead in range(DAYS_AHEAD + 1):
        day = today + timedelta(days=ahead)
        if day in holidays:
            continue
        opens = (
            datetime.combine(day, time(*divmod(period.from_minute, 60)), zone)
            for period in hours.periods
            if period.weekday == day.weekday()
        )
        if (first := min((one for one in opens if one > at), default=None)) is not None:
            return first
    return None
