"""Deadlines that are named from where one stands ("by tomorrow noon", "innerhalb von zwei Werktagen"), as moments; no judgement.

English and German. A day without an hour ends at `DAY_ENDS`; working days leave out Saturday and Sunday, and know no holidays.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from understudy.assessment.entities import COUNT_WORDS
from understudy.assessment.spoken_days import WEEKDAYS

DAY_ENDS: Final = time(18, 0)
MIDNIGHT: Final = time(23, 59)
_PARTS: Final = {
    "morning": time(12, 0), "noon": time(12, 0), "midday": time(12, 0), "afternoon": time(18, 0), "evening": time(21, 0),
    "night": MIDNIGHT, "früh": time(12, 0), "vormittag": time(12, 0), "mittag": time(13, 0), "nachmittag": time(18, 0),
    "abend": time(21, 0),
}  # fmt: skip
_WEEKDAYS: Final = {name: day for day, name in enumerate(WEEKDAYS)} | {
    name: day
    for day, names in enumerate(
        ("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag sonnabend", "sonntag")
    )
    for name in names.split()
}
_MONTHS: Final = {
    name: month
    for month, names in enumerate((
        "january januar", "february februar", "march märz", "april", "may mai", "june juni", "july juli", "august",
        "september", "october oktober", "november", "december dezember",
    ), 1)
    for name in names.split()
}  # fmt: skip
_COUNTS: Final = COUNT_WORDS | {
    name: count
    for count, names in enumerate((
        "a an ein eine einem einer eines", "couple zwei", "few drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn",
        "elf", "zwölf",
    ), 1)
    for name in names.split()
}  # fmt: skip
_UNITS: Final[tuple[tuple[re.Pattern[str], Callable[[datetime, int], datetime]], ...]] = (
    (re.compile(r"min"), lambda at, count: _later(at, timedelta(minutes=count))),
    (re.compile(r"hour|stunde"), lambda at, count: _later(at, timedelta(hours=count))),
    (re.compile(r"working|business|werk|arbeits"), lambda at, count: _end(_working(at.date(), count), at)),
    (re.compile(r"day|tag"), lambda at, count: _end(at.date() + timedelta(days=count), at)),
    (re.compile(r"week|woche"), lambda at, count: _end(at.date() + timedelta(weeks=count), at)),
)
_OR = "|".join
_PART = rf"(?:(?:\s+(?:at|um|am|gegen|in the)?\s*)(?P<part>{_OR(_PARTS)})s?\b)?"
_HOUR = (
    r"(?:[\s,]+(?:at|by|before|around|um|bis|gegen|vor)?\s*"
    r"(?:(?P<hour>[01]?[0-9]|2[0-3])(?:[:.](?P<minute>[0-5][0-9]))?"
    r"(?:\s*(?P<half>am|pm|a\.m\.|p\.m\.|o'clock|uhr)|(?<=[:.][0-9]{2})))(?![a-z0-9]))?"
)
_COUNT = rf"(?:[0-9]{{1,3}}|{_OR(_COUNTS)})"
_UNIT = (
    r"min(?:ute)?s?|minuten?|hours?|stunden?|(?:working|business)[\s-]days?|werktag(?:e[ns]?)?|arbeitstag(?:e[ns]?)?"
    r"|days?|tag(?:e[ns]?)?|weeks?|wochen?"
)
_FORMS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (name, re.compile(form, re.IGNORECASE))
    for name, form in (
        ("iso", rf"\b(?P<year>20[0-9]{{2}})-(?P<month>[01][0-9])-(?P<day>[0-3][0-9])\b{_HOUR}"),
        ("dotted", rf"\b(?P<day>[0-3]?[0-9])\.(?P<month>[01]?[0-9])\.(?P<year>20[0-9]{{2}})?(?![0-9]){_HOUR}"),
        ("day_month", rf"\b(?P<day>[0-3]?[0-9])(?:st|nd|rd|th|\.)?\s+(?:of\s+)?(?P<named>{_OR(_MONTHS)})\b{_HOUR}"),
        ("month_day", rf"\b(?P<named>{_OR(_MONTHS)})\s+(?P<day>[0-3]?[0-9])(?:st|nd|rd|th)?\b{_HOUR}"),
        ("ahead", (rf"\b(?:with)?in(?:nerhalb)?\s+(?:the\s+next\s+|von\s+|den\s+nächsten\s+|der\s+nächsten\s+|about\s+|etwa\s+"
                  rf"|a\s+)?(?:{_COUNT}\s*(?:-|–|to|bis|or|oder)\s*)?(?P<count>{_COUNT})\s+(?:of\s+)?(?P<unit>{_UNIT})\b")),
        ("after", r"\b(?P<away>day after tomorrow|übermorgen)\b" + _PART + _HOUR),
        ("next", r"\b(?<!guten )(?P<away>tomorrow|morgen)\b" + _PART + _HOUR),
        ("same", r"\b(?P<away>today|heute|tonight)\b" + _PART + _HOUR),
        ("this", rf"\bthis\s+(?P<part>{_OR(_PARTS)})\b{_HOUR}"),
        ("week", r"\b(?:end of (?:the|this) week|this week|ende der woche|diese[r]? woche)\b"),
        ("weekday", rf"\b(?P<weekday>{_OR(_WEEKDAYS)})(?:(?P<glued>{_OR(_PARTS)})|s?\b){_PART}{_HOUR}"),
        ("day_end", r"\b(?:end of (?:the )?day|close of business|ende des tages|feierabend)\b"),
        ("clock", (r"\b(?:by|before|at|until|bis|um|vor)\s+(?P<hour>[01]?[0-9]|2[0-3])(?:[:.](?P<minute>[0-5][0-9]))?\s*"
                  r"(?P<half>am|pm|a\.m\.|p\.m\.|o'clock|uhr)(?![a-z])")),
    )
)  # fmt: skip


def deadline_in(text: str, at: datetime, timezone: str) -> datetime | None:
    """The first deadline that a piece of a sentence names, seen from the moment `at`; None where it names none.

    `at` is aware; so is what comes back, in the same moment's UTC offset of `timezone` (an IANA name). A named day that is
    over, or a date that does not exist, is no deadline.
    """
    here = at.astimezone(ZoneInfo(timezone))
    found = [
        (match.start(), rank, name, match) for rank, (name, form) in enumerate(_FORMS) if (match := form.search(text))
    ]
    for _, _, name, match in sorted(found, key=lambda one: one[:2]):
        meant = _meant(name, match, here)
        if meant is not None and meant > here:
            return meant
    return None


def _meant(name: str, match: re.Match[str], here: datetime) -> datetime | None:
    said = match.groupdict()
    try:
        if name == "ahead":
            return _ahead(said, here)
        day = _DAYS[name](said, here)
        return None if day is None else _at(day, said, here)
    except ValueError:  # the 31st of June
        return None


def _ahead(said: dict[str, str | None], here: datetime) -> datetime:
    count, unit = (said["count"] or "").lower(), (said["unit"] or "").lower()
    number = int(count) if count.isdigit() else _COUNTS[count]
    return next(step for form, step in _UNITS if form.match(unit))(here, number)


def _dated(said: dict[str, str | None], here: datetime) -> date:
    named = (said.get("named") or "").lower()
    month, day = _MONTHS[named] if named else int(said["month"] or 0), int(said["day"] or 0)
    if said.get("year"):
        return date(int(said["year"] or 0), month, day)
    this_year = date(here.year, month, day)
    return this_year if this_year >= here.date() else this_year.replace(year=here.year + 1)


def _weekday(said: dict[str, str | None], here: datetime) -> date:
    ahead = (_WEEKDAYS[(said["weekday"] or "").lower()] - here.weekday()) % 7
    return here.date() + timedelta(days=ahead or 7)


def _friday(_: dict[str, str | None], here: datetime) -> date:
    return here.date() + timedelta(days=max(0, 4 - here.weekday()))


def _in_days(count: int) -> Callable[[dict[str, str | None], datetime], date]:
    return lambda _, here: here.date() + timedelta(days=count)


_DAYS: Final[dict[str, Callable[[dict[str, str | None], datetime], date | None]]] = {
    "iso": _dated, "dotted": _dated, "day_month": _dated, "month_day": _dated, "after": _in_days(2), "next": _in_days(1),
    "same": _in_days(0), "this": _in_days(0), "day_end": _in_days(0), "clock": _in_days(0), "week": _friday,
    "weekday": _weekday,
}  # fmt: skip


def _at(day: date, said: dict[str, str | None], here: datetime) -> datetime:
    """The moment of that day that the words name: an hour, a part of the day, else its end."""
    part = (said.get("part") or said.get("glued") or "").lower()
    if said.get("hour"):
        hour, half = int(said["hour"] or 0), (said.get("half") or "").lower()
        hour = hour % 12 + 12 if half.startswith("p") else hour % 12 if half.startswith("a") else hour
        return datetime.combine(day, time(hour, int(said.get("minute") or 0)), here.tzinfo)
    if (said.get("away") or "").lower() == "tonight":
        return datetime.combine(day, MIDNIGHT, here.tzinfo)
    return datetime.combine(day, _PARTS[part], here.tzinfo) if part else _end(day, here)


def _end(day: date, here: datetime) -> datetime:
    """When a day ends for a business, or where that hour is over, when it does."""
    ends = datetime.combine(day, DAY_ENDS, here.tzinfo)
    return ends if ends > here else datetime.combine(day, MIDNIGHT, here.tzinfo)


def _later(at: datetime, by: timedelta) -> datetime:
    """So much later on the clock of whoever waits, also in the night in which the hour changes."""
    return (at.astimezone(UTC) + by).astimezone(at.tzinfo)


def _working(day: date, count: int) -> date:
    while count > 0:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day
