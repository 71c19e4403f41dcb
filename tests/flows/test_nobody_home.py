"""Whoever needs a person while nobody is there is told when somebody writes, once, and that is owed and kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from understudy.effects.absence import NobodyHome
from understudy.records.conversation import Author, Mode
from understudy.records.evidence import Draft
from understudy.records.pledges import USUAL_PLEDGES, PledgeKind, PledgeState
from understudy.records.policy import OpeningHours, OpenPeriod
from understudy.records.rulebook import Level, SafeReply
from understudy.testing.scripted import ScriptedAgent

Build = Callable[..., Any]
NOTICE = SafeReply(id="handed_over", version=1, text="A colleague takes over.")
AWAY = SafeReply(id="away", version=2, text="Nobody is here now. Somebody writes to you by {date}, {time}.")
HOURS = OpeningHours(
    timezone="UTC", periods=tuple(OpenPeriod(weekday=day, from_minute=540, to_minute=1020) for day in range(5))
)


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    """Each draft asks for a person; people are there on workdays from nine to five."""
    rules = staging.rules(Level.ASSIST, safe_replies=(NOTICE, AWAY), hand_off_notice="handed_over", hours=HOURS)
    nobody_home = NobodyHome(reply=AWAY, hours=HOURS, pledges=USUAL_PLEDGES)
    agent = ScriptedAgent(Draft(text="I will get somebody.", handoff=True))
    return build(agent=agent, rules=rules, nobody_home=nobody_home)


def sent(stage: Any) -> list[str]:
    return [entry.text for entry in stage.channel.delivered]


def go_to(stage: Any, hour: int) -> None:
    """Let time pass until this hour of the next workday."""
    now = stage.clock.now()
    day = now + timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    then = day.replace(hour=hour, minute=0, second=0, microsecond=0)
    stage.clock.advance((then - now).total_seconds())


def test_by_day_a_colleague_takes_over(stage: Any) -> None:
    go_to(stage, 11)
    stage.ask("I need a person.")
    assert sent(stage) == ["A colleague takes over."]
    assert stage.read(lambda tx: tx.pledges.listed(tuple(PledgeState), limit=5)) == []


def test_by_night_it_is_said_when_somebody_writes_and_owed_until_they_do(stage: Any) -> None:
    go_to(stage, 22)
    turn = stage.ask("I need a person.")
    (said,) = sent(stage)
    (owed,) = stage.read(lambda tx: tx.pledges.listed(tuple(PledgeState), limit=5))
    assert (owed.kind, owed.turn_id, owed.words) == (PledgeKind.WRITE, turn.id, said)
    assert f"by {owed.due_at:%Y-%m-%d}, 10:00." in said
    assert owed.due_at.astimezone(ZoneInfo("UTC")).hour == 10
    assert stage.conversation().mode is Mode.PERSON
    stage.ask("Hello? Is nobody there?")
    assert len(sent(stage)) == 1, "it is said once for an absence"
    stage.run(stage.conversations.take_over(stage.conversation().id, reviewer="Ben"))
    stage.run(stage.conversations.say(stage.conversation().id, "Good morning!", reviewer="Ben"))
    stage.settle()
    assert stage.read(lambda tx: tx.pledges.get(owed.id)).state is PledgeState.KEPT


def test_nobody_who_writes_breaks_it_and_people_hear_of_that_before(stage: Any) -> None:
    go_to(stage, 22)
    stage.ask("I need a person.")
    (owed,) = stage.read(lambda tx: tx.pledges.listed(tuple(PledgeState), limit=5))
    stage.pass_time((owed.warn_at - stage.clock.now()).total_seconds())
    assert "pledge.due" in [entry.event for entry in stage.ledger]
    stage.pass_time((owed.due_at - stage.clock.now()).total_seconds())
    assert stage.read(lambda tx: tx.pledges.get(owed.id)).state is PledgeState.BROKEN
    assert [hold.kind.value for hold in stage.open_holds] == ["hand_off"]


def test_a_second_absence_is_told_again(stage: Any) -> None:
    go_to(stage, 22)
    stage.ask("I need a person.")
    stage.run(stage.conversations.take_over(stage.conversation().id, reviewer="Ben"))
    stage.run(stage.conversations.say(stage.conversation().id, "Good evening!", reviewer="Ben"))
    stage.settle()
    stage.run(stage.conversations.hand_back(stage.conversation().id, reviewer="Ben"))
    go_to(stage, 23)
    stage.ask("A person again, please.")
    assert sum("Nobody is here now" in text for text in sent(stage)) == 2


def test_the_words_are_an_approved_text_with_its_version(stage: Any) -> None:
    go_to(stage, 22)
    stage.ask("I need a person.")
    (entry,) = stage.channel.delivered
    assert (entry.author, entry.author_name, entry.ai_generated) == (Author.SAFE_REPLY, "away@2", False)


def test_a_text_that_says_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="away"):
        NobodyHome(
            reply=SafeReply(id="away", version=1, text="Somebody writes on {date}."),
            hours=HOURS,
            pledges=USUAL_PLEDGES,
        )


def test_who_was_handed_off_by_day_and_writes_at_night_is_told_then(stage: Any) -> None:
    go_to(stage, 16)
    stage.ask("I need a person.")
    assert sent(stage) == ["A colleague takes over."]
    go_to(stage, 22)
    stage.ask("Hello? Is nobody there?")
    stage.ask("Hello?")
    assert [text.split(".")[0] for text in sent(stage)] == ["A colleague takes over", "Nobody is here now"]
    assert len(stage.read(lambda tx: tx.pledges.listed(tuple(PledgeState), limit=5))) == 1


def test_whoever_is_talked_to_by_a_person_is_not_told_that_nobody_is_there(stage: Any) -> None:
    go_to(stage, 16)
    stage.ask("I need a person.")
    stage.run(stage.conversations.take_over(stage.conversation().id, reviewer="Ben"))
    go_to(stage, 22)
    stage.ask("Are you still there?")
    assert sent(stage) == ["A colleague takes over."]
