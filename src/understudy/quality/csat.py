"""What customers said when they were asked, as shares with intervals: a pure function of counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from understudy.quality.figures import share
from understudy.records.quality import Csat, Satisfaction
from understudy.records.survey import SCORE_MAX, SurveyTally

CONTENT_MIN = 4


def csat(tallies: Sequence[SurveyTally], *, since: datetime, until: datetime) -> Csat:
    """Satisfaction with what the agent answered alone, and with what people answered or let out."""
    return Csat(
        since=since,
        until=until,
        alone=_of(one for one in tallies if one.alone),
        people=_of(one for one in tallies if not one.alone),
    )


def _of(tallies: Iterable[SurveyTally]) -> Satisfaction:
    counts = [0] * (SCORE_MAX + 1)  # at 0 those who did not answer
    for one in tallies:
        counts[one.score or 0] += one.surveys
    answered = sum(counts[1:])
    mean = sum(score * count for score, count in enumerate(counts)) / answered if answered else None
    return Satisfaction(
        content=share(sum(counts[CONTENT_MIN:]), answered),
        answered=share(answered, sum(counts)),
        scores=tuple(counts[1:]),
        mean=mean,
    )
