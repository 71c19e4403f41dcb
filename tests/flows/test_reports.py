"""What channels say later of replies: it settles what nobody knew, and a reply that was lost is never lost silently."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from understudy.delivery.outbox import OutboxLimits
from understudy.delivery.reports import Outcome
from understudy.errors import Overloaded
from understudy.ports.telemetry import DeliveryReported, HoldClosed, HoldOpened
from understudy.records.conversation import Author, Mode
from understudy.records.outbox import Accepted, OutboxState, Rejected, Report, Retry, Unknown
from understudy.records.review import HoldKind
from understudy.records.turn import TurnState
from understudy.testing.scripted import RecordingChannel
from understudy.turn.coalescing import CoalescingLimits

Build = Callable[..., Any]

LOST = Unknown(reason="reset")


def unsure(build: Build, *, answer: Any = LOST, **more: Any) -> tuple[Any, Any]:
    stage = build(channel=RecordingChannel(answers=[answer], honours_keys=False), **more)
    return stage, stage.ask("When?")


def entry(stage: Any, turn: Any) -> Any:
    return stage.entries_of(turn)[0]


def report(stage: Any, turn: Any, *, has_arrived: bool, **more: Any) -> Outcome:
    fields = {"key": entry(stage, turn).id, "provider_id": None, **more}
    return stage.run(stage.reports.take(stage.channel.name, Report(has_arrived=has_arrived, **fields)))


def answers(stage: Any) -> list[str]:
    return [message.text for message in stage.messages() if message.author is not Author.CUSTOMER]


def test_a_send_of_unknown_outcome_is_settled_by_a_report_that_it_arrived(build: Build) -> None:
    stage, turn = unsure(build)
    assert [hold.kind for hold in stage.open_holds] == [HoldKind.UNSURE_SEND]
    assert report(stage, turn, has_arrived=True) is Outcome.DELIVERED
    assert (entry(stage, turn).state, stage.turn(turn.id).state) == (OutboxState.SENT, TurnState.ANSWERED)
    assert answers(stage) == ["About: When?"]
    assert stage.open_holds == []
    assert [closed.how for closed in stage.emitted(HoldClosed)] == ["reported"]


def test_a_send_of_unknown_outcome_that_failed_goes_to_a_person(build: Build) -> None:
    stage, turn = unsure(build)
    assert report(stage, turn, has_arrived=False, why="number is gone") is Outcome.UNDELIVERED
    found = entry(stage, turn)
    assert (found.state, stage.turn(turn.id).state) == (OutboxState.DEAD, TurnState.HANDED_OFF)
    assert found.last_error == "the channel reports that it was not delivered: number is gone"
    assert [(hold.kind, hold.reasons) for hold in stage.open_holds] == [(HoldKind.HAND_OFF, ("reply_undelivered",))]
    assert stage.emitted(HoldOpened)[-1].kind == HoldKind.HAND_OFF.value
    assert answers(stage) == []


def test_a_reply_that_was_taken_and_then_lost_goes_to_a_person_once(build: Build) -> None:
    stage, turn = unsure(build, answer=Accepted(provider_id="sms-1"))
    assert stage.turn(turn.id).state is TurnState.ANSWERED
    assert report(stage, turn, has_arrived=False) is Outcome.UNDELIVERED
    assert report(stage, turn, has_arrived=False) is Outcome.KNOWN
    assert [hold.reasons for hold in stage.open_holds] == [("reply_undelivered",)]
    assert stage.conversation().mode is Mode.PERSON
    assert stage.ledger_events.count("outbox.undelivered") == 1


def test_a_report_names_the_reply_by_the_providers_id_too(build: Build) -> None:
    stage, turn = unsure(build, answer=Accepted(provider_id="sms-1"))
    assert report(stage, turn, has_arrived=False, key=None, provider_id="sms-1") is Outcome.UNDELIVERED
    assert [hold.reasons for hold in stage.open_holds] == [("reply_undelivered",)]


def test_a_delivered_reply_is_kept_as_delivered_and_changes_nothing_else(build: Build) -> None:
    stage, turn = unsure(build, answer=Accepted(provider_id="sms-1"))
    outcomes = [report(stage, turn, has_arrived=True) for _ in range(3)]
    assert outcomes == [Outcome.DELIVERED, Outcome.KNOWN, Outcome.KNOWN]
    kept = stage.read(lambda tx: tx.outbox.receipts(entry(stage, turn).id))
    assert [(one.attempt, one.outcome) for one in kept] == [(0, "delivered"), (1, "accepted")]
    assert answers(stage) == ["About: When?"]
    assert stage.open_holds == []


def test_a_report_that_contradicts_an_earlier_one_opens_nothing(build: Build) -> None:
    stage, turn = unsure(build, answer=Accepted())
    report(stage, turn, has_arrived=True)
    assert report(stage, turn, has_arrived=False) is Outcome.KNOWN
    assert stage.open_holds == []


def test_a_reply_that_waits_for_its_next_try_and_arrived_is_not_sent_again(build: Build) -> None:
    stage, turn = unsure(build, answer=Retry(reason="busy"))
    assert report(stage, turn, has_arrived=True) is Outcome.DELIVERED
    stage.pass_time(60)
    assert len(stage.channel.attempts) == 1
    assert stage.turn(turn.id).state is TurnState.ANSWERED


def test_a_failure_of_a_try_after_which_there_is_another_changes_nothing(build: Build) -> None:
    stage, turn = unsure(build, answer=Retry(reason="busy"))
    assert report(stage, turn, has_arrived=False) is Outcome.KNOWN
    stage.pass_time(60)
    assert stage.turn(turn.id).state is TurnState.ANSWERED


def test_a_status_before_its_message_waits_for_it(build: Build) -> None:
    gate = asyncio.Event()
    stage = build(channel=RecordingChannel(gate=gate, honours_keys=False))
    turn = stage.turn(stage.receive("When?").turn_id)
    sending = stage.start(_settled(stage))
    found = entry(stage, turn)
    assert found.state is OutboxState.SENDING
    early = Report(key=found.id, provider_id=None, has_arrived=False)
    with pytest.raises(Overloaded, match="being sent just now"):
        stage.run(stage.reports.take(stage.channel.name, early))
    assert entry(stage, turn).state is OutboxState.SENDING
    stage.run(_opened(gate, sending))
    assert stage.run(stage.reports.take(stage.channel.name, early)) is Outcome.UNDELIVERED
    assert [hold.reasons for hold in stage.open_holds] == [("reply_undelivered",)]


async def _settled(stage: Any) -> None:
    while (job := stage._next_due()) is not None:
        await stage._handlers[job.kind](job.key)


async def _opened(gate: asyncio.Event, sending: Any) -> None:
    gate.set()
    await sending


def test_a_report_on_a_message_of_somebody_else_is_not_ours(build: Build) -> None:
    stage, turn = unsure(build)
    for named in ({"key": "foreign"}, {"key": None, "provider_id": "foreign"}, {"key": "foreign", "provider_id": "x"}):
        assert report(stage, turn, has_arrived=False, **named) is Outcome.NOT_OURS
    elsewhere = Report(key=entry(stage, turn).id, provider_id=None, has_arrived=True)
    assert stage.run(stage.reports.take("another", elsewhere)) is Outcome.NOT_OURS
    assert entry(stage, turn).state is OutboxState.UNKNOWN
    assert {one.outcome for one in stage.emitted(DeliveryReported)} == {"not_ours"}


@pytest.mark.parametrize("strange", ["\x00", "\ud83d", "x" * 10_000, "'; --"])
def test_a_report_with_a_name_that_no_database_takes_is_not_ours(build: Build, strange: str) -> None:
    stage, turn = unsure(build)
    assert report(stage, turn, has_arrived=False, key=strange, provider_id=strange, why=strange) is Outcome.NOT_OURS


def test_a_reason_that_no_database_takes_is_kept_as_far_as_it_goes(build: Build) -> None:
    stage, turn = unsure(build)
    assert report(stage, turn, has_arrived=False, why="a\x00b\ud83d") is Outcome.UNDELIVERED


def test_a_dead_reply_that_arrived_after_all_is_written_down(build: Build) -> None:
    stage, turn = unsure(build, answer=Rejected(reason="no"))
    assert report(stage, turn, has_arrived=True) is Outcome.DELIVERED
    assert entry(stage, turn).state is OutboxState.DEAD
    assert stage.ledger_events[-1] == "outbox.delivered"


# --- the window after the customer's last message


def test_a_reply_after_the_window_is_closed_is_rejected_and_goes_to_a_person(build: Build) -> None:
    channel = RecordingChannel(answers=[Retry(reason="busy", after_s=90_000.0)], honours_keys=False, window_s=86_400)
    stage = build(channel=channel, outbox=OutboxLimits(backoff_max_s=90_000.0))
    turn = stage.ask("When?")
    stage.pass_time(90_001)
    assert len(channel.attempts) == 1
    found = entry(stage, turn)
    assert found.state is OutboxState.DEAD
    assert found.last_error == "the customer's last message is more than 24 h old, and recording takes no reply then"
    assert [hold.reasons for hold in stage.open_holds] == [("delivery_failed",)]


def test_a_reply_within_the_window_is_sent(build: Build) -> None:
    channel = RecordingChannel(honours_keys=False, window_s=86_400)
    stage = build(channel=channel)
    assert stage.ask("When?").state is TurnState.ANSWERED


# --- messages that no agent can answer


@pytest.mark.parametrize("reason", ["message_without_text", "message_too_long"])
def test_a_message_that_no_agent_can_answer_goes_to_a_person_and_asks_no_agent(build: Build, reason: str) -> None:
    stage = build()
    turn = stage.ask("[image]", needs_person=reason)
    assert stage.agent.requests == []
    assert (turn.state, stage.conversation().mode) == (TurnState.HANDED_OFF, Mode.PERSON)
    assert [(hold.kind, hold.reasons, hold.priority) for hold in stage.open_holds] == [
        (HoldKind.HAND_OFF, (reason,), 3)
    ]
    assert answers(stage) == []


def test_a_picture_after_a_question_takes_the_whole_burst_to_a_person(build: Build) -> None:
    stage = build()
    stage.receive("It is broken, look:")
    turn = stage.ask("[image]", needs_person="message_without_text")
    assert turn.state is TurnState.HANDED_OFF
    assert stage.agent.requests == []
    assert [hold.kind for hold in stage.open_holds] == [HoldKind.HAND_OFF]


def test_messages_that_come_out_of_order_are_kept_each_once_as_they_came(build: Build) -> None:
    stage = build(coalescing=CoalescingLimits(window_s_min=1.0, window_s_max=4.0, burst_s_max=6.0))
    later, earlier = (datetime(2026, 1, 1, 12, minute, tzinfo=UTC) for minute in (5, 1))
    stage.receive("and in blue", provider_id="p-2", sent_at=later)
    stage.receive("Do you have it in red", provider_id="p-1", sent_at=earlier)
    stage.receive("and in blue", provider_id="p-2", sent_at=later)
    stage.pass_time(10)
    said = [message.text for message in stage.messages() if message.author is Author.CUSTOMER]
    assert said == ["and in blue", "Do you have it in red"]
    assert len(stage.turns) == 1


def test_a_repeated_picture_opens_nothing_twice(build: Build) -> None:
    stage = build()
    for _ in range(2):
        stage.ask("[image]", provider_id="p-1", needs_person="message_without_text")
    assert len(stage.open_holds) == 1
    assert len(stage.emitted(HoldOpened)) == 1
