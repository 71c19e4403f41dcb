"""No wait for a person is too long unseen: steps before it is, once each, what is said where nobody is there, and by whose hours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE
from stage_staffing import ALL, AWAY, DAY, ORDERS, STAFFING, ask, be_there, come, plan_of, told, wait_of
from understudy.effects.absence import NobodyHome
from understudy.ports.telemetry import HandOffMoved
from understudy.records.pledges import USUAL_PLEDGES
from understudy.records.policy import OpeningHours, OpenPeriod
from understudy.records.staffing import Sla, Staffing, Team, Why

pytestmark = ON_EACH_STORE

Build = Callable[..., Any]


@pytest.fixture
def made(build: Build, staging: ModuleType) -> Build:
    """Makes a stage with teams."""
    return lambda *staffing, **plan: build(**plan_of(staging.rules, *staffing, **plan))


@pytest.fixture
def stage(made: Build) -> Any:
    return made()


# How long it may wait ------------------------------------------------------------------------------------------


def test_each_step_is_done_once_before_it_is_too_late_and_the_break_is_recorded(stage: Any) -> None:
    ask(stage)
    assert stage.open_holds[0].priority > 0
    was = stage.open_holds[0]
    be_there(stage, 290)
    assert told(stage, "escalated") == []
    be_there(stage, 20)
    assert [entry.body["do"] for entry in told(stage, "escalated")] == ["raise"]
    (raised,) = stage.open_holds
    assert (raised.priority, raised.version) == (was.priority - 1, was.version)
    be_there(stage, 180)
    assert [entry.body["do"] for entry in told(stage, "escalated")] == ["raise", "overflow", "tell"]
    wait = wait_of(stage)
    assert (wait.is_urged, wait.is_told, wait.is_broken) == (True, True, False)
    be_there(stage, 400)
    assert [entry.body["do"] for entry in told(stage, "escalated")] == ["raise", "overflow", "tell"]
    assert len(told(stage, "broken")) == 1
    assert wait_of(stage).is_broken
    moved = [(event.what, event.detail) for event in stage.emitted(HandOffMoved)]
    assert moved.count(("broken", "")) == 1
    assert moved.count(("escalated", "tell")) == 1


def test_urged_overflow_is_asked_at_once(made: Build) -> None:
    slow = replace(ORDERS, overflow_after_s=3_600.0)
    stage = made(replace(STAFFING, teams=(slow, ALL)))
    ask(stage)
    be_there(stage, 460, "eve")
    assert wait_of(stage).person is None
    be_there(stage, 40, "eve")
    assert wait_of(stage).person == "eve"


def test_steps_survive_a_restart_and_none_is_done_twice(stage: Any) -> None:
    ask(stage)
    be_there(stage, 310)
    again = stage.restarted()
    again.pass_time(1_000)
    again = again.restarted()
    again.sweep()
    assert [entry.body["do"] for entry in told(again, "escalated")] == ["raise", "overflow", "tell"]
    assert len(told(again, "broken")) == 1


def test_what_was_answered_in_time_is_not_broken_by_a_late_look(stage: Any) -> None:
    come(stage, "ana")
    ask(stage)
    stage.run(stage.conversations.say(stage.conversation().id, "Hello.", reviewer="ana"))
    stage.settle()
    stage.pass_time(5_000)
    assert told(stage, "broken") == []
    (ended,) = told(stage, "ended")
    assert (ended.body["late"], ended.body["waited_s"]) == (False, 0.0)


def test_an_answer_that_came_too_late_is_recorded_as_broken_even_if_nobody_looked_meanwhile(stage: Any) -> None:
    come(stage, "ana")
    ask(stage)
    stage.clock.advance(700)
    stage.run(stage.conversations.say(stage.conversation().id, "Hello.", reviewer="ana"))
    stage.settle()
    stage.sweep()
    assert len(told(stage, "broken")) == 1
    (ended,) = told(stage, "ended")
    assert (ended.body["late"], ended.body["waited_s"]) == (True, 700.0)


def test_an_sla_alone_has_its_clock_and_gives_to_nobody(made: Build) -> None:
    stage = made(Staffing(sla=Sla(targets=((0, 60.0),))))
    come(stage, "ana")
    ask(stage)
    assert wait_of(stage).why is Why.NO_TEAM
    stage.pass_time(61)
    assert wait_of(stage).is_broken


# Nobody home -----------------------------------------------------------------------------------------------------


def closing(made: Build, *teams: Team) -> Any:
    staffing = replace(STAFFING, teams=teams)
    home = NobodyHome(reply=AWAY, hours=DAY, pledges=USUAL_PLEDGES, staffing=staffing)
    return made(staffing, nobody_home=home)


def go_to(stage: Any, hour: int) -> datetime:
    now = stage.clock.now()
    then = (now + timedelta(days=1)).replace(hour=hour, minute=0, second=0, microsecond=0)
    stage.clock.advance((then - now).total_seconds())
    return then


def sent(stage: Any) -> list[str]:
    return [entry.text for entry in stage.channel.delivered]


def test_the_hours_of_the_team_say_when_somebody_comes(made: Build) -> None:
    late = OpeningHours(periods=tuple(OpenPeriod(weekday=day, from_minute=660, to_minute=1020) for day in range(7)))
    stage = closing(made, replace(ORDERS, hours=late, overflow=None))
    go_to(stage, 9)
    ask(stage)
    stage.settle()
    assert sent(stage) == [f"Nobody is here now. Somebody writes to you by {stage.clock.now():%Y-%m-%d}, 12:00."]
    assert wait_of(stage).why is Why.CLOSED


def test_a_team_that_is_there_when_the_business_is_not_is_no_absence(made: Build) -> None:
    stage = closing(made, replace(ORDERS, hours=None))
    go_to(stage, 22)
    ask(stage)
    stage.settle()
    assert sent(stage) == ["A colleague takes over."]


def test_who_still_waits_when_the_last_team_goes_is_told(made: Build) -> None:
    stage = closing(made, replace(ORDERS, hours=DAY, overflow=None))
    go_to(stage, 16)
    ask(stage)
    stage.settle()
    assert sent(stage) == ["A colleague takes over."]
    stage.pass_time(3_600)
    stage.pass_time(60)
    assert len(sent(stage)) == 2
    assert "10:00" in sent(stage)[1]
    assert wait_of(stage).due_at == wait_of(stage).waits_since + timedelta(seconds=600)
