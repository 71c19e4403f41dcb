"""The part of the store that counts: how customers were answered, and what went wrong, over a span of time.

All of it is about turns by the moment they were *decided*. Nothing counts of which an open second review is: whoever may
still give it must not learn from a figure what the first reviewer said.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from understudy.records.quality import ModeQuery, ModeTally, Part, Span, Tallies
from understudy.records.resolution import ResolutionTally
from understudy.records.turn import Turn


class Figures(Protocol):
    """Counts of turns, verdicts, feedback and waits; never single turns, and at most `TALLIES_MAX` rows of each."""

    def over_time(self, span: Span, part: Part, *, settled_before: datetime) -> Tallies:
        """Count what belongs to a part by bucket. An answer is *settled* if it left before `settled_before`."""
        ...

    def by_slice(self, since: datetime, until: datetime, *, settled_before: datetime) -> Tallies:
        """Count everything by slice × release."""
        ...

    def last_answers(
        self, since: datetime, until: datetime, part: Part, *, within: timedelta, now: datetime
    ) -> list[ResolutionTally]:
        """Count by who gave it and what became of it each answer that was decided in a time and was the last in its matter: what one
        contact writes about one topic. A customer comes back who writes about it `within` so long, and no sooner than `GOES_ON`."""
        ...


class Failures(Protocol):
    """What went wrong, by topic."""

    def decided(self, since: datetime, until: datetime, part: Part) -> dict[str, int]:
        """Count decided turns by topic."""
        ...

    def modes(self, since: datetime, until: datetime, part: Part) -> list[ModeTally]:
        """Count turns by what went wrong."""
        ...

    def turns_with(self, query: ModeQuery) -> list[Turn]:
        """Turns behind a count, the latest first."""
        ...


TALLIES_MAX = 100_000
"""Rows of each kind of tally that are read at once."""
