"""What followed bad outcomes, those a person wrote to the customer after beside the others: a pure function of counts.

Nobody drew by lot who was written to, so the two differ in more than the message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from understudy.quality.csat import CONTENT_MIN
from understudy.quality.figures import share
from understudy.records.win_back import Aftermath, WinBackFigures, WinBackTally


def win_back_figures(
    tallies: Sequence[WinBackTally], *, since: datetime, until: datetime, within: timedelta
) -> WinBackFigures:
    """Figures of the bad outcomes of a time."""
    return WinBackFigures(
        since=since,
        until=until,
        within_days=within / timedelta(days=1),
        won_back=_of([one for one in tallies if one.sent]),
        without=_of([one for one in tallies if not one.sent]),
    )


def _of(tallies: Sequence[WinBackTally]) -> Aftermath:
    old = [one for one in tallies if not one.early]
    outcomes = _sum(old)
    said = [one for one in old if one.score is not None]
    return Aftermath(
        outcomes=outcomes,
        recontacted=share(_sum(one for one in old if one.back), outcomes),
        content=share(_sum(one for one in said if (one.score or 0) >= CONTENT_MIN), _sum(said)),
        early=_sum(tallies) - outcomes,
    )


def _sum(tallies: Iterable[WinBackTally]) -> int:
    return sum(one.outcomes for one in tallies)
