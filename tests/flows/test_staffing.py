"""Hand-offs find people: one that is here and has room gets each, and loses it where they do nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE
from stage_staffing import ask, be_there, come, plan_of, told, wait_of, waits
from understudy.errors import Conflict, InputError, NotFound
from understudy.ports.telemetry import HandOffMoved
from understudy.records.evidence import Draft
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.staffing import Ending, Why
from understudy.testing.scripted import ScriptedAgent

pytestmark = ON_EACH_STORE

Build = Callable[..., Any]


@pytest.fixture
def made(build: Build, staging: ModuleType) -> Build:
    """Makes a stage with teams."""
    return lambda *staffing, **plan: build(**plan_of(staging.rules, *staffing, **plan))


@pytest.fixture
def stage(made: Build) -> Any:
    return made()


def test_without_teams_nothing_is_done_at_all(build: Build) -> None:
    stage = build(agent=ScriptedAgent(Draft(text="I will get somebody.", handoff=True)))
    stage.ask("I need a person.")
    before = len(stage.ledger)
    assert stage.run(stage.staffing.sweep()) == 0
    assert waits(stage) == []
    assert len(stage.ledger) == before
    with pytest.raises(Conflict, match="no team and no SLA"):
        stage.run(stage.teams.assign(stage.open_holds[0].id, "ana", by="lea"))


def test_who_is_here_gets_it_and_the_clock_runs_since_the_hand_off(stage: Any) -> None:
    come(stage, "ana")
    turn = stage.ask("I need a person.")
    handed_off_at = stage.open_holds[0].created_at
    stage.clock.advance(5)
    stage.sweep()
    wait = wait_of(stage)
    assert (wait.team, wait.person, wait.why) == ("orders", "ana", Why.LEAST_LOADED)
    assert wait.waits_since == handed_off_at
    assert wait.due_at == handed_off_at + timedelta(seconds=600)
    assert [entry.event for entry in told(stage)] == ["staffing.waits", "staffing.assigned"]
    assert told(stage, "assigned")[0].body["person"] == "ana"
    assert {entry.turn_id for entry in told(stage)} == {turn.id}
    assert [event.what for event in stage.emitted(HandOffMoved)] == ["waits", "assigned"]


def test_nobody_has_more_than_they_may_and_the_rest_waits_until_they_have_room(stage: Any) -> None:
    come(stage, "ana", "ben")
    for to in ("e-1", "e-2", "e-3"):
        ask(stage, to)
    assert sorted(str(wait.person) for wait in waits(stage)) == ["None", "ana", "ben"]
    assert wait_of(stage, "e-3").why is Why.ALL_FULL
    assert wait_of(stage, "e-3").words == "ana, ben have as many hand-offs as they may."
    busy = wait_of(stage, "e-1").person
    stage.run(stage.conversations.say(stage.conversation("e-1").id, "Hello.", reviewer=busy))
    stage.settle()
    come(stage, "ana", "ben")
    stage.sweep()
    assert wait_of(stage, "e-3").person == busy
    assert told(stage, "ended")[0].body["ending"] == "answered"


def test_two_sweeps_give_it_once(stage: Any) -> None:
    come(stage, "ana")
    ask(stage)
    before = told(stage)
    stage.sweep()
    stage.sweep()
    assert told(stage) == before


def test_anybody_may_take_it_and_then_it_is_theirs(stage: Any) -> None:
    come(stage, "ana")
    ask(stage)
    stage.run(stage.conversations.take_over(stage.conversation().id, reviewer="zoe"))
    stage.sweep()
    wait = wait_of(stage)
    assert (wait.person, wait.why, wait.is_taken) == ("zoe", Why.TOOK, True)
    assert wait.words == "zoe took the conversation."
    stage.run(stage.conversations.say(stage.conversation().id, "Here I am.", reviewer="zoe"))
    stage.settle()
    stage.sweep()
    assert waits(stage) == []


def test_who_lets_it_lie_loses_it_and_the_next_gets_it(stage: Any) -> None:
    come(stage, "ana", "ben")
    ask(stage)
    first = wait_of(stage).person
    be_there(stage, 100, "ana", "ben")
    assert wait_of(stage).person == first
    be_there(stage, 40, "ana", "ben")
    wait = wait_of(stage)
    assert {first, wait.person} == {"ana", "ben"}
    assert wait.lost == (first,)
    assert told(stage, "lost")[0].body["why"] == "lies"


def test_who_is_at_it_keeps_it(stage: Any) -> None:
    come(stage, "ana", "ben")
    ask(stage)
    first, hold = wait_of(stage).person, stage.open_holds[0]
    for _ in range(10):
        stage.run(stage.holds.claim(hold.id, reviewer=first))
        be_there(stage, 20, "ana", "ben")
    assert wait_of(stage).person == first


def test_what_somebody_is_at_is_offered_to_nobody_else(stage: Any) -> None:
    ask(stage)
    stage.run(stage.holds.claim(stage.open_holds[0].id, reviewer="zoe"))
    be_there(stage, 20, "ana")
    assert wait_of(stage).person is None
    be_there(stage, 60, "ana")
    assert wait_of(stage).person == "ana"


def test_who_goes_loses_it_after_a_while(stage: Any) -> None:
    come(stage, "ana")
    ask(stage)
    assert wait_of(stage).person == "ana"
    be_there(stage, 80, "ben")
    assert wait_of(stage).person == "ana"
    be_there(stage, 20, "ben")
    assert wait_of(stage).person == "ben"
    assert told(stage, "lost")[0].body["why"] == "gone"


def test_who_says_that_they_are_away_gets_none_with_the_console_open(stage: Any) -> None:
    come(stage, "ana")
    said = stage.run(stage.teams.say("ana", is_away=True, by="ana"))
    assert (said.is_here, said.is_away) == (False, True)
    ask(stage)
    assert wait_of(stage).person is None
    assert wait_of(stage).why is Why.NOBODY_HERE
    come(stage, "ana")
    stage.run(stage.teams.say("ana", is_away=False, by="ana"))
    stage.sweep()
    assert wait_of(stage).person == "ana"
    assert [entry.body["away"] for entry in told(stage, "said")] == [True, False]


def test_who_says_that_they_are_there_is_there_without_a_console_until_then(stage: Any) -> None:
    stage.run(stage.teams.say("ana", is_away=False, for_s=60, by="ana"))
    assert stage.run(stage.teams.person("ana")).is_here
    stage.clock.advance(61)
    assert not stage.run(stage.teams.person("ana")).is_here
    with pytest.raises(InputError, match="for_s"):
        stage.run(stage.teams.say("ana", is_away=False, for_s=0, by="ana"))


def test_being_away_for_a_while_ends_by_itself(stage: Any) -> None:
    come(stage, "ana")
    stage.run(stage.teams.say("ana", is_away=True, for_s=30, by="ana"))
    stage.clock.advance(31)
    come(stage, "ana")
    assert stage.run(stage.teams.person("ana")).is_here


def test_overflow_is_asked_when_the_team_did_not_come(stage: Any) -> None:
    come(stage, "eve")
    ask(stage)
    assert wait_of(stage).person is None
    be_there(stage, 320, "eve")
    wait = wait_of(stage)
    assert (wait.team, wait.person) == ("all", "eve")


def test_a_conversation_that_somebody_took_and_left_waiting_is_put_before_people_again(stage: Any) -> None:
    come(stage, "ana", "ben")
    ask(stage)
    stage.run(stage.conversations.take_over(stage.conversation().id, reviewer="ana"))
    stage.sweep()
    assert stage.open_holds == []
    since = wait_of(stage).waits_since
    be_there(stage, 120, "ben")
    (hold,) = stage.open_holds
    assert (hold.kind, hold.reasons) == (HoldKind.HAND_OFF, ("left_waiting",))
    wait = wait_of(stage)
    assert (wait.person, wait.hold_id, wait.waits_since) == ("ben", hold.id, since)
    assert stage.conversation().taken_by is None
    stage.give(hold, VerdictKind.RESPOND, "Sorry for the wait.", reviewer="ben")
    stage.settle()
    stage.sweep()
    assert waits(stage) == []
    assert stage.open_holds == []


def test_a_second_message_does_not_begin_the_time_anew(stage: Any) -> None:
    come(stage, "ana")
    ask(stage)
    stage.run(stage.conversations.take_over(stage.conversation().id, reviewer="ana"))
    be_there(stage, 100, "ana")
    since = wait_of(stage).waits_since
    stage.ask("Are you there?")
    be_there(stage, 20, "ana")
    wait = wait_of(stage)
    assert (wait.waits_since, wait.person) == (since, "ana")
    assert wait.hold_id == stage.open_holds[0].id
    stage.run(stage.conversations.say(stage.conversation().id, "Yes.", reviewer="ana"))
    stage.settle()
    stage.sweep()
    assert waits(stage) == []


def test_many_that_were_taken_keep_no_answered_one_waiting(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy.staffing.flow.AT_ONCE_MAX", 1)
    come(stage, "ana")
    for to in ("e-1", "e-2"):
        ask(stage, to)
        stage.run(stage.conversations.take_over(stage.conversation(to).id, reviewer="ana"))
        stage.sweep()
    stage.run(stage.conversations.say(stage.conversation("e-2").id, "Hello.", reviewer="ana"))
    stage.settle()
    stage.sweep()
    assert [wait.conversation_id for wait in waits(stage)] == [stage.conversation("e-1").id]


def test_handing_back_ends_it(stage: Any) -> None:
    come(stage, "ana")
    ask(stage)
    stage.run(stage.conversations.take_over(stage.conversation().id, reviewer="ana"))
    stage.run(stage.conversations.hand_back(stage.conversation().id, reviewer="ana"))
    stage.sweep()
    assert waits(stage) == []
    assert told(stage, "ended")[0].body["ending"] == Ending.HANDED_BACK.value


# A lead ------------------------------------------------------------------------------------------------------------


def test_a_lead_gives_one_to_somebody_and_takes_it_back(stage: Any) -> None:
    come(stage, "ana", "eve")
    stage.ask("I need a person.")
    hold = stage.open_holds[0]
    given = stage.run(stage.teams.assign(hold.id, "eve", by="lea"))
    assert (given.person, given.team, given.why, given.words) == ("eve", "all", Why.LEAD, "lea gave it to eve.")
    again = stage.run(stage.teams.assign(hold.id, "eve", by="lea"))
    assert again == given
    stage.run(stage.teams.assign(hold.id, None, by="lea"))
    stage.sweep()
    assert wait_of(stage).person == "ana"
    assert [entry.actor for entry in told(stage, "assigned")] == ["lea", "system"]


def test_a_lead_gives_a_taken_conversation_to_somebody_else(stage: Any) -> None:
    come(stage, "ana", "ben")
    ask(stage)
    stage.run(stage.conversations.take_over(stage.conversation().id, reviewer="ana"))
    stage.sweep()
    stage.run(stage.teams.assign(wait_of(stage).hold_id, "ben", by="lea"))
    stage.sweep()
    (hold,) = stage.open_holds
    assert (wait_of(stage).person, wait_of(stage).hold_id) == ("ben", hold.id)


def test_a_lead_names_people_who_are_there_and_hand_offs_that_wait(stage: Any) -> None:
    ask(stage)
    hold = stage.open_holds[0]
    with pytest.raises(InputError, match="'nemo' is in no team; there is: ana, ben, eve"):
        stage.run(stage.teams.assign(hold.id, "nemo", by="lea"))
    stage.give(hold, VerdictKind.RESPOND, "Hello.")
    stage.settle()
    stage.sweep()
    with pytest.raises(NotFound, match="nobody waits"):
        stage.run(stage.teams.assign(hold.id, "ana", by="lea"))


def test_teams_are_shown_with_who_is_here_and_what_waits(stage: Any) -> None:
    come(stage, "ana")
    ask(stage)
    orders, everybody = stage.run(stage.teams.teams())
    assert [(one.name, one.is_here, one.open_hand_offs) for one in orders.people] == [
        ("ana", True, 1),
        ("ben", False, 0),
    ]
    assert (orders.waiting, orders.is_open, everybody.waiting) == (1, True, 0)
