"""The part of the store that counts: how customers were answered, and what went wrong, over a span of time.

All of it is about turns by the moment they were *decided*. Nothing counts of which an open second review is: whoever may
still give it must not learn from a figure what the first reviewer said.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from understudy.records.quality import ModeQuery, ModeTally, Part, Span, Tallies
from understudy.records.turn import Turn


class Figures(Protocol):
    """Counts by bucket and slice × release, never rows of single turns."""

    def tallies(self, span: Span, part: Part, *, settled_before: datetime, slices_from: int) -> Tallies:
        """Count turns, verdicts, feedback and waits. `part` narrows `waits` alone, whose tallies name no slice;
        `slice_waits` are those from the bucket `slices_from` on and stand in that one. At most `TALLIES_MAX` rows of each."""
        ...

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
