"""What a reply promises becomes a task with the message that left; people hear of it in time, and say what became of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from understudy.errors import Conflict, InputError, NotFound
from understudy.ports.telemetry import PledgeDue
from understudy.records.conversation import Mode
from understudy.records.evidence import Draft
from understudy.records.outbox import Accepted, Rejected
from understudy.records.pledges import UNKEPT, PledgeChoice, PledgeKind, PledgeState
from understudy.records.review import HoldKind, VerdictKind, VerdictRequest
from understudy.records.rulebook import Level
from understudy.testing.scripted import RecordingChannel, ScriptedAgent

Build = Callable[..., Any]
HOUR = 3_600.0
PROMISES = "I am sorry. We will call you tomorrow. We will send a replacement."


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    """Every draft promises a call tomorrow and a replacement some time, and waits for a person."""
    return build(agent=ScriptedAgent(Draft(text=PROMISES)), rules=staging.rules(Level.ASSIST))


def pledged(stage: Any) -> list[Any]:
    return stage.read(lambda tx: tx.pledges.listed(tuple(PledgeState), limit=50))


def hold(stage: Any, kind: HoldKind = HoldKind.DRAFT) -> Any:
    (found,) = (one for one in stage.open_holds if one.kind is kind)
    return found


def approved(stage: Any, **more: Any) -> Any:
    turn = stage.ask("It is broken.")
    stage.give(hold(stage), VerdictKind.APPROVE, **more)
    stage.settle()
    return turn


def test_what_was_sent_is_owed_from_then_on(stage: Any) -> None:
    turn = stage.ask("It is broken.")
    assert pledged(stage) == []
    stage.give(hold(stage), VerdictKind.APPROVE)
    stage.settle()
    call, send = pledged(stage)
    assert (call.kind, call.words) == (PledgeKind.CALL, "We will call you tomorrow")
    assert (send.kind, send.words) == (PledgeKind.SEND, "We will send a replacement")
    assert {one.made_by for one in (call, send)} == {"rosa"}
    assert {one.turn_id for one in (call, send)} == {turn.id}
    assert {one.contact_id for one in (call, send)} == {stage.conversation().contact_id}
    assert call.has_named_time
    assert not send.has_named_time
    assert send.due_at - send.made_at == timedelta(hours=48)
    assert [entry.event for entry in stage.ledger if entry.event.startswith("pledge.")] == ["pledge.made"] * 2


def test_what_never_left_is_not_owed(build: Build, staging: ModuleType) -> None:
    stage = build(
        agent=ScriptedAgent(Draft(text=PROMISES)),
        rules=staging.rules(Level.ASSIST),
        channel=RecordingChannel(answers=[Rejected(reason="no such address")]),
    )
    approved(stage)
    assert pledged(stage) == []


def test_a_reviewer_says_when_it_is_due_and_what_is_no_promise(stage: Any) -> None:
    due_at = stage.clock.now() + timedelta(days=3)
    approved(
        stage,
        pledges=(
            PledgeChoice(words="We will call you tomorrow", due_at=due_at),
            PledgeChoice(words="We will send a replacement", is_none=True),
        ),
    )
    (call,) = pledged(stage)
    assert call.due_at == due_at
    assert call.has_named_time


def test_people_hear_of_it_before_it_is_late_and_again_when_it_is(stage: Any) -> None:
    approved(stage)
    call = next(one for one in pledged(stage) if one.kind is PledgeKind.CALL)
    stage.clock.advance((call.warn_at - stage.clock.now()).total_seconds() - 1)
    stage.sweep()
    assert stage.open_holds == []
    stage.pass_time(1)
    waiting = hold(stage, HoldKind.HAND_OFF)
    assert waiting.reasons == ("pledge_due",)
    assert stage.conversation().mode is Mode.PERSON
    stage.sweep()
    assert len(stage.open_holds) == 1
    stage.pass_time((call.due_at - stage.clock.now()).total_seconds())
    assert next(one for one in pledged(stage) if one.id == call.id).state is PledgeState.BROKEN
    assert len(stage.open_holds) == 1, "it is the same wait, not a second one"
    told = [event.is_broken for event in stage.telemetry if isinstance(event, PledgeDue) and event.pledge_id == call.id]
    assert told == [False, True]
    events = [entry.event for entry in stage.ledger if entry.event.startswith("pledge.")]
    assert events[:4] == ["pledge.made", "pledge.made", "pledge.due", "pledge.broken"]


def test_what_is_kept_is_not_asked_for_again(stage: Any) -> None:
    approved(stage)
    call, send = pledged(stage)
    kept = stage.run(stage.pledges.keep(call.id, by="Ben", note="called at ten"))
    assert (kept.state, kept.ended_by, kept.note) == (PledgeState.KEPT, "Ben", "called at ten")
    stage.run(stage.pledges.withdraw(send.id, by="Ben", note="they found the spare one"))
    stage.pass_time(100 * HOUR)
    assert stage.open_holds == []
    for act in (stage.pledges.keep(call.id, by="Ana"), stage.pledges.withdraw(send.id, by="Ana", note="again")):
        with pytest.raises(Conflict, match="already"):
            stage.run(act)


def test_a_broken_one_still_has_to_be_kept_and_can_be_put_off(stage: Any) -> None:
    approved(stage)
    call = pledged(stage)[0]
    stage.pass_time(40 * HOUR)
    later = stage.clock.now() + timedelta(hours=10)
    put = stage.run(stage.pledges.put_off(call.id, by="Ben", due_at=later))
    assert (put.state, put.due_at) == (PledgeState.OPEN, later)
    stage.pass_time(11 * HOUR)
    assert stage.read(lambda tx: tx.pledges.get(call.id)).state is PledgeState.BROKEN
    assert stage.run(stage.pledges.keep(call.id, by="Ben")).state is PledgeState.KEPT


def test_a_person_who_writes_keeps_what_was_to_be_written(build: Build, staging: ModuleType) -> None:
    text = "We will get back to you within two days."
    stage = build(agent=ScriptedAgent(Draft(text=text)), rules=staging.rules(Level.ASSIST))
    approved(stage)
    stage.run(stage.conversations.take_over(stage.conversation().id, reviewer="Ben"))
    stage.run(stage.conversations.say(stage.conversation().id, "Here is the answer.", reviewer="Ben"))
    stage.settle()
    (one,) = pledged(stage)
    assert (one.state, one.ended_by) == (PledgeState.KEPT, "Ben")


def test_what_the_channel_refuses_keeps_nothing(build: Build, staging: ModuleType) -> None:
    text = "We will get back to you within two days."
    stage = build(
        agent=ScriptedAgent(Draft(text=text)),
        rules=staging.rules(Level.ASSIST),
        channel=RecordingChannel(answers=[Accepted(), Rejected(reason="no such address"), Accepted()]),
    )
    approved(stage)
    where = stage.conversation().id
    stage.run(stage.conversations.take_over(where, reviewer="Ben"))
    stage.run(stage.conversations.say(where, "Here is the answer.", reviewer="Ben"))
    assert pledged(stage)[0].state is PledgeState.OPEN, "nothing has left"
    stage.settle()
    assert pledged(stage)[0].state is PledgeState.OPEN, "the customer got nothing"
    stage.run(stage.conversations.say(where, "Once more.", reviewer="Ben"))
    stage.settle()
    assert (pledged(stage)[0].state, pledged(stage)[0].ended_by) == (PledgeState.KEPT, "Ben")


def test_what_a_person_promises_anew_is_owed_though_they_wrote(build: Build, staging: ModuleType) -> None:
    stage = build(agent=ScriptedAgent(Draft(text="Hello.")), rules=staging.rules(Level.ASSIST))
    stage.ask("It is broken.")
    where = stage.conversation().id
    stage.run(stage.conversations.take_over(where, reviewer="Ben"))
    stage.run(stage.conversations.say(where, "I will get back to you tomorrow.", reviewer="Ben"))
    stage.settle()
    assert [one.state for one in pledged(stage)] == [PledgeState.OPEN]


def test_what_people_promise_themselves_is_owed_as_well(stage: Any) -> None:
    stage.ask("It is broken.")
    stage.run(stage.conversations.take_over(stage.conversation().id, reviewer="Ben"))
    stage.run(stage.conversations.say(stage.conversation().id, "I'll refund you today.", reviewer="Ben"))
    stage.settle()
    (one,) = pledged(stage)
    assert (one.kind, one.made_by) == (PledgeKind.MONEY, "Ben")


def test_what_was_promised_on_the_phone_is_added_by_hand(stage: Any) -> None:
    stage.ask("It is broken.")
    where = stage.conversation().id
    added = stage.run(stage.pledges.add(where, "a voucher by post", by="Ben", kind=PledgeKind.SEND))
    assert (added.made_by, added.message_id, added.state) == ("Ben", None, PledgeState.OPEN)
    assert stage.run(stage.pledges.listed(UNKEPT, limit=5)) == [added]
    with pytest.raises(InputError, match="words"):
        stage.run(stage.pledges.add(where, "   ", by="Ben"))
    with pytest.raises(InputError, match="lie ahead"):
        stage.run(stage.pledges.add(where, "a voucher", by="Ben", due_at=stage.clock.now()))
    with pytest.raises(NotFound):
        stage.run(stage.pledges.add("nowhere", "a voucher", by="Ben"))


def test_a_verdict_that_is_given_anew_without_choices_takes_the_draft_as_it_stands(stage: Any) -> None:
    turn = stage.ask("It is broken.")
    none = (PledgeChoice(words="We will call you tomorrow", is_none=True),)
    found = hold(stage)
    request = VerdictRequest(
        hold_id=found.id, version=found.version, kind=VerdictKind.APPROVE, reviewer="rosa", pledges=none
    )
    stage.run(stage.verdicts.give_later(request, undo_s=10))
    stage.run(stage.verdicts.take_back(found.id, reviewer="rosa", claim_lease_s=60))
    stage.give(hold(stage), VerdictKind.APPROVE)
    stage.settle()
    assert len(pledged(stage)) == 2, turn.id
