"""Counts into figures: what each is a share of, what too few cases are, when a change is one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.quality.figures import CASES_MIN, changes, figures, page, share, wait
from understudy.records.assessment import DecisionKind
from understudy.records.quality import (
    LEADS,
    AskedTally,
    Direction,
    FeedbackTally,
    LateTally,
    Part,
    Share,
    Span,
    Tallies,
    TurnTally,
    VerdictTally,
    WaitTally,
)
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.turn import TurnState

DELIVER, HOLD, HAND_OFF, DEGRADE = (
    DecisionKind.DELIVER,
    DecisionKind.HOLD,
    DecisionKind.HAND_OFF,
    DecisionKind.DEGRADE,
)
ANSWERED = TurnState.ANSWERED
SINCE = datetime(2026, 5, 1, tzinfo=UTC)


def place(**fields: Any) -> dict[str, Any]:
    return {"bucket": 0, "topic": "orders", "channel": "webchat", "release": "v1", **fields}


def turns(count: int, decision: DecisionKind, state: TurnState = ANSWERED, settled: bool = True, **fields: Any) -> Any:
    return TurnTally(**place(turns=count, decision=decision, state=state, settled=settled, **fields))


def verdicts(count: int, verdict: VerdictKind, hold: HoldKind = HoldKind.DRAFT, needs_person: bool = False) -> Any:
    return VerdictTally(**place(turns=count, hold=hold, verdict=verdict, needs_person=needs_person))


def heard(count: int, decision: DecisionKind = DELIVER, settled: bool = True, **said: bool) -> Any:
    every = dict.fromkeys(("recontact", "discontent", "up", "down"), False) | said
    return FeedbackTally(**place(turns=count, decision=decision, settled=settled, **every))


def waited(ms: int, *, count: int = 1, alone: bool = True, **fields: Any) -> WaitTally:
    """As the store bins it."""
    digits, lead = len(str(ms)), int(str(ms)[:2])
    lead -= lead % next(width for below, width in LEADS if lead < below)
    return WaitTally(**place(turns=count, alone=alone, digits=digits, lead=lead, **fields))


def is_of(found: Share, count: int, of: int) -> bool:
    return (found.count, found.of) == (count, of)


def test_automation_is_what_ended_and_left_without_a_person() -> None:
    found = figures(
        Tallies(
            turns=(
                turns(60, DELIVER),
                turns(5, DELIVER, TurnState.DELIVERING),
                turns(3, DELIVER, TurnState.HANDED_OFF),  # it could not be sent
                turns(20, HOLD),
                turns(7, HOLD, TurnState.HELD),
                turns(10, HAND_OFF, TurnState.HANDED_OFF),
                turns(4, DEGRADE),
            )
        )
    )
    assert is_of(found.automation, 60, 60 + 3 + 20 + 10 + 4)
    assert is_of(found.safe_replies, 4, 97)
    assert (found.turns, found.ended, found.waiting) == (109, 97, 12)


def test_verdicts_before_and_after_sending_are_told_apart() -> None:
    found = figures(
        Tallies(
            verdicts=(
                verdicts(50, VerdictKind.APPROVE),
                verdicts(20, VerdictKind.EDIT),
                verdicts(8, VerdictKind.REJECT, needs_person=True),
                verdicts(2, VerdictKind.RESPOND),
                verdicts(1, VerdictKind.TAKE_OVER),
                verdicts(30, VerdictKind.APPROVE, HoldKind.AUDIT),
                verdicts(3, VerdictKind.EDIT, HoldKind.AUDIT, needs_person=True),
            )
        )
    )
    assert is_of(found.approved, 50, 81)
    assert is_of(found.edited, 20, 81)
    assert is_of(found.rejected, 8, 81)
    assert is_of(found.taken, 3, 81)
    assert is_of(found.audits_bad, 3, 33)
    assert is_of(found.missed, 11, 114)


def test_an_answer_is_resolved_in_one_way_only_and_only_once_it_had_time() -> None:
    found = figures(
        Tallies(
            turns=(turns(100, DELIVER), turns(40, DELIVER, settled=False), turns(50, HOLD)),
            feedback=(
                heard(10, up=True),
                heard(4, up=True, recontact=True),
                heard(3, discontent=True, down=True),
                heard(2, discontent=True, recontact=True),
                heard(9, settled=False, recontact=True),
                heard(8, HOLD, up=True),
            ),
        )
    )
    assert is_of(found.recontacted, 6, 100)
    assert is_of(found.discontent, 3, 100)
    assert is_of(found.confirmed, 10, 100)
    assert is_of(found.assumed, 81, 100)


def test_contentment_is_told_apart_for_agent_and_people() -> None:
    said = (
        heard(20, up=True),
        heard(5, down=True, discontent=True),
        heard(25, HOLD, up=True),
        heard(5, HAND_OFF, down=True),
    )
    found = figures(Tallies(feedback=(*said, heard(9, DEGRADE, up=True), heard(7, discontent=True))))
    assert is_of(found.content_alone, 20, 25)
    assert is_of(found.content_people, 25, 30)


def test_late_and_unheard_customers_are_shares_of_those_concerned() -> None:
    late = LateTally(**place(turns=3))
    asked = (AskedTally(**place(turns=20, handed_off=True)), AskedTally(**place(turns=4, handed_off=False)))
    found = figures(
        Tallies(turns=(turns(30, HOLD), turns(9, HAND_OFF), turns(500, DELIVER)), late=(late,), asked=asked)
    )
    assert is_of(found.late, 3, 39)
    assert is_of(found.asked_in_vain, 4, 24)


@given(st.integers(0, 200), st.integers(0, 200))
def test_a_share_has_an_interval_around_it_or_says_nothing(count: int, of: int) -> None:
    found = share(count, of)
    if of < CASES_MIN:
        assert (found.share, found.low, found.high) == (None, None, None)
    else:
        assert found.share is not None
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low <= found.share <= found.high <= 1


@given(st.lists(st.integers(0, 10**9), min_size=CASES_MIN, max_size=80))
def test_a_median_is_the_values_own_to_a_quarter(values: list[int]) -> None:
    found = wait(waited(ms) for ms in values)
    assert found.p50_s is not None
    ordered = sorted(values)
    low, high = ordered[(len(values) - 1) // 2 - 1], ordered[len(values) // 2 + 1]
    assert low / 1000 * 0.75 - 0.002 <= found.p50_s <= high / 1000 * 1.25 + 0.002


def test_few_waits_say_nothing() -> None:
    assert wait([waited(5, count=CASES_MIN - 1)]).p50_s is None


def test_a_change_is_called_one_only_if_the_intervals_say_so() -> None:
    def found(alone: int, of: int, ms: int) -> Any:
        told = (turns(alone, DELIVER), turns(of - alone, HOLD))
        return figures(Tallies(turns=told, waits=(waited(ms, count=alone),)))

    said = changes(found(600, 1000, 2000), found(400, 1000, 9000))
    assert said["automation"].direction is Direction.UP
    assert said["automation"].by == pytest.approx(0.2)
    assert said["wait_alone"].direction is Direction.DOWN
    assert changes(found(52, 100, 2000), found(48, 100, 2000))["automation"].direction is Direction.UNCHANGED
    assert changes(found(5, 10, 2000), found(400, 1000, 2000))["automation"].direction is Direction.UNKNOWN
    assert said["late"].direction is not Direction.UP


def test_a_page_splits_now_from_before_and_says_what_else_there_is() -> None:
    day = timedelta(days=1)
    over_time = Tallies(turns=(turns(30, DELIVER, bucket=1), turns(70, HOLD, bucket=2), turns(21, DELIVER, bucket=3)))
    by_slice = Tallies(
        turns=(turns(70, HOLD), turns(21, DELIVER), turns(44, HOLD, topic="refunds"), turns(5, HOLD, channel="email"))
    )
    found = page(
        over_time,
        by_slice,
        whole=Span(since=SINCE, width=day, buckets=4),
        now_from=2,
        part=Part(topic="orders"),
        recontact_h=24,
        is_cut=False,
    )
    assert (found.since, found.until, found.before_since) == (SINCE + 2 * day, SINCE + 4 * day, SINCE)
    assert (found.all.turns, found.before.turns) == (91, 30)
    assert [(one.at, one.figures.turns) for one in found.over_time] == [(SINCE + 2 * day, 70), (SINCE + 3 * day, 21)]
    assert [(one.name, one.figures.turns) for one in found.topics] == [("orders", 96), ("refunds", 44)]
    assert [(one.name, one.figures.turns) for one in found.channels] == [("webchat", 91), ("email", 5)]


tallies = st.builds(
    turns,
    st.integers(1, 500),
    st.sampled_from(DecisionKind),
    st.sampled_from([ANSWERED, TurnState.HELD]),
    st.booleans(),
)


@given(st.lists(tallies, max_size=12), st.lists(tallies, max_size=12))
def test_counts_of_a_whole_are_those_of_its_parts(one: list[TurnTally], other: list[TurnTally]) -> None:
    both, first, second = (figures(Tallies(turns=tuple(some))) for some in (one + other, one, other))
    assert both.turns == first.turns + second.turns
    assert both.automation.count == first.automation.count + second.automation.count
    assert both.assumed.of == first.assumed.of + second.assumed.of
