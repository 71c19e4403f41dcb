"""Requests to agents, counted for all processes: never more at once, nor in any minute, than the limits say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from understudy.adapters.stores.sql_store import SqlStore
from understudy.ports.calls import CallLimits

T = TypeVar("T")

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
LONG = timedelta(seconds=15)


class Caller:
    """Calls one agent after another from a store; `begin` says how long to wait, 0 for not at all."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store

    def begin(
        self, call: str, *, at_s: float = 0, agent: str = "a", at_once: int | None = None, per_minute: int | None = None
    ) -> float:
        now = NOW + timedelta(seconds=at_s)
        limits = CallLimits(at_once_max=at_once, per_minute_max=per_minute)
        return self.store.write_now(lambda tx: tx.calls.begin(call, agent, now=now, until=now + LONG, limits=limits))

    def renew(self, *calls: str, at_s: float) -> None:
        self.store.write_now(lambda tx: tx.calls.renew(calls, until=NOW + timedelta(seconds=at_s) + LONG))

    def end(self, call: str, *, at_s: float = 0, per_minute: int | None = None) -> None:
        now = NOW + timedelta(seconds=at_s)
        limits = CallLimits(at_once_max=None, per_minute_max=per_minute)
        self.store.write_now(lambda tx: tx.calls.end(call, now=now, limits=limits))

    @property
    def noted(self) -> int:
        with self.store.engine.connect() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM agent_calls").scalar_one())


@pytest.fixture
def caller(store: SqlStore) -> Caller:
    return Caller(store)


def test_as_many_as_allowed_are_under_way_at_once(caller: Caller) -> None:
    assert caller.begin("1", at_once=2) == 0
    assert caller.begin("2", at_once=2) == 0
    assert caller.begin("3", at_once=2) > 0
    caller.end("1", at_s=1)
    assert caller.begin("3", at_s=1, at_once=2) == 0


def test_another_process_sees_the_calls_of_this_one(caller: Caller, url: str) -> None:
    other = Caller(SqlStore(url))
    assert caller.begin("1", at_once=1) == 0
    assert other.begin("2", at_once=1) > 0
    other.store.close_now()


def test_agents_have_places_of_their_own(caller: Caller) -> None:
    assert caller.begin("1", agent="a", at_once=1) == 0
    assert caller.begin("2", agent="b", at_once=1) == 0


def test_a_call_that_is_not_renewed_gives_its_place_back(caller: Caller) -> None:
    caller.begin("1", at_once=1)
    assert caller.begin("2", at_s=14, at_once=1) > 0
    caller.renew("1", at_s=14)
    assert caller.begin("2", at_s=16, at_once=1) > 0
    assert caller.begin("2", at_s=30, at_once=1) == 0


def test_as_many_as_allowed_begin_in_a_minute(caller: Caller) -> None:
    for number, at_s in enumerate((0, 10, 20)):
        assert caller.begin(str(number), at_s=at_s, per_minute=3) == 0
        caller.end(str(number), at_s=at_s, per_minute=3)
    assert caller.begin("3", at_s=30, per_minute=3) == pytest.approx(30, abs=0.2)
    assert caller.begin("3", at_s=60, per_minute=3) == 0
    assert caller.begin("4", at_s=61, per_minute=3) == pytest.approx(9, abs=0.2)


def test_a_refused_call_counts_for_nothing(caller: Caller) -> None:
    caller.begin("1", per_minute=1)
    for at_s in (1, 30, 59):
        assert caller.begin("2", at_s=at_s, per_minute=1) > 0
    assert caller.begin("2", at_s=60, per_minute=1) == 0


def test_both_limits_hold_together(caller: Caller) -> None:
    assert caller.begin("1", at_once=1, per_minute=2) == 0
    assert caller.begin("2", at_s=5, at_once=1, per_minute=2) < 1, "it may end at any moment"
    caller.end("1", at_s=6, per_minute=2)
    assert caller.begin("2", at_s=6, at_once=1, per_minute=2) == 0
    caller.end("2", at_s=7, per_minute=2)
    assert caller.begin("3", at_s=7, at_once=1, per_minute=2) == pytest.approx(53, abs=0.2)


def test_a_lower_limit_counts_what_began_under_the_higher_one(caller: Caller) -> None:
    for number in range(4):
        assert caller.begin(str(number), at_s=number, at_once=4, per_minute=4) == 0
    for number in range(3):
        assert caller.begin("next", at_s=5, at_once=2) > 0
        caller.end(str(number), at_s=5, per_minute=4)
    assert caller.begin("next", at_s=5, at_once=2) == 0
    assert caller.begin("one more", at_s=6, per_minute=2) == pytest.approx(57, abs=0.2), (
        "the call of 0:03 is its second"
    )


def test_a_raised_limit_lets_more_in_at_once(caller: Caller) -> None:
    caller.begin("1", at_once=1, per_minute=1)
    assert caller.begin("2", at_once=2, per_minute=2) == 0


def test_calls_of_long_ago_are_forgotten(caller: Caller) -> None:
    for number in range(20):
        caller.begin(str(number), at_s=100 * number)
    assert caller.noted == 1


def test_a_call_that_counts_for_no_minute_is_forgotten_at_its_end(caller: Caller) -> None:
    caller.begin("1", at_once=1)
    caller.end("1")
    assert caller.noted == 0


def test_calls_are_no_news_for_the_ledger(caller: Caller, commit: Callable[[Callable[[Any], T]], T]) -> None:
    caller.begin("1", at_once=1, per_minute=1)
    caller.end("1")
    assert caller.store.read_now(lambda tx: tx.ledger.head_seq()) == 0
