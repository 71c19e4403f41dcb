"""A person in a conversation: takes it over, writes, hands it back; the agent does not speak meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import pytest

from understudy.effects.handing_off import set_mode
from understudy.errors import Conflict, InputError, NotFound
from understudy.records.conversation import Author, Mode
from understudy.records.evidence import Draft
from understudy.records.outbox import OutboxState, Retry, Unknown
from understudy.records.review import HoldKind, HoldState
from understudy.records.rulebook import Level
from understudy.records.turn import TurnState
from understudy.testing.scripted import RecordingChannel, ScriptedAgent
from understudy.turn import flow

Build = Callable[..., Any]

HANDS_OFF = Draft(text="I will get a colleague.", handoff=True)


def take_over(stage: Any, reviewer: str = "rosa") -> Any:
    return stage.run(stage.conversations.take_over(stage.conversation().id, reviewer=reviewer))


def say(stage: Any, text: str, reviewer: str = "rosa") -> Any:
    entry = stage.run(stage.conversations.say(stage.conversation().id, text, reviewer=reviewer))
    stage.settle()
    return entry


def hand_back(stage: Any) -> Any:
    return stage.run(stage.conversations.hand_back(stage.conversation().id, reviewer="rosa"))


def test_taking_over_says_who_has_it(build: Build) -> None:
    stage = build()
    stage.ask("Hello")
    taken = take_over(stage)
    assert (taken.mode, taken.taken_by) == (Mode.PERSON, "rosa")
    assert stage.conversation() == taken


def test_taking_over_voids_a_draft_on_hold(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST))
    turn = stage.ask("Hello")
    hold = stage.open_holds[0]
    take_over(stage)
    assert stage.read(lambda tx: tx.holds.get(hold.id)).state is HoldState.DECIDED
    assert stage.turn(turn.id).state is TurnState.HANDED_OFF
    assert stage.channel.texts == []


def test_taking_over_leaves_an_unsure_send_to_be_cleared(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Unknown(reason="reset")], honours_keys=False))
    stage.ask("Hello")
    take_over(stage)
    assert [hold.kind for hold in stage.open_holds] == [HoldKind.UNSURE_SEND]


def test_what_a_person_writes_is_sent_as_theirs(build: Build) -> None:
    stage = build(agent=ScriptedAgent(HANDS_OFF))
    stage.ask("Help")
    take_over(stage)
    entry = say(stage, "Rosa here.")
    assert (entry.author, entry.author_name, entry.ai_generated) == (Author.REVIEWER, "rosa", False)
    assert stage.channel.texts == ["Rosa here."]


def test_what_a_person_writes_answers_the_turn_that_waited(build: Build) -> None:
    stage = build(agent=ScriptedAgent(HANDS_OFF))
    turn = stage.ask("Help")
    take_over(stage)
    say(stage, "Rosa here.")
    assert stage.turn(turn.id).state is TurnState.ANSWERED


def test_writing_takes_an_open_hand_off(build: Build) -> None:
    stage = build(agent=ScriptedAgent(HANDS_OFF))
    stage.ask("Help")
    say(stage, "Emil here.", reviewer="emil")
    assert stage.open_holds == []
    assert stage.conversation().taken_by == "emil"


def test_a_person_may_write_several_times(build: Build) -> None:
    stage = build(agent=ScriptedAgent(HANDS_OFF))
    stage.ask("Help")
    for text in ("One.", "Two.", "Three."):
        say(stage, text)
    assert stage.channel.texts == ["One.", "Two.", "Three."]


def test_nobody_writes_where_the_agent_answers(build: Build) -> None:
    stage = build()
    stage.ask("Hello")
    with pytest.raises(Conflict, match="take it over"):
        say(stage, "Me too!")


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_text_is_refused(build: Build, text: str) -> None:
    stage = build()
    stage.ask("Hello")
    take_over(stage)
    with pytest.raises(InputError, match="empty"):
        say(stage, text)


def test_an_overlong_text_is_refused(build: Build) -> None:
    stage = build()
    stage.ask("Hello")
    take_over(stage)
    with pytest.raises(InputError, match="20001 characters"):
        say(stage, "x" * 20_001)


@pytest.mark.parametrize("bad", ["\x00", "\ud83d"], ids=["nul", "half an emoji"])
def test_what_no_database_takes_is_replaced_in_what_a_person_writes(build: Build, bad: str) -> None:
    stage = build()
    stage.ask("Hello")
    take_over(stage)
    say(stage, f"Ro{bad}sa here.")
    assert stage.channel.texts[-1] == "Ro\ufffdsa here."


def test_a_missing_conversation_is_named(build: Build) -> None:
    stage = build()
    with pytest.raises(NotFound, match="'none'"):
        stage.run(stage.conversations.say("none", "Hello", reviewer="rosa"))


def test_the_agent_answers_again_after_the_hand_back(build: Build) -> None:
    stage = build(agent=ScriptedAgent([HANDS_OFF, "Gladly."]))
    stage.ask("Help")
    say(stage, "Rosa here.")
    hand_back(stage)
    assert stage.conversation().taken_by is None
    turn = stage.ask("Thanks, and the opening hours?")
    assert stage.channel.texts == ["Rosa here.", "Gladly."]
    assert turn.state is TurnState.ANSWERED


def test_the_agent_is_told_what_a_person_said(build: Build) -> None:
    stage = build(agent=ScriptedAgent([HANDS_OFF, "Gladly."]))
    stage.ask("Help")
    say(stage, "Rosa here.")
    hand_back(stage)
    stage.ask("Thanks")
    said = [(m.role, m.content, m.person) for m in stage.agent.requests[-1].messages]
    assert said == [("user", "Help", False), ("assistant", "Rosa here.", True), ("user", "Thanks", False)]


def test_handing_back_leaves_an_unsure_send_to_be_cleared(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Unknown(reason="reset")], honours_keys=False))
    stage.ask("Hello")
    take_over(stage)
    hand_back(stage)
    assert [hold.kind for hold in stage.open_holds] == [HoldKind.UNSURE_SEND]


def test_a_draft_that_comes_after_the_take_over_is_not_sent(build: Build) -> None:
    gate = asyncio.Event()
    stage = build(agent=ScriptedAgent("Too late.", gate=gate))
    stage.receive("Hello")
    drafting = stage.start(stage.flow.advance(stage.conversation().id))
    take_over(stage)
    gate.set()
    stage.run(drafting)
    stage.settle()
    assert stage.channel.texts == []
    assert [hold.kind for hold in stage.open_holds] == [HoldKind.HAND_OFF]


def test_a_decision_from_before_the_take_over_is_not_sent_after_it(build: Build) -> None:
    stage = build()
    received = stage.receive("Hello")
    stage.gather_only()
    take_over(stage)
    stage.settle()
    assert stage.channel.texts == []
    assert [hold.turn_id for hold in stage.open_holds] == [received.turn_id]


def test_an_answer_of_the_agent_that_waits_for_its_retry_does_not_follow_a_person(build: Build) -> None:
    """Trap: the agent answers over a person who took the conversation over."""
    stage = build(channel=RecordingChannel(answers=[Retry(reason="busy", after_s=40)]))
    turn = stage.ask("When?")
    take_over(stage)
    say(stage, "I am Rosa.")
    stage.pass_time(100)
    assert [(entry.author, entry.text) for entry in stage.channel.delivered] == [(Author.REVIEWER, "I am Rosa.")]
    assert stage.turn(turn.id).state is TurnState.ANSWERED
    dropped = stage.entries_of(turn)[0]
    assert (dropped.state, dropped.last_error) == (OutboxState.DROPPED, "dropped by rosa: a person answers")


def test_an_answer_that_may_have_arrived_is_not_laid_aside(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Unknown(reason="reset")], honours_keys=True))
    turn = stage.ask("When?")
    take_over(stage)
    stage.pass_time(100)
    assert stage.entries_of(turn)[0].state is OutboxState.SENT


def test_a_take_over_in_the_middle_of_an_assessment_voids_its_decision(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = build()
    decides = flow.assess

    def interrupted(*arguments: Any, **options: Any) -> Any:
        conversation = stage.conversation()
        if conversation.mode is Mode.AGENT:
            step = partial(set_mode, conversation_id=conversation.id, mode=Mode.PERSON, taken_by="rosa")
            stage.kept.write_now(lambda tx: step(tx, stage.clock))
        return decides(*arguments, **options)

    monkeypatch.setattr(flow, "assess", interrupted)
    turn = stage.ask("Hello")
    assert stage.channel.texts == []
    assert (turn.state, turn.reasons[0]) == (TurnState.HANDED_OFF, "conversation_with_person")
