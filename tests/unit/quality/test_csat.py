"""What customers said when they were asked: shares with intervals, the agent's answers apart from people's."""

from __future__ import annotations

from datetime import UTC, datetime

from understudy.quality.csat import csat
from understudy.records.survey import SurveyTally

SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 29, tzinfo=UTC)


def said(score: int | None, surveys: int, *, alone: bool = True) -> SurveyTally:
    return SurveyTally(alone=alone, channel="webchat", score=score, surveys=surveys)


def test_share_is_that_of_a_four_or_five_among_the_answers() -> None:
    found = csat([said(5, 20), said(4, 10), said(3, 6), said(1, 4), said(None, 60)], since=SINCE, until=UNTIL).alone
    assert (found.content.count, found.content.of, found.content.share) == (30, 40, 0.75)
    assert found.content.low is not None
    assert found.content.low < 0.75 < (found.content.high or 0)
    assert (found.answered.count, found.answered.of) == (40, 100)
    assert (found.scores, found.mean) == ((4, 0, 6, 10, 20), (100 + 40 + 18 + 4) / 40)


def test_people_are_apart_from_the_agent() -> None:
    found = csat([said(5, 30), said(1, 30, alone=False)], since=SINCE, until=UNTIL)
    assert (found.alone.content.share, found.people.content.share) == (1.0, 0.0)


def test_few_answers_say_no_share() -> None:
    found = csat([said(5, 3)], since=SINCE, until=UNTIL).alone
    assert (found.content.count, found.content.share, found.mean) == (3, None, 5.0)


def test_nobody_asked_is_nothing_said() -> None:
    found = csat([], since=SINCE, until=UNTIL)
    assert (found.alone.answered.of, found.people.mean) == (0, None)
