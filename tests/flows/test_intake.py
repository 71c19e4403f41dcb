"""Intake: what comes in is stored once, joined to the right turn, and voids a draft it makes obsolete."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from understudy.errors import Overloaded, TooLarge
from understudy.ports.telemetry import HoldClosed, MessageReceived, TurnSuperseded
from understudy.records.conversation import Author, Mode
from understudy.records.evidence import Action, ChatMessage, ContactFacts, Draft, PipelineStep, ToolCall
from understudy.records.outbox import Accepted, Rejected, Retry, SendResult, Unknown
from understudy.records.review import HoldKind, HoldState
from understudy.records.rulebook import Level
from understudy.records.turn import TurnState
from understudy.testing.scripted import RecordingChannel, ScriptedAgent
from understudy.turn.admitting import IntakeLimits
from understudy.turn.coalescing import CoalescingLimits

Build = Callable[..., Any]

PATIENT = CoalescingLimits(window_s_min=1.0, window_s_max=4.0, burst_s_max=6.0)


def test_a_message_is_stored_before_it_is_acknowledged(build: Build) -> None:
    stage = build()
    received = stage.receive("Where is my order?")
    message = stage.messages()[0]
    assert (message, message.author, message.turn_id) == (received.message, Author.CUSTOMER, received.turn_id)
    assert stage.turn(received.turn_id).state is TurnState.COLLECTING


def test_a_repeated_message_changes_nothing(build: Build) -> None:
    stage = build()
    first = stage.receive("Hello", provider_id="p-1")
    before = stage.ledger
    again = stage.receive("Hello", provider_id="p-1")
    assert (again.is_duplicate, again.message, again.turn_id) == (True, first.message, first.turn_id)
    assert stage.ledger == before


def test_a_message_repeated_many_times_at_once_is_stored_once(build: Build) -> None:
    stage = build()

    async def at_once() -> list[Any]:
        inbound = stage.inbound("Hello", provider_id="p-1")
        return await asyncio.gather(*(stage.intake.receive("recording", inbound) for _ in range(20)))

    received = stage.run(at_once())
    assert sum(not one.is_duplicate for one in received) == 1
    assert len(stage.messages()) == 1
    assert len(stage.turns) == 1


def test_the_same_id_on_another_channel_is_another_message(build: Build) -> None:
    stage = build()
    stage.receive("Hello", provider_id="p-1")
    other = stage.run(stage.intake.receive("other", stage.inbound("Hello", provider_id="p-1")))
    assert other.is_duplicate is False


def test_a_duplicate_names_the_turn_that_answers_it_now(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST))
    stage.receive("One", provider_id="p-1")
    stage.settle()
    newer = stage.receive("Two")
    assert stage.receive("One", provider_id="p-1").turn_id == newer.turn_id


def test_telemetry_tells_a_duplicate_from_a_message(build: Build) -> None:
    stage = build()
    stage.receive("Hello", provider_id="p-1")
    stage.receive("Hello", provider_id="p-1")
    assert [event.is_duplicate for event in stage.emitted(MessageReceived)] == [False, True]


def test_messages_of_a_burst_become_one_turn(build: Build) -> None:
    stage = build(coalescing=PATIENT)
    turns = set()
    for text in ("hi", "my order", "where is it?"):
        turns.add(stage.receive(text).turn_id)
        stage.pass_time(0.5)
    stage.pass_time(5)
    assert len(turns) == 1
    assert stage.channel.texts == ["About: hi + my order + where is it?"]


def test_a_burst_is_waited_for(build: Build) -> None:
    stage = build(coalescing=PATIENT)
    stage.receive("my order")
    stage.pass_time(0.9)
    assert stage.agent.requests == []


def test_a_burst_ends_even_if_the_customer_never_stops(build: Build) -> None:
    stage = build(coalescing=PATIENT)
    first = stage.receive("and")
    for _ in range(7):
        stage.pass_time(0.95)
        stage.receive("and")
    assert stage.turn(first.turn_id).state is not TurnState.COLLECTING


def test_a_burst_is_answered_by_time_alone_where_the_hint_was_lost(build: Build) -> None:
    stage = build(coalescing=PATIENT)
    stage.receive("Where is it?")
    stage.hints.clear()
    stage.pass_time(5)
    assert stage.channel.texts == ["About: Where is it?"]


def test_a_later_topic_of_a_burst_replaces_the_earlier(build: Build) -> None:
    stage = build(coalescing=PATIENT)
    stage.receive("hi", topic="small_talk")
    assert stage.turn(stage.receive("refund!", topic="refunds").turn_id).topic == "refunds"
    assert stage.turn(stage.receive("now", topic=None).turn_id).topic == "refunds"


def test_a_message_while_the_agent_drafts_makes_that_draft_void(build: Build) -> None:
    gate = asyncio.Event()
    stage = build(agent=ScriptedAgent(["an old answer", "a new answer"], gate=gate))
    old = stage.receive("One")
    drafting = stage.start(stage.flow.advance(stage.conversation().id))
    new = stage.receive("Two")
    gate.set()
    stage.run(drafting)
    stage.settle()
    assert stage.channel.texts == ["a new answer"]
    assert stage.turn(old.turn_id).state is TurnState.SUPERSEDED
    assert stage.turn(old.turn_id).superseded_by == new.turn_id


def test_the_new_turn_answers_all_that_was_asked(build: Build) -> None:
    gate = asyncio.Event()
    stage = build(agent=ScriptedAgent(["an old answer", "a new answer"], gate=gate))
    stage.receive("One")
    drafting = stage.start(stage.flow.advance(stage.conversation().id))
    new = stage.receive("Two")
    gate.set()
    stage.run(drafting)
    stage.settle()
    assert [message.content for message in stage.agent.requests[-1].messages] == ["One", "Two"]
    assert {message.turn_id for message in stage.messages() if message.author is Author.CUSTOMER} == {new.turn_id}


def test_a_message_while_a_draft_is_on_hold_closes_the_hold(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST))
    old = stage.ask("One")
    hold = stage.open_holds[0]
    new = stage.receive("Two")
    closed = stage.read(lambda tx: tx.holds.get(hold.id))
    assert (closed.state, closed.superseded_by, closed.version) == (
        HoldState.SUPERSEDED,
        new.turn_id,
        hold.version + 1,
    )
    assert stage.turn(old.id).state is TurnState.SUPERSEDED


def test_telemetry_tells_of_a_turn_made_void_on_hold(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST))
    old = stage.ask("One")
    stage.clock.advance(30)
    new = stage.receive("Two")
    assert [(e.turn_id, e.superseded_by, e.was) for e in stage.emitted(TurnSuperseded)] == [
        (old.id, new.turn_id, "held")
    ]
    assert [(e.how, e.age_s) for e in stage.emitted(HoldClosed)] == [("superseded", 30.0)]


def test_a_draft_that_came_with_its_turn_is_not_asked_for(build: Build) -> None:
    stage = build(agent=ScriptedAgent([]))
    stage.submit("Where is it?", draft=Draft(text="On its way."))
    stage.settle()
    assert stage.channel.texts == ["On its way."]


def test_a_submitted_turn_without_a_draft_asks_the_agent(build: Build) -> None:
    stage = build()
    stage.submit("Where is it?")
    stage.settle()
    assert stage.channel.texts == ["About: Where is it?"]


def test_a_submitted_turn_makes_an_older_one_of_its_conversation_void(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST))
    old = stage.submit("One", draft=Draft(text="Old."))
    stage.settle()
    new = stage.submit("One and two", draft=Draft(text="New."))
    assert stage.turn(old.turn_id).superseded_by == new.turn_id


def test_a_submission_repeated_is_recognised(build: Build) -> None:
    stage = build()
    first = stage.submit("One", draft=Draft(text="A."), provider_id="t-1")
    again = stage.submit("One", draft=Draft(text="B."), provider_id="t-1")
    assert (again.is_duplicate, again.turn_id) == (True, first.turn_id)


def test_a_message_does_not_join_a_turn_whose_transcript_was_given(build: Build) -> None:
    stage = build()
    given = stage.submit("One")  # still collecting
    stage.receive("Two")
    stage.settle()
    assert stage.turn(given.turn_id).state is TurnState.SUPERSEDED
    assert stage.channel.texts == ["About: One + Two"]


def test_beyond_the_backlog_nothing_is_stored(build: Build) -> None:
    stage = build(intake=IntakeLimits(backlog_max=2))
    for number in range(2):
        stage.receive("Hello", to=f"e-{number}")
    before = stage.ledger
    with pytest.raises(Overloaded, match=r"limits\.backlog_max") as refused:
        stage.receive("Hello", provider_id="p", to="e-3")
    assert refused.value.retry_after_s > 0
    assert stage.ledger == before
    assert stage.read(lambda tx: tx.conversations.find("recording", "e-3")) is None


def test_a_message_that_joins_a_burst_is_taken_at_any_backlog(build: Build) -> None:
    stage = build(intake=IntakeLimits(backlog_max=1), coalescing=PATIENT)
    first = stage.receive("hi")
    assert stage.receive("there").turn_id == first.turn_id


def test_a_refused_message_is_taken_once_there_is_room(build: Build) -> None:
    stage = build(intake=IntakeLimits(backlog_max=1))
    stage.receive("Hello", to="e-1")
    with pytest.raises(Overloaded):
        stage.receive("Hello", to="e-2", provider_id="p")
    stage.settle()
    assert stage.receive("Hello", to="e-2", provider_id="p").is_duplicate is False


def test_an_overlong_message_is_refused_and_says_the_limit(build: Build) -> None:
    stage = build(intake=IntakeLimits(message_chars_max=10))
    with pytest.raises(TooLarge, match=r"11 characters; at most 10 .*limits\.message_chars_max"):
        stage.receive("x" * 11)
    assert stage.ledger == []
    assert stage.receive("x" * 10).is_duplicate is False


@pytest.mark.parametrize(("name", "chars"), [("provider_id", 500), ("address", 500), ("topic", 200)])
def test_an_overlong_name_is_refused_as_every_database_would(build: Build, name: str, chars: int) -> None:
    stage = build()
    with pytest.raises(TooLarge, match=f"{name} has {chars + 1} characters"):
        stage.run(stage.intake.receive("recording", replace(stage.inbound("Hello"), **{name: "x" * (chars + 1)})))
    stage.run(stage.intake.receive("recording", replace(stage.inbound("Hello"), **{name: "x" * chars})))
    assert len(stage.messages()) == 1


def test_a_card_number_is_masked_before_it_is_first_written(build: Build) -> None:
    stage = build()
    stage.receive("My card is 4242 4242 4242 4242.")
    stage.submit("It is 4242424242424242.", to="e-2")
    assert "4242 4242" not in stage.messages()[0].text
    assert b"4242424242424242" not in _bytes(stage)
    assert b"4242 4242" not in _bytes(stage)


def test_a_card_number_in_a_submitted_draft_is_masked_before_it_is_first_written(build: Build) -> None:
    stage = build()
    stage.submit("Hello", draft=Draft(text="Your card 4242424242424242 was charged."))
    stage.settle()
    assert b"4242424242424242" not in _bytes(stage)


def test_a_card_number_in_what_a_tool_was_given_is_masked_before_it_is_first_written(build: Build) -> None:
    stage = build()
    given = '{"card": 4242424242424242}'
    draft = Draft(
        text="Done.",
        tool_calls=(ToolCall(id="1", name="pay", arguments=given, error="4242424242424242 declined"),),
        actions=(Action(name="charge", arguments={"card": 4242424242424242, "cards": ["4242 4242 4242 4242"]}),),
        pipeline=(PipelineStep(name="plan", input="4242-4242-4242-4242"),),
    )
    stage.submit("Hello", draft=draft)
    stage.settle()
    assert b"4242424242424242" not in _bytes(stage)
    assert b"4242-4242" not in _bytes(stage)
    assert b"4242 4242" not in _bytes(stage)


def test_what_a_caller_knows_of_the_customer_is_in_the_evidence(build: Build) -> None:
    stage = build()
    known = ContactFacts(name="Kim", emails=("kim@mail.example",), tags=("vip",))
    asked = (ChatMessage(role="user", content="Hello"),)
    received = stage.run(
        stage.intake.submit(
            "recording", stage.inbound("Hello"), transcript=asked, draft=Draft(text="Hi"), contact=known
        )
    )
    stage.settle()
    evidence = json.loads(stage.read(lambda tx: tx.artifacts.get(received.turn_id, "evidence")))
    assert (evidence["contact"]["name"], evidence["contact"]["tags"]) == ("Kim", ["vip"])


def _bytes(stage: Any) -> bytes:
    path = stage.plan.path
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


def test_a_new_contact_is_told_from_a_known_one(build: Build) -> None:
    stage = build()
    stage.receive("Hello", contact_name="Ada", to="e-1")
    stage.receive("Hello", contact_email="ada@example.com", to="e-1")
    contact = stage.read(lambda tx: tx.contacts.get(stage.conversation().contact_id))
    assert (contact.name, contact.email) == ("Ada", "ada@example.com")


@pytest.mark.parametrize("bad", ["\x00", "\ud83d"], ids=["nul", "half an emoji"])
def test_what_no_database_takes_is_replaced_when_it_comes_in(build: Build, bad: str) -> None:
    stage = build()
    stage.ask(f"Hel{bad}lo", contact_name=f"A{bad}da", provider_id=f"p{bad}")
    message = stage.messages()[0]
    assert (message.text, message.author_name) == ("Hel\ufffdlo", "A\ufffdda")
    assert stage.channel.texts == ["About: Hel\ufffdlo"]


@pytest.mark.parametrize("bad", ["\x00", "\ud83d"], ids=["nul", "half an emoji"])
def test_what_no_database_takes_is_replaced_in_a_submitted_turn(build: Build, bad: str) -> None:
    stage = build()
    stage.submit(f"Hel{bad}lo", draft=Draft(text=f"Wel{bad}come", agent_version=f"v{bad}"))
    stage.settle()
    assert stage.channel.texts == ["Wel\ufffdcome"]


def test_a_message_in_a_conversation_with_a_person_asks_no_agent(build: Build) -> None:
    stage = build(agent=ScriptedAgent([]))
    stage.receive("Hello")
    stage.run(stage.conversations.take_over(stage.conversation().id, reviewer="rosa"))
    stage.settle()
    assert stage.conversation().mode is Mode.PERSON
    assert stage.agent.requests == []


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [(Unknown(reason="lost"), HoldKind.UNSURE_SEND), (Rejected(reason="too long"), HoldKind.HAND_OFF)],
)
def test_a_customer_who_writes_again_voids_only_the_draft(
    build: Build, staging: ModuleType, outcome: SendResult, kind: HoldKind
) -> None:
    """What a person wrote, and belongs to no turn, went wrong while the agent's next draft was waiting."""
    answers = [Accepted(), Retry(reason="busy", after_s=60), outcome]
    channel = RecordingChannel(answers=answers, honours_keys=False)
    stage = build(channel=channel, rules=staging.rules(Level.ASSIST))
    conversation = stage.ask("When?").conversation_id
    stage.run(stage.conversations.take_over(conversation, reviewer="rosa"))
    for text in ("Tomorrow.", "Or on Monday."):
        stage.run(stage.conversations.say(conversation, text, reviewer="rosa"))
        stage.settle()
    stage.run(stage.conversations.hand_back(conversation, reviewer="rosa"))
    stage.ask("And where?")
    stage.pass_time(61)
    (asked,) = (hold for hold in stage.open_holds if hold.kind is kind)
    stage.ask("Hello?")
    assert [hold.id for hold in stage.open_holds if hold.kind is kind] == [asked.id]
