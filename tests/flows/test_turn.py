"""A turn from its first message to its decision, and that each decision has the effect it names, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from understudy.errors import AgentUnavailable
from understudy.ports.telemetry import HoldOpened, TurnDecided
from understudy.records.assessment import Assessment, DecisionKind
from understudy.records.codec import digest, dump, load
from understudy.records.conversation import Author, Mode
from understudy.records.evidence import ChatMessage, Draft, Evidence
from understudy.records.outbox import OutboxState
from understudy.records.review import HoldKind
from understudy.records.rulebook import Grant, Level
from understudy.records.turn import TurnState
from understudy.testing.scripted import RecordingChannel, ScriptedAgent

Build = Callable[..., Any]

HANDS_OFF = Draft(text="I will get a colleague.", handoff=True)


def document(stage: Any, turn: Any, kind: str) -> str:
    text = stage.read(lambda tx: tx.artifacts.get(turn.id, kind))
    assert text is not None
    return str(text)


def test_a_turn_goes_through_every_step_and_each_is_in_the_ledger(build: Build) -> None:
    stage = build()
    turn = stage.ask("Where is it?")
    assert turn.state is TurnState.ANSWERED
    assert stage.ledger_events == [
        "message.received",
        "turn.drafting",
        "agent.asked",
        "turn.drafted",
        "rulebook.added",
        "turn.gathered",
        "turn.decided",
        "outbox.queued",
        "outbox.sending",
        "outbox.accepted",
        "turn.answered",
    ]


def test_the_ledger_names_the_stored_documents_by_digest(build: Build) -> None:
    stage = build()
    turn = stage.ask("Where is it?")
    decided = next(entry for entry in stage.ledger if entry.event == "turn.decided")
    assert digest(document(stage, turn, "assessment")) in decided.body
    assert digest(document(stage, turn, "evidence")) in decided.body


def test_the_ledger_holds_no_text_of_a_message(build: Build) -> None:
    stage = build(agent=ScriptedAgent("Your parcel with the xylophone left today."))
    stage.ask("Where is my xylophone?")
    assert not [entry for entry in stage.ledger if "xylophone" in repr(entry)]


def test_a_delivered_draft_is_marked_as_made_by_ai(build: Build) -> None:
    stage = build()
    turn = stage.ask("Where is it?")
    entry = stage.entries_of(turn)[0]
    assert (entry.author, entry.ai_generated, entry.state) == (Author.AGENT, True, OutboxState.SENT)


def test_what_was_sent_becomes_part_of_the_conversation(build: Build) -> None:
    stage = build()
    turn = stage.ask("Where is it?")
    assert [(m.author, m.text, m.turn_id) for m in stage.messages()] == [
        (Author.CUSTOMER, "Where is it?", turn.id),
        (Author.AGENT, "About: Where is it?", turn.id),
    ]


def test_the_agent_sees_the_conversation_so_far(build: Build) -> None:
    stage = build(agent=ScriptedAgent(["One moment.", "Tomorrow."]))
    stage.ask("Hello", contact_name="Ada", contact_email="ada@example.com")
    stage.ask("When?")
    request = stage.agent.requests[-1]
    assert request.messages == (
        ChatMessage(role="user", content="Hello"),
        ChatMessage(role="assistant", content="One moment."),
        ChatMessage(role="user", content="When?"),
    )
    assert (request.contact.name, request.contact.emails) == ("Ada", ("ada@example.com",))


def test_a_decided_turn_can_be_read_back_whole(build: Build) -> None:
    stage = build()
    turn = stage.ask("Where is it?")
    evidence = load(Evidence, document(stage, turn, "evidence"))
    assessment = load(Assessment, document(stage, turn, "assessment"))
    assert evidence.draft == Draft(text="About: Where is it?", agent="echo", agent_version="v1")
    assert (turn.decision, turn.confidence) == (assessment.decision.kind, assessment.confidence.value)
    assert (turn.rulebook_id, turn.agent_version) == (stage.rulebook.id, "v1")
    assert turn.reasons == tuple(reason.code for reason in assessment.decision.reasons)


def test_a_hold_opens_one_draft_hold_that_sends_nothing(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST))
    turn = stage.ask("Where is it?")
    hold = stage.open_holds[0]
    assert (turn.state, hold.kind, hold.turn_id, hold.reasons) == (
        TurnState.HELD,
        HoldKind.DRAFT,
        turn.id,
        ("level_assist",),
    )
    assert hold.expires_at is not None
    assert (hold.expires_at - hold.created_at).total_seconds() == 900
    assert stage.channel.attempts == []


def test_a_hand_off_gives_the_conversation_to_a_person_with_one_hold(build: Build) -> None:
    stage = build(agent=ScriptedAgent(HANDS_OFF))
    turn = stage.ask("Help")
    assert (turn.state, turn.decision) == (TurnState.HANDED_OFF, DecisionKind.HAND_OFF)
    assert stage.conversation().mode is Mode.PERSON
    assert [(hold.kind, hold.turn_id) for hold in stage.open_holds] == [(HoldKind.HAND_OFF, turn.id)]
    assert stage.channel.texts == []


def test_the_hand_off_notice_is_sent_once(build: Build, staging: ModuleType) -> None:
    stage = build(agent=ScriptedAgent(HANDS_OFF), rules=staging.rules(hand_off_notice="notice"))
    stage.ask("Help")
    stage.ask("Hello?")
    assert stage.channel.texts == [staging.NOTICE.text]
    notice = stage.messages()[1]
    assert (notice.author, notice.author_name) == (Author.SAFE_REPLY, "notice@1")


def test_the_hand_off_notice_leaves_the_turn_with_a_person(build: Build, staging: ModuleType) -> None:
    stage = build(agent=ScriptedAgent(HANDS_OFF), rules=staging.rules(hand_off_notice="notice"))
    assert stage.ask("Help").state is TurnState.HANDED_OFF


def test_a_message_to_a_person_opens_no_second_hand_off(build: Build) -> None:
    stage = build(agent=ScriptedAgent([HANDS_OFF]))
    stage.ask("Help")
    turn = stage.ask("Are you there?")
    assert turn.state is TurnState.HANDED_OFF
    assert turn.reasons[0] == "conversation_with_person"
    assert [hold.kind for hold in stage.open_holds] == [HoldKind.HAND_OFF]


def test_a_message_to_a_person_makes_an_answer_to_the_earlier_ones_stale(build: Build) -> None:
    stage = build(agent=ScriptedAgent([HANDS_OFF]))
    stage.ask("Help")
    seen = stage.open_holds[0]
    stage.ask("And it burns!")
    assert stage.open_holds[0].version > seen.version


def test_a_message_after_the_person_answered_waits_for_a_person_again(build: Build) -> None:
    stage = build(agent=ScriptedAgent([HANDS_OFF]))
    stage.ask("Help")
    conversation = stage.conversation().id
    stage.run(stage.conversations.say(conversation, "Hello, Rosa here.", reviewer="rosa"))
    stage.settle()
    turn = stage.ask("My kettle burns")
    assert [hold.turn_id for hold in stage.open_holds] == [turn.id]
    assert len(stage.agent.requests) == 1


def test_a_failed_agent_degrades_to_the_approved_reply(build: Build, staging: ModuleType) -> None:
    stage = build(agent=ScriptedAgent(AgentUnavailable()), rules=staging.rules(degrade_on=(("agent_failed", "sorry"),)))
    turn = stage.ask("Where is it?")
    entry = stage.entries_of(turn)[0]
    assert (turn.state, turn.decision) == (TurnState.ANSWERED, DecisionKind.DEGRADE)
    assert (entry.text, entry.author, entry.author_name, entry.ai_generated) == (
        staging.SORRY.text,
        Author.SAFE_REPLY,
        "sorry@1",
        False,
    )
    assert stage.conversation().mode is Mode.AGENT
    assert stage.open_holds == []


def test_a_safe_reply_with_follow_up_also_hands_over_to_a_person(build: Build, staging: ModuleType) -> None:
    stage = build(
        agent=ScriptedAgent(AgentUnavailable()), rules=staging.rules(degrade_on=(("agent_failed", "follow_up"),))
    )
    turn = stage.ask("Where is it?")
    assert stage.channel.texts == [staging.FOLLOW_UP.text]
    assert turn.state is TurnState.ANSWERED
    assert stage.conversation().mode is Mode.PERSON
    assert [(hold.kind, hold.turn_id) for hold in stage.open_holds] == [(HoldKind.HAND_OFF, turn.id)]


def test_a_safe_reply_is_not_sent_twice_in_a_row(build: Build, staging: ModuleType) -> None:
    stage = build(agent=ScriptedAgent(AgentUnavailable()), rules=staging.rules(degrade_on=(("agent_failed", "sorry"),)))
    stage.ask("Where is it?")
    turn = stage.ask("Well?")
    assert stage.channel.texts == [staging.SORRY.text]
    assert turn.state is TurnState.HANDED_OFF


def test_a_failed_agent_without_an_approved_reply_brings_a_person_in(build: Build) -> None:
    stage = build(agent=ScriptedAgent(AgentUnavailable()))
    turn = stage.ask("Where is it?")
    assert (turn.state, turn.reasons) == (TurnState.HANDED_OFF, ("agent_failed",))


def test_turns_of_a_conversation_are_answered_in_order(build: Build) -> None:
    gate = asyncio.Event()
    stage = build(channel=RecordingChannel(gate=gate))
    stage.receive("One")
    stage.run(stage.flow.advance(stage.conversation().id))
    sending = stage.start(stage.outbox.deliver(stage.conversation().id))
    stage.receive("Two")  # the first answer is on its way: too late to make it void
    stage.run(stage.flow.advance(stage.conversation().id))
    assert len(stage.agent.requests) == 1
    gate.set()
    stage.run(sending)
    stage.settle()
    assert stage.channel.texts == ["About: One", "About: One + Two"]


def test_conversations_do_not_wait_for_each_other(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST))
    stage.ask("One", to="e-1")
    stage.ask("Two", to="e-2")
    assert len(stage.open_holds) == 2


def test_a_draft_under_way_elsewhere_is_not_asked_for_again(build: Build) -> None:
    gate = asyncio.Event()
    stage = build(agent=ScriptedAgent("Tomorrow.", gate=gate))
    stage.receive("When?")
    drafting = stage.start(stage.flow.advance(stage.conversation().id))
    stage.settle()
    stage.pass_time(stage.drafting.lease_s - 1)
    assert len(stage.agent.requests) == 1
    gate.set()
    stage.run(drafting)


def test_a_draft_whose_worker_died_is_asked_for_again_after_its_lease(build: Build) -> None:
    gate = asyncio.Event()
    stage = build(agent=ScriptedAgent("Tomorrow.", gate=gate))
    stage.receive("When?")
    drafting = stage.start(stage.flow.advance(stage.conversation().id))
    drafting.cancel()
    gate.set()
    stage.pass_time(stage.drafting.lease_s + 1)
    assert stage.channel.texts == ["Tomorrow."]
    assert len(stage.agent.requests) == 2


def test_a_late_draft_of_a_dead_worker_is_thrown_away(build: Build) -> None:
    gate = asyncio.Event()
    agent = ScriptedAgent(["the quick", "the late"], gate=gate)
    stage = build(agent=agent)
    stage.receive("When?")
    slow = stage.start(stage.flow.advance(stage.conversation().id))
    agent.gate = None
    stage.pass_time(stage.drafting.lease_s + 1)
    gate.set()
    stage.run(slow)
    stage.settle()
    assert len(agent.requests) == 2
    assert stage.channel.texts == ["the quick"]


def test_release_leases_lets_a_restarted_server_go_on_at_once(build: Build) -> None:
    gate = asyncio.Event()
    stage = build(agent=ScriptedAgent("Tomorrow.", gate=gate))
    stage.receive("When?")
    stage.start(stage.flow.advance(stage.conversation().id)).cancel()
    gate.set()
    stage.run(stage.flow.release_leases())
    stage.sweep()
    assert stage.channel.texts == ["Tomorrow."]


def test_a_conversation_handed_back_while_its_turn_gathers_is_still_answered(build: Build) -> None:
    stage = build()
    received = stage.receive("Hello")
    conversation = stage.conversation().id
    stage.run(stage.conversations.take_over(conversation, reviewer="rosa"))
    stage.store.write_now(lambda tx: stage.flow._close_burst(tx, tx.turns.get(received.turn_id)))
    stage.run(stage.conversations.hand_back(conversation, reviewer="rosa"))
    stage.settle()
    turn = stage.turn(received.turn_id)
    assert (turn.state, turn.reasons) == (TurnState.HANDED_OFF, ("agent_failed",))
    assert len(stage.open_holds) == 1


def test_a_decision_taken_for_a_turn_that_moved_on_has_no_effect(build: Build, staging: ModuleType) -> None:
    stage = build()
    received = stage.receive("One")
    gathered = stage.gather_only()
    assert gathered.turn.id == received.turn_id
    stage.receive("Two")
    with pytest.raises(Exception, match="moved on"):
        stage.run(stage.flow._decide(gathered))
    assert stage.read(lambda tx: tx.outbox.head(gathered.turn.conversation_id)) is None
    assert stage.open_holds == []


def test_the_canonical_event_of_a_turn_says_what_was_decided(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST))
    turn = stage.ask("Where is it?")
    decided = stage.emitted(TurnDecided)
    assert [(e.turn_id, e.decision, e.reasons, e.agent, e.rulebook_id) for e in decided] == [
        (turn.id, "hold", ("level_assist",), "echo", stage.rulebook.id)
    ]
    assert [e.hold_id for e in stage.emitted(HoldOpened)] == [stage.open_holds[0].id]


def test_the_rulebook_in_force_is_the_one_of_the_moment_of_gathering(build: Build, staging: ModuleType) -> None:
    stage = build()
    stage.receive("One")
    gathered = stage.gather_only()
    deciding_by = stage.rulebook
    stage.rulebook = type(deciding_by)(id="later", rules=staging.rules(Level.ASSIST))
    stage.run(stage.flow._decide(gathered))
    decided = stage.turn(gathered.turn.id)
    assert (decided.rulebook_id, decided.decision) == (deciding_by.id, DecisionKind.DELIVER)


def test_the_quota_holds_what_is_beyond_it(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(automatic_per_hour_max=2))
    decisions = [stage.ask("Hi", to=f"e-{number}").decision for number in range(4)]
    assert decisions == [DecisionKind.DELIVER] * 2 + [DecisionKind.HOLD] * 2


def test_the_quota_is_per_slice(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(automatic_per_hour_max=1))
    decisions = [stage.ask("Hi", to=f"e-{topic}", topic=topic).decision for topic in ("a", "b", "a")]
    assert decisions == [DecisionKind.DELIVER, DecisionKind.DELIVER, DecisionKind.HOLD]


def test_the_quota_is_of_the_last_hour(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(automatic_per_hour_max=1))
    stage.ask("Hi", to="e-1")
    stage.clock.advance(3601)
    assert stage.ask("Hi", to="e-2").decision is DecisionKind.DELIVER


def test_in_shadow_nothing_of_the_agent_is_sent(build: Build, staging: ModuleType) -> None:
    shadow = (Grant(topic="*", channel="*", level=Level.SHADOW),)
    stage = build(rules=staging.rules(grants=shadow))
    turn = stage.ask("Where is it?")
    assert (turn.state, stage.channel.texts) == (TurnState.HANDED_OFF, [])


def test_the_customer_is_heard_where_the_transcript_ends_with_a_tools_answer(build: Build) -> None:
    stage = build()
    tool = (
        ChatMessage(role="user", content="I want to talk to a human being, please."),
        ChatMessage(role="tool", content="{}", tool_call_id="1"),
    )
    inbound = stage.inbound("I want to talk to a human being, please.")
    submitted = stage.run(
        stage.intake.submit("recording", inbound, transcript=tool, draft=Draft(text="Thank you for your message."))
    )
    stage.settle()
    assert stage.turn(submitted.turn_id).state is TurnState.HANDED_OFF
    assert dump(stage.turn(submitted.turn_id).reasons) == '["escalation.wants_person"]'
