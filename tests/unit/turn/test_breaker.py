"""The circuit breaker: when it opens, for how long, and that it neither sticks nor lets a crowd through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from understudy.turn.breaker import (
    EJECTIONS_MAX,
    FAILURES_TO_OPEN,
    FORGET_AFTER,
    OPEN_FOR,
    PROBE_FOR,
    Breaker,
    BreakerState,
    Ticket,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


def call(breaker: Breaker, now: datetime, *, succeeded: bool) -> Breaker:
    breaker, ticket = breaker.admit(now)
    assert ticket is not None
    return breaker.settle(ticket, succeeded=succeeded, now=now)


def opened(now: datetime = START, breaker: Breaker | None = None) -> Breaker:
    breaker = breaker or Breaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker = call(breaker, now, succeeded=False)
    return breaker


def test_breaker_stays_closed_after_four_failures_and_opens_at_the_fifth() -> None:
    breaker = Breaker()
    states = []
    for _ in range(5):
        breaker = call(breaker, START, succeeded=False)
        states.append(breaker.state(START))
    assert states == [BreakerState.CLOSED] * 4 + [BreakerState.OPEN]


def test_a_success_between_failures_starts_the_count_again() -> None:
    breaker = Breaker()
    for succeeded in (False, False, False, False, True, False, False, False, False):
        breaker = call(breaker, START, succeeded=succeeded)
    assert breaker.state(START) is BreakerState.CLOSED


def test_an_open_breaker_admits_nobody_until_thirty_seconds_are_over() -> None:
    breaker = opened()
    assert breaker.admit(START + timedelta(seconds=29.999))[1] is None
    assert breaker.admit(START + timedelta(seconds=30))[1] is not None


def test_a_half_open_breaker_admits_one_probe_only() -> None:
    now = START + OPEN_FOR
    breaker, first = opened().admit(now)
    assert first is not None
    assert first.is_probe
    assert breaker.admit(now)[1] is None


def test_an_answered_probe_closes_the_breaker() -> None:
    now = START + OPEN_FOR
    assert call(opened(), now, succeeded=True).state(now) is BreakerState.CLOSED


def test_a_failed_probe_opens_the_breaker_for_twice_as_long() -> None:
    now = START + OPEN_FOR
    breaker = call(opened(), now, succeeded=False)
    assert breaker.open_until == now + 2 * OPEN_FOR


def test_waiting_stops_growing_at_ten_times_thirty_seconds() -> None:
    breaker = opened()
    for _ in range(30):
        assert breaker.open_until is not None
        now = breaker.open_until
        breaker = call(breaker, now, succeeded=False)
        assert breaker.open_until is not None
    assert breaker.open_until - now == EJECTIONS_MAX * OPEN_FOR == timedelta(seconds=300)


def test_a_flapping_agent_is_left_alone_for_longer_each_time() -> None:
    now = START + OPEN_FOR
    again = opened(now, call(opened(), now, succeeded=True))
    assert again.open_until == now + 2 * OPEN_FOR


def test_an_ejection_is_forgotten_after_five_good_minutes() -> None:
    healed_at = START + OPEN_FOR
    later = healed_at + FORGET_AFTER
    again = opened(later, call(opened(), healed_at, succeeded=True))
    assert again.open_until == later + OPEN_FOR


def test_a_probe_that_never_reports_is_given_up_after_a_minute() -> None:
    now = START + OPEN_FOR
    breaker, _ = opened().admit(now)
    assert breaker.admit(now + PROBE_FOR - timedelta(milliseconds=1))[1] is None
    assert breaker.admit(now + PROBE_FOR)[1] is not None


def test_a_late_success_from_before_the_ejection_does_not_close_the_breaker() -> None:
    _, early = Breaker().admit(START)
    assert early is not None
    breaker = opened()
    assert breaker.settle(early, succeeded=True, now=START) == breaker


def test_a_late_failure_from_before_the_ejection_does_not_count_as_the_probe() -> None:
    _, early = Breaker().admit(START)
    assert early is not None
    breaker, _ = opened().admit(START + OPEN_FOR)
    assert breaker.settle(early, succeeded=False, now=START + OPEN_FOR) == breaker


def test_a_given_up_probe_that_reports_after_all_changes_nothing() -> None:
    now = START + OPEN_FOR
    breaker, first = opened().admit(now)
    assert first is not None
    breaker, _ = breaker.admit(now + PROBE_FOR)
    assert breaker.settle(first, succeeded=True, now=now + PROBE_FOR) == breaker


steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.floats(0, 700)),
        st.tuples(st.just("admit"), st.just(0.0)),
        st.tuples(st.just("succeed"), st.just(0.0)),
        st.tuples(st.just("fail"), st.just(0.0)),
    ),
    max_size=80,
)


@given(steps)
def test_breaker_keeps_its_bounds_whatever_happens(script: list[tuple[str, float]]) -> None:
    breaker, now = Breaker(), START
    under_way: list[Ticket] = []
    for what, seconds in script:
        if what == "wait":
            now += timedelta(seconds=seconds)
        elif what == "admit":
            before = breaker.state(now)
            breaker, ticket = breaker.admit(now)
            if ticket is not None:
                assert before is not BreakerState.OPEN
                assert ticket.is_probe == (before is BreakerState.HALF_OPEN)
                assert not ticket.is_probe or breaker.admit(now)[1] is None
                under_way.append(ticket)
        elif under_way:
            breaker = breaker.settle(under_way.pop(0), succeeded=what == "succeed", now=now)
        assert 0 <= breaker.failures < FAILURES_TO_OPEN
        assert 0 <= breaker.ejections <= EJECTIONS_MAX
        assert (breaker.open_until is None) == (breaker.state(now) is BreakerState.CLOSED)


@given(steps)
def test_breaker_can_always_close_again(script: list[tuple[str, float]]) -> None:
    breaker, now = Breaker(), START
    for what, seconds in script:
        now += timedelta(seconds=seconds)
        breaker, ticket = breaker.admit(now)
        if ticket is not None and what != "admit":
            breaker = breaker.settle(ticket, succeeded=what == "succeed", now=now)
    now += EJECTIONS_MAX * OPEN_FOR + PROBE_FOR
    assert call(breaker, now, succeeded=True).state(now) is BreakerState.CLOSED


@given(st.lists(st.booleans(), max_size=60))
def test_breaker_opens_exactly_at_five_failures_in_a_row(outcomes: list[bool]) -> None:
    breaker, row = Breaker(), 0
    for succeeded in outcomes:
        breaker, ticket = breaker.admit(START)
        if ticket is None:
            break
        breaker = breaker.settle(ticket, succeeded=succeeded, now=START)
        row = 0 if succeeded else row + 1
        assert (breaker.state(START) is BreakerState.OPEN) == (row == 5)
