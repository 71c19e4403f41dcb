"""Opening hours as people write them, such as "mon-fri 09:00-17:00", read into a record; whose they are is not known here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from understudy.records.policy import OpeningHours, OpenPeriod

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? ([0-2]?[0-9]):([0-5][0-9])-([0-2]?[0-9]):([0-5][0-9])")


def check_timezone(name: str, *, where: str) -> None:
    """See that there is a time zone of this name; raises `ValueError` that names the setting."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise ValueError(f"{where} {name!r} is no time zone; use a name like Europe/Berlin") from error


def opening_hours(lines: Sequence[str], timezone: str, *, where: str) -> OpeningHours | None:
    """Read the lines of a setting, `where`; None where there are none. Raises `ValueError` that names it."""
    periods = tuple(period for line in lines for period in _periods(line, where))
    return OpeningHours(timezone=timezone, periods=periods) if periods else None


def _periods(line: str, where: str) -> list[OpenPeriod]:
    match = _HOURS.fullmatch(line.strip().lower())
    days = None if match is None else (match[1], match[2] or match[1])
    if match is None or days is None or not set(days) <= set(_DAYS) or _DAYS.index(days[0]) > _DAYS.index(days[1]):
        raise ValueError(f'{where} {line!r} is not of the form "mon-fri 09:00-17:00"')
    first, last = (_DAYS.index(day) for day in days)
    opens, closes = 60 * int(match[3]) + int(match[4]), 60 * int(match[5]) + int(match[6])
    try:
        return [OpenPeriod(weekday=day, from_minute=opens, to_minute=closes) for day in range(first, last + 1)]
    except ValueError as error:
        raise ValueError(f"{where} {line!r} must open before it closes, on the same day") from error
