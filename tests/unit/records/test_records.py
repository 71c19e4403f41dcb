"""Records check themselves when they are made, and a turn's table of transitions has no dead end it should not have."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.records.assessment import Confidence, Decision, DecisionKind, Finding, Reason, Severity, Signal, Span
from understudy.records.conversation import Inbound, Mode
from understudy.records.evidence import ChatMessage, Draft, Evidence
from understudy.records.review import Verdict, VerdictKind
from understudy.records.rulebook import CheckPolicy, Grant, Level, Rules, SafeReply
from understudy.records.text import storable, storable_record
from understudy.records.turn import OPEN, SUPERSEDABLE, TRANSITIONS, WORKING, TurnState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REASON = Reason(code="r", explanation="Because.")


def evidence(**fields: Any) -> Evidence:
    given: dict[str, Any] = {
        "turn_id": "t",
        "conversation_id": "c",
        "channel": "w",
        "topic": "x",
        "at": NOW,
        "messages": (),
        "burst": 0,
        "draft": Draft(text="Hello."),
    }
    return Evidence(**{**given, **fields})


def verdict(**fields: Any) -> Verdict:
    given: dict[str, Any] = {
        "id": "v",
        "hold_id": "h",
        "turn_id": "t",
        "kind": VerdictKind.APPROVE,
        "text": None,
        "reasons": (),
        "severity": None,
        "reviewer": "r",
        "at": NOW,
    }
    return Verdict(**{**given, **fields})


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Span(start=3, end=2), "Span"),
        (lambda: Span(start=-1, end=2), "Span"),
        (lambda: Signal(check="a", score=1.01), "Signal 'a'"),
        (lambda: Signal(check="a", score=float("nan")), "Signal 'a'"),
        (lambda: Confidence(value=-0.01, contributions=()), "Confidence"),
        (lambda: Confidence(value=float("inf"), contributions=()), "Confidence"),
        (lambda: Decision(kind=DecisionKind.HOLD, reasons=()), "reason"),
        (lambda: Decision(kind=DecisionKind.DEGRADE, reasons=(REASON,)), "safe reply"),
        (lambda: Decision(kind=DecisionKind.HOLD, reasons=(REASON,), safe_reply="x"), "safe reply"),
        (lambda: Draft(text="x", confidence=1.5), r"Draft\.confidence"),
        (lambda: Draft(text="x", confidence=float("nan")), r"Draft\.confidence"),
        (lambda: evidence(draft=None), "either a draft or an agent_error"),
        (lambda: evidence(agent_error="down"), "either a draft or an agent_error"),
        (lambda: evidence(burst=1), r"Evidence\.burst"),
        (lambda: evidence(audit_draw=1.0), r"Evidence\.audit_draw"),
        (lambda: verdict(severity=1.1), r"Verdict\.severity"),
        (lambda: verdict(kind=VerdictKind.EDIT, text=" "), "needs a text"),
        (lambda: verdict(kind=VerdictKind.RESPOND), "needs a text"),
        (lambda: Grant(topic="*", channel="*", level=Level.AUTO, threshold=1.1), r"Grant\.threshold"),
        (lambda: CheckPolicy(check="a", weight=-1), r"CheckPolicy\.weight"),
        (lambda: Rules(audit_rate=2), r"Rules\.audit_rate"),
        (lambda: Rules(automatic_per_hour_max=-1), r"Rules\.automatic_per_hour_max"),
        (lambda: Rules(degrade_on=(("agent_failed", "none"),)), "safe reply 'none'"),
        (lambda: Rules(hand_off_notice="none"), "safe reply 'none'"),
        (lambda: Inbound(provider_id="", external_id="e", address="a", text="x"), r"Inbound\.provider_id"),
        (lambda: Inbound(provider_id="p", external_id="", address="a", text="x"), r"Inbound\.external_id"),
    ],
)
def test_a_record_that_makes_no_sense_cannot_be_made(make: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()


def test_evidence_of_a_turn_with_a_person_needs_no_draft() -> None:
    assert evidence(draft=None, mode=Mode.PERSON).draft is None


def test_rules_may_name_the_safe_replies_they_have() -> None:
    sorry = SafeReply(id="sorry", version=1, text="Sorry.")
    assert Rules(safe_replies=(sorry,), degrade_on=(("agent_failed", "sorry"),), hand_off_notice="sorry")


def test_the_customers_words_of_a_burst_are_those_of_the_customer() -> None:
    messages = (
        ChatMessage(role="user", content="earlier"),
        ChatMessage(role="assistant", content="answered"),
        ChatMessage(role="user", content="one"),
        ChatMessage(role="user", content="two"),
        ChatMessage(role="tool", content="a tool's words"),
    )
    made = evidence(messages=messages, burst=3)
    assert made.burst_text == "one\ntwo"
    assert made.customer_texts == ("earlier", "one", "two")


def test_a_slice_is_topic_and_channel() -> None:
    assert evidence().slice == "x×w"


def test_a_finding_has_a_full_name() -> None:
    assert Finding(check="a", code="b", severity=Severity.INFO, explanation="").name == "a.b"


def test_every_state_is_in_the_table() -> None:
    assert set(TRANSITIONS) == set(TurnState)


def test_only_final_states_lead_nowhere() -> None:
    assert {state for state, following in TRANSITIONS.items() if not following} == {
        TurnState.ANSWERED,
        TurnState.SUPERSEDED,
        TurnState.SPENT,
        TurnState.REDRAFTED,
    }


def test_a_planted_turn_has_no_way_to_delivery_and_none_leads_to_it() -> None:
    assert TRANSITIONS[TurnState.PLANTED] == {TurnState.SPENT}
    assert not TRANSITIONS[TurnState.SPENT]
    others = set(TurnState) - {TurnState.PLANTED}
    assert not any({TurnState.PLANTED, TurnState.SPENT} & TRANSITIONS[state] for state in others)
    assert not {TurnState.PLANTED, TurnState.SPENT} & (OPEN | WORKING | SUPERSEDABLE)


def test_a_redrafted_turn_leads_nowhere_and_nothing_leads_to_it() -> None:
    assert not TRANSITIONS[TurnState.REDRAFTED]
    assert not any(TurnState.REDRAFTED in following for following in TRANSITIONS.values())
    assert TurnState.REDRAFTED not in OPEN | WORKING | SUPERSEDABLE


def test_every_state_but_those_made_for_reviewers_can_be_reached_from_the_first() -> None:
    reached = {TurnState.PLANTED, TurnState.SPENT, TurnState.REDRAFTED}
    new = {TurnState.COLLECTING}
    while new:
        reached |= new
        new = {to for state in new for to in TRANSITIONS[state]} - reached
    assert reached == set(TurnState)


def test_a_turn_can_be_made_void_exactly_where_its_draft_is_still_unsent() -> None:
    void = {state for state in TurnState if TurnState.SUPERSEDED in TRANSITIONS[state]}
    assert (
        void - {TurnState.HANDED_OFF} == SUPERSEDABLE
    )  # what people waited to answer goes back to the agent unanswered


def test_what_the_system_works_on_is_open() -> None:
    assert WORKING < OPEN
    assert not OPEN & {TurnState.ANSWERED, TurnState.SUPERSEDED, TurnState.HANDED_OFF}


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_text_that_every_database_takes_stays_as_it_is(text: str) -> None:
    assert storable(text) == text


@given(text=st.text(alphabet=st.characters()))
def test_any_text_becomes_storable_and_keeps_its_length(text: str) -> None:
    cleaned = storable(text)
    assert len(cleaned) == len(text)
    assert "\x00" not in cleaned
    assert cleaned.encode().decode() == cleaned


def test_every_text_in_a_record_becomes_storable() -> None:
    draft = Draft(text="a\x00", finish_reason="b\ud83d")
    message = ChatMessage(role="user", content="c\x00")
    assert storable_record((draft, [message], {"d\x00": 1})) == (
        Draft(text="a\ufffd", finish_reason="b\ufffd"),
        [ChatMessage(role="user", content="c\ufffd")],
        {"d\ufffd": 1},
    )


def test_a_record_with_nothing_to_replace_is_the_same_record() -> None:
    draft = Draft(text="a 🎉")
    assert storable_record(draft) is draft
