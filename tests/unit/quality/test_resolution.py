"""Last answers as shares: each counts once, the agent's apart from people's, and those that are too fresh not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from understudy.quality.resolution import resolution
from understudy.records.resolution import Outcome, Resolution, ResolutionTally

SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 29, tzinfo=UTC)


def figures(*tallies: ResolutionTally) -> Resolution:
    return resolution(tallies, since=SINCE, until=UNTIL, within=timedelta(days=7))


def last(outcome: Outcome, answers: int, *, alone: bool = True) -> ResolutionTally:
    return ResolutionTally(alone=alone, outcome=outcome, answers=answers)


def test_shares_are_of_answers_that_are_old_enough() -> None:
    found = figures(
        last(Outcome.CONFIRMED, 10), last(Outcome.SILENT, 60), last(Outcome.BACK, 20), last(Outcome.BAD, 10),
        last(Outcome.EARLY, 500), last(Outcome.BACK, 30, alone=False),
    )  # fmt: skip
    alone, people = found.alone, found.people
    assert [one.share for one in (alone.confirmed, alone.assumed, alone.recontacted, alone.discontent)] == [
        0.1, 0.6, 0.2, 0.1,
    ]  # fmt: skip
    assert alone.early == 500
    assert (people.recontacted.share, people.recontacted.of, people.early) == (1.0, 30, 0)
    assert alone.recontacted.low is not None
    assert alone.recontacted.low < 0.2 < (alone.recontacted.high or 0)
    assert (found.within_days, found.goes_on_h) == (7, 1)


def test_few_answers_say_no_share() -> None:
    assert figures(last(Outcome.CONFIRMED, 3)).alone.confirmed.share is None


@given(
    tallies=st.lists(
        st.builds(
            ResolutionTally,
            alone=st.booleans(),
            outcome=st.sampled_from(list(Outcome)),
            answers=st.integers(min_value=0, max_value=1000),
        )
    )
)
def test_no_answer_counts_twice(tallies: list[ResolutionTally]) -> None:
    found = figures(*tallies)
    for side, is_alone in ((found.alone, True), (found.people, False)):
        shares = (side.confirmed, side.assumed, side.recontacted, side.discontent)
        given_ = sum(one.answers for one in tallies if one.alone is is_alone)
        assert sum(one.count for one in shares) + side.early == given_
        assert all(one.of == given_ - side.early for one in shares)
