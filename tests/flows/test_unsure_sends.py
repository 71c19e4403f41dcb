"""Sends of which nobody can tell what became of them: repeated under a key, looked up, or a person's to judge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from understudy.delivery.outbox import OutboxLimits
from understudy.effects.sending import queue_message
from understudy.records.access import Scope
from understudy.records.conversation import Author
from understudy.records.outbox import Accepted, OutboxState, Retry, Unknown
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.turn import TurnState
from understudy.testing.scripted import DeliversThen, RecordingChannel
from understudy.web.keys import make_key
from understudy.web.views import hold_view, turn_view

Build = Callable[..., Any]

LOST = DeliversThen(answer=Unknown(reason="connection reset"))
"""The message reached the customer and the answer got lost."""


def entry(stage: Any, turn: Any) -> Any:
    return stage.entries_of(turn)[0]


def receipts(stage: Any, turn: Any) -> list[tuple[int, str]]:
    found = stage.read(lambda tx: tx.outbox.receipts(entry(stage, turn).id))
    return [(receipt.attempt, receipt.outcome) for receipt in found]


def unkeyed(*answers: Any, **more: Any) -> RecordingChannel:
    return RecordingChannel(answers=answers, honours_keys=False, **more)


def test_an_unknown_send_is_repeated_where_the_channel_honours_the_key(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[LOST], honours_keys=True))
    turn = stage.ask("When?")
    stage.pass_time(10)
    assert stage.channel.texts == ["About: When?"]
    assert len(stage.channel.attempts) == 2
    assert stage.turn(turn.id).state is TurnState.ANSWERED


def test_an_unknown_send_is_looked_up_where_the_channel_can(build: Build) -> None:
    stage = build(channel=unkeyed(LOST, can_look_up=True))
    turn = stage.ask("When?")
    assert (stage.channel.texts, turn.state) == (["About: When?"], TurnState.ANSWERED)
    assert len(stage.channel.attempts) == 1


def test_a_send_that_was_looked_up_in_vain_is_tried_again_after_its_lease(build: Build) -> None:
    stage = build(channel=unkeyed(Unknown(reason="reset"), can_look_up=True))
    turn = stage.ask("When?")
    stage.pass_time(59)
    assert len(stage.channel.attempts) == 1
    for _ in range(2):
        stage.pass_time(2)
    assert stage.channel.texts == ["About: When?"]
    assert stage.turn(turn.id).state is TurnState.ANSWERED


def test_a_message_that_arrives_after_it_was_looked_up_is_not_sent_again(build: Build) -> None:
    channel = unkeyed(Unknown(reason="reset"), can_look_up=True)
    stage = build(channel=channel)
    turn = stage.ask("When?")
    channel.delivered.append(channel.attempts[0])  # it was still on its way
    stage.pass_time(61)
    assert stage.channel.texts == ["About: When?"]
    assert stage.turn(turn.id).state is TurnState.ANSWERED


def test_what_may_have_arrived_is_a_persons_to_judge_after_the_last_try(build: Build) -> None:
    answers = [LOST, Retry(reason="busy")]
    stage = build(channel=RecordingChannel(answers=answers, honours_keys=True), outbox=OutboxLimits(attempts_max=2))
    turn = stage.ask("When?")
    stage.pass_time(10)
    assert entry(stage, turn).state is OutboxState.UNKNOWN
    assert [hold.kind for hold in stage.open_holds] == [HoldKind.UNSURE_SEND]
    assert receipts(stage, turn) == [(1, "repeat"), (2, "unknown")]


def test_a_send_does_not_begin_late_in_its_lease(build: Build) -> None:
    class Slow:
        """A store whose answer comes late: the process stands still between the commit and the send."""

        def __init__(self, store: Any) -> None:
            self._store = store
            self.pauses: list[float] = []

        def __getattr__(self, name: str) -> Any:
            return getattr(self._store, name)

        async def write(self, step: Any) -> Any:
            result = await self._store.write(step)
            if self.pauses:
                stage.clock.advance(self.pauses.pop())
            return result

    slow: list[Slow] = []
    stage = build(channel=unkeyed(), wrap=lambda store: slow.append(Slow(store)) or slow[0])
    stage.receive("When?")
    conversation = stage.conversation().id
    stage.run(stage.flow.advance(conversation))
    slow[0].pauses.append(45.0)
    stage.run(stage.outbox.deliver(conversation))
    assert stage.channel.attempts == []
    stage.pass_time(10)
    assert stage.channel.texts == ["About: When?"]


def test_an_unknown_send_waits_for_a_person_where_nothing_else_can_tell(build: Build) -> None:
    stage = build(channel=unkeyed(LOST))
    turn = stage.ask("When?")
    stage.pass_time(1000)
    assert len(stage.channel.attempts) == 1
    assert entry(stage, turn).state is OutboxState.UNKNOWN
    assert [(hold.kind, hold.turn_id) for hold in stage.open_holds] == [(HoldKind.UNSURE_SEND, turn.id)]


def test_what_a_channel_raises_counts_as_unknown(build: Build) -> None:
    stage = build(channel=unkeyed(OSError("broken pipe")))
    turn = stage.ask("When?")
    assert entry(stage, turn).last_error == "OSError: broken pipe"
    assert [hold.kind for hold in stage.open_holds] == [HoldKind.UNSURE_SEND]


def test_an_answer_that_is_none_counts_as_unknown(build: Build) -> None:
    class Mute(RecordingChannel):
        async def send(self, entry: Any) -> Any:
            await super().send(entry)

    stage = build(channel=Mute(honours_keys=False))
    turn = stage.ask("When?")
    assert entry(stage, turn).state is OutboxState.UNKNOWN


def test_an_unsure_send_that_did_not_arrive_is_sent_again(build: Build) -> None:
    stage = build(channel=unkeyed(Unknown(reason="reset")))
    turn = stage.ask("When?")
    stage.give(stage.open_holds[0], VerdictKind.APPROVE)
    stage.settle()
    assert stage.channel.texts == ["About: When?"]
    assert stage.turn(turn.id).state is TurnState.ANSWERED
    assert stage.open_holds == []


def test_an_unsure_send_that_did_arrive_is_not_sent_again(build: Build) -> None:
    stage = build(channel=unkeyed(LOST))
    turn = stage.ask("When?")
    stage.give(stage.open_holds[0], VerdictKind.REJECT)
    stage.settle()
    assert stage.channel.texts == ["About: When?"]
    assert len(stage.channel.attempts) == 1
    assert (entry(stage, turn).state, stage.turn(turn.id).state) == (OutboxState.SENT, TurnState.ANSWERED)
    assert [message.author for message in stage.messages()] == [Author.CUSTOMER, Author.AGENT]


def test_a_message_behind_an_unsure_send_leaves_after_the_verdict(build: Build) -> None:
    stage = build(channel=unkeyed(LOST))
    stage.ask("When?")
    stage.ask("And where?")
    assert len(stage.channel.attempts) == 1
    stage.give(stage.open_holds[0], VerdictKind.REJECT)
    stage.settle()
    assert stage.channel.texts == ["About: When?", "About: When? + And where?"]


def test_an_unsure_send_of_a_persons_own_words_also_waits_for_a_person(build: Build) -> None:
    stage = build(channel=unkeyed(Accepted(), LOST))
    turn = stage.ask("When?")
    stage.run(stage.conversations.take_over(turn.conversation_id, reviewer="rosa"))
    stage.run(stage.conversations.say(turn.conversation_id, "Rosa here.", reviewer="rosa"))
    stage.settle()
    assert [hold.kind for hold in stage.open_holds] == [HoldKind.UNSURE_SEND]
    stage.give(stage.open_holds[0], VerdictKind.REJECT)
    stage.run(stage.conversations.say(turn.conversation_id, "Anything else?", reviewer="rosa"))
    stage.settle()
    assert stage.channel.texts == ["About: When?", "Rosa here.", "Anything else?"]


class Died(BaseException):
    """The sending process is gone; nobody catches this."""


def interrupted(build: Build, channel: RecordingChannel, *, reached: bool) -> tuple[Any, Any]:
    """A turn whose sending process died between the lease and the result."""
    channel.answers.append(DeliversThen(answer=Died()) if reached else Died())
    stage = build(channel=channel)
    received = stage.receive("When?")
    with pytest.raises(Died):
        stage.settle()
    stage.hints.clear()
    channel.attempts.clear()
    return stage, stage.turn(received.turn_id)


def test_a_send_under_way_elsewhere_is_left_alone(build: Build) -> None:
    stage, turn = interrupted(build, unkeyed(), reached=False)
    stage.pass_time(59)
    assert stage.channel.attempts == []
    assert entry(stage, turn).state is OutboxState.SENDING


@pytest.mark.parametrize("reached", [True, False])
def test_an_interrupted_send_is_repeated_where_the_channel_honours_the_key(build: Build, reached: bool) -> None:
    stage, turn = interrupted(build, RecordingChannel(), reached=reached)
    for _ in range(2):
        stage.pass_time(61)
    assert stage.channel.texts == ["About: When?"]
    assert stage.turn(turn.id).state is TurnState.ANSWERED


@pytest.mark.parametrize("reached", [True, False])
def test_an_interrupted_send_is_looked_up_where_the_channel_can(build: Build, reached: bool) -> None:
    stage, turn = interrupted(build, unkeyed(can_look_up=True), reached=reached)
    for _ in range(2):
        stage.pass_time(61)
    assert stage.channel.texts == ["About: When?"]
    assert stage.turn(turn.id).state is TurnState.ANSWERED


@pytest.mark.parametrize("reached", [True, False])
def test_an_interrupted_send_waits_for_a_person_where_nothing_else_can_tell(build: Build, reached: bool) -> None:
    stage, _ = interrupted(build, unkeyed(), reached=reached)
    stage.pass_time(61)
    hold = stage.open_holds[0]
    assert hold.kind is HoldKind.UNSURE_SEND
    stage.give(hold, VerdictKind.REJECT if reached else VerdictKind.APPROVE)
    stage.settle()
    assert stage.channel.texts == ["About: When?"]


def test_the_late_result_of_a_lapsed_send_is_not_believed_over_a_newer_one(build: Build) -> None:
    gate = asyncio.Event()
    channel = RecordingChannel(gate=gate, honours_keys=False)
    stage = build(channel=channel)
    turn = stage.receive("When?")
    conversation = stage.conversation().id
    stage.run(stage.flow.advance(conversation))
    slow = stage.start(stage.outbox.deliver(conversation))
    stage.pass_time(61)
    assert [hold.kind for hold in stage.open_holds] == [HoldKind.UNSURE_SEND]
    gate.set()
    stage.run(slow)
    assert entry(stage, stage.turn(turn.turn_id)).state is OutboxState.UNKNOWN


def test_a_send_that_hangs_ends_as_unknown_with_its_lease(build: Build) -> None:
    channel = RecordingChannel(gate=asyncio.Event(), honours_keys=False)
    stage = build(channel=channel, outbox=OutboxLimits(lease_s=0.05))
    turn = stage.ask("When?")
    assert entry(stage, turn).state is OutboxState.UNKNOWN
    assert [hold.kind for hold in stage.open_holds] == [HoldKind.UNSURE_SEND]


def test_the_late_result_of_a_message_that_was_given_up_meanwhile_changes_nothing(build: Build) -> None:
    gate = asyncio.Event()
    channel = RecordingChannel(gate=gate, answers=[Retry(reason="busy")])
    stage = build(channel=channel, outbox=OutboxLimits(attempts_max=1))
    turn = stage.receive("When?")
    conversation = stage.conversation().id
    stage.run(stage.flow.advance(conversation))
    slow = stage.start(stage.outbox.deliver(conversation))
    stage.pass_time(61)
    gate.set()
    stage.run(slow)
    assert receipts(stage, stage.turn(turn.turn_id)) == [(2, "unknown")]


def test_who_is_asked_whether_it_arrived_sees_the_message_in_doubt_and_not_a_later_one(build: Build) -> None:
    stage = build(channel=unkeyed(LOST))
    turn = stage.ask("When?")
    unsure = entry(stage, turn)

    def another(tx: Any) -> None:
        conversation = tx.conversations.get(turn.conversation_id)
        queue_message(
            tx, stage.clock, conversation, turn_id=turn.id, text="Ann here.", author=Author.REVIEWER, author_name="ann",
            ai_generated=False,
        )  # fmt: skip

    stage.kept.write_now(another)
    (hold,) = stage.open_holds
    reader, _ = make_key("rosa", tuple(Scope), now=stage.clock.now())
    shown = stage.read(lambda tx: hold_view(tx, hold.id, reader=reader))
    assert shown.turn.reply is not None
    assert (shown.turn.reply.text, shown.turn.reply.state) == (unsure.text, OutboxState.UNKNOWN)
    assert stage.read(lambda tx: turn_view(tx, tx.turns.get(turn.id))).reply.text == "Ann here."
