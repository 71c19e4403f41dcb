"""Days that are named from where one stands (tomorrow, Thursday, in three days), as dates; English, and no judgement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from understudy.assessment.entities import COUNT_WORDS
from understudy.records.assessment import Span

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKS_AROUND: Final = 2
_AWAY: Final = {"day after tomorrow": 2, "tomorrow": 1, "yesterday": -1, "day before yesterday": -2}
_SPOKEN = re.compile(
    rf"\b(?:(?P<away>day after tomorrow|day before yesterday|tomorrow|yesterday)|(?P<weekday>{'|'.join(WEEKDAYS)})s?"
    rf"|in (?P<ahead>[0-9]{{1,3}}|{'|'.join(COUNT_WORDS)}) days?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenDay:
    """A day as it was said, the words that say it in lower case, and the dates (YYYY-MM-DD) it can mean."""

    span: Span
    words: str
    dates: frozenset[str]


def spoken_days(text: str, today: date) -> Iterator[SpokenDay]:
    """Find the spoken days of a text, in order; a weekday is one of the two weeks before or after `today`."""
    for match in _SPOKEN.finditer(text):
        if match["away"]:
            words, days = match["away"].lower(), [_AWAY[match["away"].lower()]]
        elif match["weekday"]:
            words = match["weekday"].lower()
            first = (WEEKDAYS.index(words) - today.weekday()) % 7
            days = [first + 7 * week for week in range(-_WEEKS_AROUND, _WEEKS_AROUND)]
        else:
            count = match["ahead"].lower()
            words, days = match[0].lower(), [COUNT_WORDS.get(count) or int(count)]
        dates = frozenset((today + timedelta(days=one)).isoformat() for one in days)
        yield SpokenDay(span=Span(start=match.start(), end=match.end()), words=words, dates=dates)
