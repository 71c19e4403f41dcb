"""How matters of customers ended, by who gave the last answer: a pure function of counts.

A matter is what one person writes about one topic. Each answer is the last one of its matter or it is not, and has one outcome, so
nothing counts twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from understudy.quality.figures import DELTA, share
from understudy.records.resolution import GOES_ON, Outcome, Resolution, ResolutionTally, Resolved


def resolution(
    tallies: Sequence[ResolutionTally], *, since: datetime, until: datetime, within: timedelta
) -> Resolution:
    """Figures of the last answers in a time."""
    return Resolution(
        since=since,
        until=until,
        within_days=within / timedelta(days=1),
        goes_on_h=GOES_ON / timedelta(hours=1),
        confidence=1.0 - DELTA,
        alone=_of([one for one in tallies if one.alone]),
        people=_of([one for one in tallies if not one.alone]),
    )


def _of(tallies: Sequence[ResolutionTally]) -> Resolved:
    counts: Counter[Outcome] = Counter()
    for one in tallies:
        counts[one.outcome] += one.answers
    of = counts.total() - counts[Outcome.EARLY]
    return Resolved(
        confirmed=share(counts[Outcome.CONFIRMED], of),
        assumed=share(counts[Outcome.SILENT], of),
        recontacted=share(counts[Outcome.BACK], of),
        discontent=share(counts[Outcome.BAD], of),
        early=counts[Outcome.EARLY],
    )
