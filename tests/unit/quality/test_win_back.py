"""What followed bad outcomes: those that are too fresh count for neither side, and who said nothing is in no share of contentment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from understudy.quality.win_back import win_back_figures
from understudy.records.win_back import WinBackTally

SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 29, tzinfo=UTC)


def after(
    outcomes: int, *, sent: bool = True, early: bool = False, back: bool = False, score: int | None = None
) -> WinBackTally:
    return WinBackTally(sent=sent, early=early, back=back, score=score, outcomes=outcomes)


def test_both_sides_are_counted_apart() -> None:
    tallies = [after(30), after(10, back=True, score=2), after(20, score=5), after(7, early=True, back=True)]
    found = win_back_figures(
        [*tallies, after(40, sent=False, back=True)], since=SINCE, until=UNTIL, within=timedelta(14)
    )
    won, without = found.won_back, found.without
    assert (won.outcomes, won.early, won.recontacted.count, won.recontacted.of) == (60, 7, 10, 60)
    assert (won.content.count, won.content.of) == (20, 30)
    assert won.content.low is not None
    assert (without.outcomes, without.recontacted.share, without.content.of) == (40, 1.0, 0)
    assert found.within_days == 14


def test_nothing_is_said_of_nothing() -> None:
    found = win_back_figures([], since=SINCE, until=UNTIL, within=timedelta(14))
    assert (found.won_back.outcomes, found.won_back.recontacted.share) == (0, None)
