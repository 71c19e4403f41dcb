"""The outbox: in order, tried again where that is safe, and a person where nobody can tell what became of a message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from understudy.delivery.outbox import OutboxLimits
from understudy.ports.telemetry import HoldOpened, MessageSent
from understudy.records.conversation import Mode
from understudy.records.evidence import Draft
from understudy.records.outbox import Accepted, OutboxState, Rejected, Retry
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.turn import OUTBOX_JOB, Job, TurnState
from understudy.testing.scripted import RecordingChannel, ScriptedAgent

Build = Callable[..., Any]

NO_JITTER = OutboxLimits(backoff_base_s=1.0, backoff_max_s=4.0)


def entry(stage: Any, turn: Any) -> Any:
    return stage.entries_of(turn)[0]


def receipts(stage: Any, turn: Any) -> list[tuple[int, str]]:
    found = stage.read(lambda tx: tx.outbox.receipts(entry(stage, turn).id))
    return [(receipt.attempt, receipt.outcome) for receipt in found]


def test_an_accepted_message_is_sent_with_a_receipt(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Accepted(provider_id="x-1")]))
    turn = stage.ask("When?")
    assert (entry(stage, turn).state, turn.state) == (OutboxState.SENT, TurnState.ANSWERED)
    receipt = stage.read(lambda tx: tx.outbox.receipts(entry(stage, turn).id))[0]
    assert (receipt.attempt, receipt.outcome, receipt.provider_id) == (1, "accepted", "x-1")


def test_the_entrys_id_is_the_same_at_every_try(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Retry(reason="busy")]))
    turn = stage.ask("When?")
    stage.pass_time(10)
    assert {tried.id for tried in stage.channel.attempts} == {entry(stage, turn).id}
    assert [tried.attempts for tried in stage.channel.attempts] == [1, 2]


def test_a_message_certainly_not_sent_is_tried_again(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Retry(reason="busy"), Retry(reason="busy")]))
    turn = stage.ask("When?")
    assert turn.state is TurnState.DELIVERING
    for _ in range(2):
        stage.pass_time(5)
    assert receipts(stage, turn) == [(1, "retry"), (2, "retry"), (3, "accepted")]
    assert stage.channel.texts == ["About: When?"]


def test_a_retry_after_is_kept(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Retry(reason="busy", after_s=40)]), outbox=NO_JITTER)
    turn = stage.ask("When?")
    assert entry(stage, turn).due_at == stage.clock.now() + timedelta(seconds=40)
    stage.pass_time(39.9)
    assert len(stage.channel.attempts) == 1
    stage.pass_time(0.2)
    assert stage.channel.texts == ["About: When?"]


def test_pauses_between_tries_stay_within_their_bounds(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Retry(reason="busy")] * 5), outbox=NO_JITTER)
    turn = stage.ask("When?")
    for bound in (1.0, 2.0, 4.0, 4.0, 4.0):
        waits = (entry(stage, turn).due_at - stage.clock.now()).total_seconds()
        assert 0 <= waits <= bound
        stage.clock.advance(waits)
        stage.look(Job(kind=OUTBOX_JOB, key=turn.conversation_id))


def test_a_turn_is_answered_only_once_nothing_of_it_is_left_to_send(build: Build, staging: ModuleType) -> None:
    busy = [Retry(reason="busy", after_s=10), Accepted(), Retry(reason="busy", after_s=10)]
    stage = build(
        agent=ScriptedAgent(Draft(text="Hard to say.", does_not_know=True)),
        rules=staging.rules(degrade_on=(("quality.does_not_know", "follow_up"),)),
        channel=RecordingChannel(answers=busy),
    )
    turn = stage.ask("When?")
    stage.give(stage.open_holds[0], VerdictKind.RESPOND)
    states = []
    for _ in range(2):
        stage.pass_time(11)
        states.append((len(stage.channel.texts), stage.turn(turn.id).state))
    assert states == [(1, TurnState.DELIVERING), (2, TurnState.ANSWERED)]


def test_a_lost_hint_costs_only_time(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Retry(reason="busy")]))
    stage.ask("When?")
    stage.hints.clear()
    stage.pass_time(60)
    assert stage.channel.texts == ["About: When?"]


def test_after_the_last_try_a_person_takes_over(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Retry(reason="busy")] * 9), outbox=OutboxLimits(attempts_max=3))
    turn = stage.ask("When?")
    for _ in range(3):
        stage.pass_time(60)
    turn = stage.turn(turn.id)
    assert (entry(stage, turn).state, turn.state) == (OutboxState.DEAD, TurnState.HANDED_OFF)
    assert receipts(stage, turn) == [(1, "retry"), (2, "retry"), (3, "dead")]
    assert [(hold.kind, hold.reasons) for hold in stage.open_holds] == [(HoldKind.HAND_OFF, ("delivery_failed",))]
    assert stage.conversation().mode is Mode.PERSON


def test_a_refused_message_brings_a_person_in(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Rejected(reason="no such number")]))
    turn = stage.ask("When?")
    assert (entry(stage, turn).state, entry(stage, turn).last_error) == (OutboxState.DEAD, "no such number")
    assert stage.turn(turn.id).state is TurnState.HANDED_OFF
    assert [event.kind for event in stage.emitted(HoldOpened)] == ["hand_off"]


def test_a_refused_message_does_not_block_those_behind_it(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Rejected(reason="too long")]))
    turn = stage.ask("When?")
    stage.run(stage.conversations.say(turn.conversation_id, "Tomorrow.", reviewer="rosa"))
    stage.settle()
    assert stage.channel.texts == ["Tomorrow."]


def test_a_channel_that_is_not_configured_any_more_brings_a_person_in(build: Build) -> None:
    stage = build()
    turn = stage.run(stage.intake.receive("retired", stage.inbound("Hi")))
    stage.settle()
    assert stage.turn(turn.turn_id).state is TurnState.HANDED_OFF
    assert [hold.reasons for hold in stage.open_holds] == [("delivery_failed",)]


def test_messages_of_a_conversation_wait_for_the_one_before(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Accepted(), Retry(reason="busy", after_s=30)]))
    turn = stage.ask("When?")
    stage.run(stage.conversations.take_over(turn.conversation_id, reviewer="rosa"))
    for text in ("Rosa here.", "It left on Monday."):
        stage.run(stage.conversations.say(turn.conversation_id, text, reviewer="rosa"))
        stage.settle()
    assert stage.channel.texts == ["About: When?"]
    stage.pass_time(31)
    assert stage.channel.texts == ["About: When?", "Rosa here.", "It left on Monday."]


def test_conversations_do_not_wait_for_each_other(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Retry(reason="busy", after_s=30)]))
    stage.ask("One", to="e-1")
    stage.ask("Two", to="e-2")
    assert stage.channel.texts == ["About: Two"]


def test_a_refused_message_of_a_persons_own_words_opens_a_hold(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Accepted(), Rejected(reason="blocked")]))
    turn = stage.ask("When?")
    stage.run(stage.conversations.take_over(turn.conversation_id, reviewer="rosa"))
    stage.run(stage.conversations.say(turn.conversation_id, "Rosa here.", reviewer="rosa"))
    stage.settle()
    assert [hold.reasons for hold in stage.open_holds] == [("delivery_failed",)]


def test_each_try_is_reported(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Retry(reason="busy"), Rejected(reason="no")]))
    stage.ask("When?")
    stage.pass_time(10)
    assert [(event.outcome, event.attempt) for event in stage.emitted(MessageSent)] == [("retry", 1), ("rejected", 2)]


def test_two_workers_send_a_message_once(build: Build) -> None:
    gate = asyncio.Event()
    stage = build(channel=RecordingChannel(gate=gate, honours_keys=False))
    stage.receive("When?")
    conversation = stage.conversation().id
    stage.run(stage.flow.advance(conversation))
    workers = [stage.start(stage.outbox.deliver(conversation)) for _ in range(4)]
    gate.set()
    for worker in workers:
        stage.run(worker)
    assert stage.channel.texts == ["About: When?"]


def test_what_a_channel_says_is_kept_even_if_no_database_would_take_it(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Rejected(reason="\x00no \ud83d")]))
    turn = stage.ask("When?")
    assert entry(stage, turn).last_error == "\ufffdno \ufffd"


def test_the_safe_reply_and_the_hand_off_notice_keep_their_order(build: Build, staging: ModuleType) -> None:
    stage = build(
        agent=ScriptedAgent(["First.", "Second."]),
        rules=staging.rules(hand_off_notice="notice"),
        channel=RecordingChannel(answers=[Retry(reason="busy", after_s=10)]),
    )
    stage.ask("One")
    stage.ask("Let me talk to a human being, please.")
    stage.pass_time(11)
    assert stage.channel.texts == ["First.", staging.NOTICE.text]


@pytest.mark.parametrize("field", ["lease_s", "attempts_max"])
def test_limits_without_sense_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match="the outbox needs"):
        replace(OutboxLimits(), **{field: 0})
