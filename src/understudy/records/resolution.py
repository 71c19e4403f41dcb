"""What became of the last answers in matters of customers, counted; what an answer is the last of stands in `quality/resolution.py`
and, in SQL, in the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from understudy.records.quality import Share

GOES_ON: Final = timedelta(hours=1)
"""A customer who writes within so long of an answer, about the same topic, goes on with the same conversation: that answer was not
the last one."""


class Outcome(StrEnum):
    """What became of a last answer: the customer came *back* for the same, said that it was *bad*, *confirmed* it, or said nothing
    (*silent*); or it is too *early* to say."""

    BACK = "back"
    BAD = "bad"
    CONFIRMED = "confirmed"
    SILENT = "silent"
    EARLY = "early"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionTally:
    """So many last answers with one outcome, given by the agent *alone* or by people."""

    alone: bool
    outcome: Outcome
    answers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What became of the last answers of one side: shares of all that are old enough, which add up to 1. `early`: so many are
    not."""

    confirmed: Share
    assumed: Share
    recontacted: Share
    discontent: Share
    early: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """How matters ended whose last answer was decided in a time: where the agent gave it *alone*, and where *people* wrote it or let
    it out. A customer comes back who writes about the same topic within `within_days` days, after `goes_on_h` hours."""

    since: datetime
    until: datetime
    within_days: float
    goes_on_h: float
    confidence: float
    alone: Resolved
    people: Resolved
