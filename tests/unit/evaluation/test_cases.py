"""A turn of the past becomes a case that refuses the same mistake, passes what people wrote, and names nobody."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from understudy.assessment.checks import CHECKS
from understudy.errors import MalformedInput
from understudy.evaluation.casebook import Suites
from understudy.evaluation.cases import Past, case_of, duplicate_of
from understudy.evaluation.graders import graders_of
from understudy.evaluation.graders.contract import NO_MEANS
from understudy.evaluation.history import written
from understudy.evaluation.suites import case_text, read_suite
from understudy.evaluation.teeth import tried
from understudy.records.assessment import DecisionKind, Finding, Severity, Span
from understudy.records.evidence import ChatMessage, ContactFacts, Draft, Passage, ToolCall
from understudy.records.feedback import FeedbackKind
from understudy.records.review import VerdictKind
from understudy.records.rulebook import Profile
from understudy.records.suite import Case, CaseRule, Recorded
from understudy.records.wire import parse_turn_record
from understudy.settings.model import Settings
from understudy.settings.rules import rulebook_of

SHOP = Profile(name="Shop", domains=("shop.example",), emails=("help@shop.io",), phones=("+44 20 7946 0018",))
RULEBOOK = rulebook_of(Settings())


def past(text: str = "You get 50 EUR back within 14 days.", **fields: Any) -> Past:
    given: dict[str, Any] = {
        "id": "t-1",
        "channel": "webchat",
        "topic": "refunds",
        "messages": (ChatMessage(role="user", content="How much do I get back?"),),
        "draft": Draft(text=text, sources=(Passage(id="kb", text="We refund 30 EUR."),), agent_version="v7"),
        "contact": ContactFacts(),
    }
    return Past(**(given | fields))


def refuses(case: Case, reply: str) -> bool | None:
    """Whether the case's graders refuse a reply."""
    probed = replace(case, recorded=Recorded(text=reply, is_good=False))
    found = asyncio.run(tried(probed, graders_of(case, NO_MEANS), RULEBOOK, CHECKS))
    assert found is not None
    return found.refused


def test_edit_becomes_the_values_that_were_put_in_and_taken_out() -> None:
    case = case_of(past(verdict=VerdictKind.EDIT, better="You get 30 EUR back within 2 weeks."), SHOP)
    assert [dict(one.terms) for one in case.graders if one.kind == "facts"] == [
        {"must": ["30 EUR"], "must_not": ["50 EUR"]}
    ]
    assert refuses(case, "You get 50 EUR back within 14 days.")
    assert refuses(case, "You get some money back.")
    assert refuses(case, "You will receive €30.00.") is False
    assert case.rule is CaseRule.ORDINARY


def test_rejected_draft_must_not_come_again() -> None:
    span = Span(start=8, end=14)
    finding = Finding(
        check="grounding", code="unsupported_amount", severity=Severity.MAJOR, explanation="An amount.", span=span
    )
    case = case_of(past(verdict=VerdictKind.REJECT, reasons=("wrong_amount",), findings=(finding,)), SHOP)
    assert (case.rule, case.failure_mode, case.topic) == (CaseRule.MUST_PASS, "wrong_amount", "refunds")
    assert case.id.startswith("refunds-wrong-amount-")
    assert "rejected the draft. They named: wrong_amount. The checks found: grounding." in (case.what_was_wrong or "")
    assert refuses(case, "You get 50 EUR back within 14 days!")
    assert refuses(case, "We refund 30 EUR, please send the parcel back.") is False


def test_value_that_a_check_pointed_at_is_refused_where_masking_moved_it() -> None:
    text = "Dear grace@navy.mil, you get 50 EUR."
    at = text.index("50 EUR")
    finding = Finding(
        check="grounding",
        code="unsupported_money",
        severity=Severity.MAJOR,
        explanation="",
        span=Span(start=at, end=at + 6),
    )
    case = case_of(past(text, verdict=VerdictKind.REJECT, findings=(finding,)), SHOP)
    assert [dict(one.terms) for one in case.graders if one.kind == "facts"] == [{"must_not": ["50 EUR"]}]


def test_turn_that_was_rightly_handed_off_must_be_handed_off_again() -> None:
    case = case_of(past(decision=DecisionKind.HAND_OFF), SHOP)
    assert [(one.kind, dict(one.terms)) for one in case.graders] == [("decision", {"": ["hand_off"]})]


def test_complaint_makes_a_case_that_must_pass() -> None:
    case = case_of(past(verdict=VerdictKind.APPROVE, feedback=(FeedbackKind.COMPLAINT,)), SHOP)
    assert (case.rule, case.failure_mode, case.tags) == (CaseRule.MUST_PASS, "complaint", ("complaint",))
    assert case.recorded is not None
    assert case.recorded.is_good is False


def test_approved_turn_keeps_its_values() -> None:
    case = case_of(past("You get 30 EUR back.", verdict=VerdictKind.APPROVE), SHOP)
    assert refuses(case, "You get 30 EUR back.") is False
    assert refuses(case, "You get nothing back.")


def test_tools_of_the_past_answer_the_same_again() -> None:
    messages = (
        ChatMessage(role="user", content="Where is A-1?"),
        ChatMessage(role="assistant", tool_calls=(ToolCall(id="1", name="get_order", arguments='{"id": "A-1"}'),)),
        ChatMessage(role="tool", tool_call_id="1", content='{"state": "lost"}'),
    )
    draft = Draft(text="It is lost.", tool_calls=(ToolCall(id="2", name="refund", error="timeout"),))
    case = case_of(past(messages=messages, draft=draft, verdict=VerdictKind.REJECT), SHOP)
    assert [(one.name, one.arguments, one.result, one.error) for one in case.tools] == [
        ("get_order", {"id": "A-1"}, '{"state": "lost"}', None),
        ("refund", None, None, "timeout"),
    ]


PERSON = {
    "name": "Grace Hopper",
    "email": "grace@navy.mil",
    "phone": "+1 415 555 2671",
    "address": "12 Harbour Road",
    "order": "A-100",
}


def test_case_names_nobody() -> None:
    said = (
        "I am Grace Hopper, grace@navy.mil, +1 415 555 2671, card 4111 1111 1111 1111, account DE89 3704 0044 0532 0130 00, "
        "SSN 536-90-4399. Write to help@shop.io or orders@shop.example, or call +44 20 7946 0018. Order A-100."
    )
    messages = (
        ChatMessage(role="user", content=said),
        ChatMessage(
            role="assistant",
            tool_calls=(ToolCall(id="1", name="get_customer", arguments='{"email": "grace@navy.mil"}'),),
        ),
        ChatMessage(role="tool", tool_call_id="1", content=json.dumps(PERSON)),
    )
    draft = Draft(text="Dear Grace, we wrote to Grace@Navy.mil and to 12 Harbour Road.")
    contact = ContactFacts(id="k-7", name="Grace Hopper", emails=("grace@navy.mil",), phones=("+14155552671",))
    text = case_text(
        case_of(
            past(
                messages=messages, draft=draft, contact=contact, verdict=VerdictKind.EDIT, better="Dear Grace, hello."
            ),
            SHOP,
        )
    )
    for secret in ("Grace", "Hopper", "navy.mil", "415", "2671", "4111", "DE89", "536-90", "Harbour", "k-7"):
        assert secret.lower() not in text.lower(), secret
    for kept in (
        "help@shop.io",
        "orders@shop.example",
        "+44 20 7946 0018",
        "A-100",
        "Customer 1",
        "customer1@example.com",
    ):
        assert kept in text, kept


def test_one_person_has_one_stand_in_throughout() -> None:
    messages = (ChatMessage(role="user", content="a@x.org and b@x.org and A@X.org"),)
    case = case_of(past(messages=messages, verdict=VerdictKind.REJECT), SHOP)
    assert case.messages[0].content == "customer1@example.com and customer2@example.com and customer1@example.com"


def test_same_question_failing_alike_is_one_case() -> None:
    first = case_of(past(verdict=VerdictKind.REJECT, reasons=("wrong_amount",)), SHOP)
    again = (ChatMessage(role="user", content="how much do I get back??"),)
    assert duplicate_of(
        case_of(past(id="t-2", messages=again, verdict=VerdictKind.REJECT, reasons=("wrong_amount",)), SHOP), [first]
    )
    assert not duplicate_of(
        case_of(past(id="t-2", messages=again, verdict=VerdictKind.REJECT, reasons=("rude",)), SHOP), [first]
    )
    other = (ChatMessage(role="user", content="Where is my parcel?"),)
    assert not duplicate_of(
        case_of(past(id="t-2", messages=other, verdict=VerdictKind.REJECT, reasons=("wrong_amount",)), SHOP), [first]
    )


def test_suite_takes_a_turn_once(tmp_path: Path) -> None:
    suites = Suites(tmp_path, SHOP)
    turn = past(verdict=VerdictKind.REJECT)
    first, second = suites.add(turn, "shop", tags=("mine",)), suites.add(turn, "shop")
    assert first.file is not None
    assert (second.file, second.duplicate_of) == (None, first.case.id)
    assert read_suite(tmp_path / "shop").cases == (first.case,)
    assert suites.add(turn, "other", write=False).file is None
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("name", ["../etc", "a/b", "", ".hidden", "x" * 200])
def test_suite_is_a_name_and_no_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(MalformedInput, match="a name has letters"):
        Suites(tmp_path, SHOP).add(past(verdict=VerdictKind.REJECT), name)


def test_turn_record_is_read_as_a_past_turn() -> None:
    record = {
        "id": "t-9",
        "messages": [{"role": "user", "content": "Hello?"}],
        "draft": {"text": "Goodbye."},
        "verdict": {"action": "edit", "text": "Hello!", "reasons": ["tone"]},
    }
    found = written(parse_turn_record(json.dumps(record)))
    assert (found.is_bad, found.better, found.reasons) == (True, "Hello!", ("tone",))
    with pytest.raises(MalformedInput, match="no message of the customer"):
        written(parse_turn_record(json.dumps(record | {"messages": [{"role": "assistant", "content": "Hi"}]})))
