"""Review: who may act on a hold, and what each verdict does to each kind of hold, in one transaction or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import pytest

from understudy.errors import ClaimedByOther, InputError, NotFound, StaleVersion
from understudy.errors import HoldClosed as HoldIsClosed
from understudy.ports.telemetry import HoldClosed, HoldOpened
from understudy.records.conversation import Author, Mode
from understudy.records.evidence import Draft
from understudy.records.outbox import Accepted, Rejected, Unknown
from understudy.records.review import Hold, HoldKind, HoldState, VerdictKind, VerdictRequest
from understudy.records.rulebook import Level
from understudy.records.turn import TurnState
from understudy.testing.scripted import RecordingChannel, ScriptedAgent

Build = Callable[..., Any]

DRAFT = "About: When?"
OWN = "Written by a person."


def with_hold(build: Build, staging: ModuleType, kind: HoldKind) -> tuple[Any, Hold]:
    """A stage on which one hold of this kind is open."""
    match kind:
        case HoldKind.DRAFT:
            stage = build(rules=staging.rules(Level.ASSIST))
        case HoldKind.HAND_OFF:
            stage = build(agent=ScriptedAgent(Draft(text="I will get somebody.", handoff=True)))
        case HoldKind.UNSURE_SEND:
            stage = build(channel=RecordingChannel(answers=[Unknown(reason="reset")], honours_keys=False))
        case HoldKind.AUDIT:
            stage = build(rules=staging.rules(Level.PROBATION))
    stage.ask("When?")
    (hold,) = stage.open_holds
    assert hold.kind is kind
    return stage, hold


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a verdict leads to: what the customer reads and from whom, and how things stand afterwards."""

    sent: tuple[tuple[str, Author, bool], ...] = ()
    state: TurnState
    mode: Mode = Mode.AGENT
    taken_by: str | None = None
    then_open: tuple[HoldKind, ...] = ()


BY_AGENT = Author.AGENT
TABLE = {
    (HoldKind.DRAFT, VerdictKind.APPROVE): Outcome(sent=((DRAFT, BY_AGENT, True),), state=TurnState.ANSWERED),
    (HoldKind.DRAFT, VerdictKind.EDIT): Outcome(sent=((OWN, BY_AGENT, True),), state=TurnState.ANSWERED),
    (HoldKind.DRAFT, VerdictKind.RESPOND): Outcome(sent=((OWN, Author.REVIEWER, False),), state=TurnState.ANSWERED),
    (HoldKind.DRAFT, VerdictKind.REJECT): Outcome(
        state=TurnState.HANDED_OFF, mode=Mode.PERSON, then_open=(HoldKind.HAND_OFF,)
    ),
    (HoldKind.DRAFT, VerdictKind.TAKE_OVER): Outcome(state=TurnState.HANDED_OFF, mode=Mode.PERSON, taken_by="rosa"),
    (HoldKind.HAND_OFF, VerdictKind.RESPOND): Outcome(
        sent=((OWN, Author.REVIEWER, False),), state=TurnState.ANSWERED, mode=Mode.PERSON, taken_by="rosa"
    ),
    (HoldKind.HAND_OFF, VerdictKind.TAKE_OVER): Outcome(state=TurnState.HANDED_OFF, mode=Mode.PERSON, taken_by="rosa"),
    (HoldKind.UNSURE_SEND, VerdictKind.APPROVE): Outcome(sent=((DRAFT, BY_AGENT, True),), state=TurnState.ANSWERED),
    (HoldKind.UNSURE_SEND, VerdictKind.REJECT): Outcome(state=TurnState.ANSWERED),
    **{
        (HoldKind.AUDIT, verdict): Outcome(sent=((DRAFT, BY_AGENT, True),), state=TurnState.ANSWERED)
        for verdict in (VerdictKind.APPROVE, VerdictKind.EDIT, VerdictKind.REJECT)
    },
}
ELSEWHERE = {HoldKind.SECOND, HoldKind.REDRAFT, HoldKind.UNSURE_ACTION, HoldKind.WIN_BACK}  # in files of their own
KINDS = [kind for kind in HoldKind if kind not in ELSEWHERE]
PAIRS = [(kind, verdict) for kind in KINDS for verdict in VerdictKind]


@pytest.mark.parametrize(("kind", "verdict"), [pair for pair in PAIRS if pair in TABLE], ids=str)
def test_a_verdict_does_what_its_table_says(
    build: Build, staging: ModuleType, kind: HoldKind, verdict: VerdictKind
) -> None:
    stage, hold = with_hold(build, staging, kind)
    stage.give(hold, verdict)
    stage.settle()
    conversation = stage.conversation()
    outcome = Outcome(
        sent=tuple((entry.text, entry.author, entry.ai_generated) for entry in stage.channel.delivered),
        state=stage.turn(hold.turn_id).state,
        mode=conversation.mode,
        taken_by=conversation.taken_by,
        then_open=tuple(left.kind for left in stage.open_holds),
    )
    assert outcome == TABLE[kind, verdict]


@pytest.mark.parametrize(("kind", "verdict"), [pair for pair in PAIRS if pair not in TABLE], ids=str)
def test_a_verdict_that_a_hold_does_not_take_is_refused_with_those_it_takes(
    build: Build, staging: ModuleType, kind: HoldKind, verdict: VerdictKind
) -> None:
    stage, hold = with_hold(build, staging, kind)
    before = stage.ledger
    with pytest.raises(InputError, match=f"does not take '{verdict.value}'; it takes "):
        stage.give(hold, verdict)
    assert stage.ledger == before
    assert stage.open_holds == [hold]


def test_a_verdict_is_stored_as_it_was_given(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    request = VerdictRequest(
        hold_id=hold.id,
        version=hold.version,
        kind=VerdictKind.EDIT,
        reviewer="rosa",
        text="Tomorrow.",
        reasons=("wrong_date",),
        severity=0.4,
    )
    given = stage.run(stage.verdicts.give(request))
    (stored,) = stage.read(lambda tx: tx.verdicts.of_turn(hold.turn_id))
    assert stored == given
    assert (stored.text, stored.reasons, stored.severity) == ("Tomorrow.", ("wrong_date",), 0.4)


def test_the_ledger_says_who_decided_what_without_its_text(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    stage.give(hold, VerdictKind.EDIT, "A secret xylophone.")
    given = next(entry for entry in stage.ledger if entry.event == "verdict.given")
    assert given.actor == "rosa"
    assert hold.id in given.body
    assert "xylophone" not in repr(stage.ledger)


def test_a_decided_hold_is_closed_with_its_moment(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    stage.clock.advance(42)
    stage.give(hold, VerdictKind.APPROVE)
    closed = stage.read(lambda tx: tx.holds.get(hold.id))
    assert (closed.state, closed.closed_at, closed.version) == (
        HoldState.DECIDED,
        stage.clock.now(),
        hold.version + 1,
    )
    assert [(e.how, e.reviewer, e.age_s) for e in stage.emitted(HoldClosed)] == [("approve", "rosa", 42.0)]


def test_a_rejected_drafts_hand_off_is_reported(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    stage.give(hold, VerdictKind.REJECT)
    assert [event.kind for event in stage.emitted(HoldOpened)] == ["draft", "hand_off"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_verdict_is_refused(build: Build, staging: ModuleType, kind: HoldKind) -> None:
    stage, hold = with_hold(build, staging, kind)
    verdict = next(verdict for of, verdict in TABLE if of is kind)
    stage.give(hold, verdict)
    with pytest.raises(HoldIsClosed, match="decided on this hold already"):
        stage.give(hold, verdict, version=hold.version + 1)


def test_of_many_verdicts_at_once_one_counts(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)

    async def at_once() -> list[Any]:
        requests = [
            VerdictRequest(hold_id=hold.id, version=hold.version, kind=VerdictKind.APPROVE, reviewer=f"r-{n}")
            for n in range(10)
        ]
        given = (stage.verdicts.give(request) for request in requests)
        return await asyncio.gather(*given, return_exceptions=True)

    results = stage.run(at_once())
    stage.settle()
    assert sum(not isinstance(result, Exception) for result in results) == 1
    assert stage.channel.texts == [DRAFT]


def test_a_verdict_for_an_older_version_is_refused(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    stage.clock.advance(901)
    stage.run(stage.holds.look(hold.id))
    with pytest.raises(StaleVersion, match="is at version 2, the verdict was for version 1"):
        stage.give(hold, VerdictKind.APPROVE)
    stage.settle()
    assert stage.channel.texts == []


def test_a_verdict_on_a_superseded_hold_says_which_turn_answers(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    newer = stage.receive("And where?")
    with pytest.raises(HoldIsClosed, match=f"turn {newer.turn_id} answers instead"):
        stage.give(hold, VerdictKind.APPROVE)


def test_a_verdict_on_a_hold_that_does_not_exist_names_it(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    with pytest.raises(NotFound, match="'none'"):
        stage.give(replace(hold, id="none"), VerdictKind.APPROVE)


@pytest.mark.parametrize("verdict", [VerdictKind.EDIT, VerdictKind.RESPOND])
@pytest.mark.parametrize("text", ["", " \n\t"])
def test_a_verdict_that_needs_a_text_is_refused_without(
    build: Build, staging: ModuleType, verdict: VerdictKind, text: str
) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    with pytest.raises(InputError, match="needs a text"):
        stage.give(hold, verdict, text)
    assert stage.open_holds == [hold]


def test_an_overlong_verdict_is_refused(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    with pytest.raises(InputError, match="20001 characters; at most 20000"):
        stage.give(hold, VerdictKind.EDIT, "x" * 20_001)


@pytest.mark.parametrize("severity", [-0.1, 1.1, float("nan")])
def test_a_severity_out_of_range_is_refused(build: Build, staging: ModuleType, severity: float) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    request = VerdictRequest(hold_id=hold.id, version=1, kind=VerdictKind.APPROVE, reviewer="rosa", severity=severity)
    with pytest.raises(InputError, match="severity"):
        stage.run(stage.verdicts.give(request))


@pytest.mark.parametrize("bad", ["\x00", "\ud83d"], ids=["nul", "half an emoji"])
def test_what_no_database_takes_is_replaced_in_a_verdict(build: Build, staging: ModuleType, bad: str) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    stage.give(hold, VerdictKind.EDIT, f"Tomor{bad}row.")
    stage.settle()
    assert stage.channel.texts == ["Tomor\ufffdrow."]


def test_an_empty_draft_cannot_be_approved(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST), agent=ScriptedAgent("  "))
    stage.ask("When?")
    (hold,) = stage.open_holds
    with pytest.raises(InputError, match="draft is empty"):
        stage.give(hold, VerdictKind.APPROVE)
    assert stage.open_holds == [hold]


def test_a_follow_up_answer_joins_the_turn_that_had_a_safe_reply(build: Build, staging: ModuleType) -> None:
    stage = build(
        agent=ScriptedAgent(Draft(text="Hard to say.", does_not_know=True)),
        rules=staging.rules(degrade_on=(("quality.does_not_know", "follow_up"),)),
    )
    turn = stage.ask("When?")
    stage.give(stage.open_holds[0], VerdictKind.RESPOND)
    stage.settle()
    assert stage.channel.texts == [staging.FOLLOW_UP.text, OWN]
    assert [entry.turn_id for entry in stage.channel.delivered] == [turn.id, turn.id]


# Claims ------------------------------------------------------------------------------------------------------


def claimed(stage: Any, hold: Hold, reviewer: str = "rosa") -> Hold:
    found: Hold = stage.run(stage.holds.claim(hold.id, reviewer=reviewer))
    return found


def test_a_claim_lasts_for_its_lease(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    mine = claimed(stage, hold)
    assert mine.claimed_by == "rosa"
    assert (mine.claimed_until - stage.clock.now()).total_seconds() == 60
    assert stage.open_holds == [mine]


def test_a_claim_is_no_news_for_a_verdict(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    assert claimed(stage, hold).version == hold.version


def test_a_claimed_hold_cannot_be_claimed_by_another(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    claimed(stage, hold)
    with pytest.raises(ClaimedByOther, match=r"rosa works on hold .* until 12:01:00"):
        claimed(stage, hold, "emil")


def test_a_claimed_hold_cannot_be_decided_by_another(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    claimed(stage, hold)
    with pytest.raises(ClaimedByOther):
        stage.give(hold, VerdictKind.APPROVE, reviewer="emil")
    stage.give(hold, VerdictKind.APPROVE, reviewer="rosa")


def test_a_heartbeat_renews_a_claim(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    claimed(stage, hold)
    stage.clock.advance(50)
    claimed(stage, hold)
    stage.clock.advance(50)
    with pytest.raises(ClaimedByOther):
        claimed(stage, hold, "emil")


def test_a_heartbeat_leaves_no_trace_in_the_ledger(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    claimed(stage, hold)
    before = stage.ledger
    claimed(stage, hold)
    assert stage.ledger == before


def test_a_lapsed_claim_may_be_taken_by_another(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    claimed(stage, hold)
    stage.clock.advance(60)
    assert claimed(stage, hold, "emil").claimed_by == "emil"


def test_a_released_hold_may_be_claimed_by_another(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    claimed(stage, hold)
    stage.run(stage.holds.release(hold.id, reviewer="rosa"))
    assert claimed(stage, hold, "emil").claimed_by == "emil"


def test_another_reviewer_cannot_release_a_claim(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    claimed(stage, hold)
    with pytest.raises(ClaimedByOther):
        stage.run(stage.holds.release(hold.id, reviewer="emil"))


def test_releasing_what_is_not_claimed_changes_nothing(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    before = stage.ledger
    assert stage.run(stage.holds.release(hold.id, reviewer="rosa")) == hold
    assert stage.ledger == before


def test_a_closed_hold_cannot_be_claimed(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)
    stage.give(hold, VerdictKind.APPROVE)
    with pytest.raises(HoldIsClosed):
        claimed(stage, hold)


def test_of_many_claims_at_once_one_counts(build: Build, staging: ModuleType) -> None:
    stage, hold = with_hold(build, staging, HoldKind.DRAFT)

    async def at_once() -> list[Any]:
        claims = (stage.holds.claim(hold.id, reviewer=f"r-{number}") for number in range(10))
        return await asyncio.gather(*claims, return_exceptions=True)

    results = stage.run(at_once())
    assert sum(isinstance(result, Hold) for result in results) == 1


def test_a_response_answers_the_turn_that_took_the_place_of_the_holds_turn(build: Build) -> None:
    channel = RecordingChannel(answers=[Accepted(), Rejected(reason="blocked")])
    stage = build(channel=channel)
    conversation_id = stage.ask("One").conversation_id
    stage.run(stage.conversations.take_over(conversation_id, reviewer="rosa"))
    stage.run(stage.conversations.say(conversation_id, "By hand.", reviewer="rosa"))
    stage.run(stage.conversations.hand_back(conversation_id, reviewer="rosa"))
    void = stage.receive("Two")
    stage.agent.gate = asyncio.Event()
    drafting = stage.start(stage.flow.advance(conversation_id))
    stage.run(stage.outbox.deliver(conversation_id))  # what was said is refused; the hold tells of the latest turn
    newer = stage.ask("Three")
    stage.agent.gate.set()
    stage.run(drafting)
    (hold,) = stage.open_holds
    assert hold.turn_id == void.turn_id
    stage.give(hold, VerdictKind.RESPOND)
    stage.settle()
    assert stage.turn(newer.id).state is TurnState.ANSWERED


@pytest.mark.parametrize("kind", [VerdictKind.RESPOND, VerdictKind.TAKE_OVER])
def test_a_person_who_answers_a_lost_message_lays_a_waiting_draft_aside(
    build: Build, staging: ModuleType, kind: VerdictKind
) -> None:
    channel = RecordingChannel(answers=[Accepted(), Rejected(reason="blocked")])
    stage = build(channel=channel, rules=staging.rules(never_auto=("delicate",)))
    conversation_id = stage.ask("One").conversation_id
    stage.run(stage.conversations.take_over(conversation_id, reviewer="rosa"))
    stage.run(stage.conversations.say(conversation_id, "By hand.", reviewer="rosa"))
    stage.run(stage.conversations.hand_back(conversation_id, reviewer="rosa"))
    stage.receive("Two", topic="delicate")
    stage.run(stage.flow.advance(conversation_id))
    stage.settle()  # what was said is refused; the hold tells of the latest turn, whose draft is on hold
    lost = next(hold for hold in stage.open_holds if hold.kind is HoldKind.HAND_OFF)
    assert len(stage.open_holds) == 2
    stage.give(lost, kind)
    assert stage.open_holds == []
