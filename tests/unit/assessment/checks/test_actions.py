"""What the draft says was done must have been done."""

from __future__ import annotations

from typing import Any

import pytest

from understudy.assessment.checks.actions import ActionsCheck
from understudy.records.assessment import Finding
from understudy.records.evidence import Action, Evidence, ToolCall
from understudy.records.policy import ActionVerb
from understudy.records.rulebook import Rules


def found(evidence: Evidence) -> tuple[Finding, ...]:
    assert evidence.draft
    return ActionsCheck().examine(evidence, evidence.draft, Rules()).findings


@pytest.mark.parametrize(
    "draft",
    [
        "I've refunded your order.",
        "I have just cancelled the booking.",
        "I\u2019ve gone ahead and updated your address.",
        "We have now sent you a new one.",
        "I cancelled it for you.",
        "Your reservation has been successfully cancelled.",
        "A refund of $30 has been issued to your card.",
        "Good news: your flight is now booked.",
        "Both items were successfully exchanged.",
    ],
)
def test_claim_without_a_tool_call_is_found(turn: Any, draft: str) -> None:
    assert [finding.name for finding in found(turn("please", draft))] == ["actions.unbacked_action"]


@pytest.mark.parametrize(
    "draft",
    [
        "I can cancel it for you.",
        "Would you like me to cancel it?",
        "Have I cancelled the right one?",
        "Once I've cancelled it, you will get an e-mail.",
        "If I have refunded it, you will see it on your statement.",
        "I haven't cancelled anything.",
        "I have not yet updated your address.",
        "I will have cancelled it by then.",
        "Let me know when it has been cancelled.",
        "Your order can be cancelled until tomorrow.",
        "The flight was cancelled by the airline.",
    ],
)
def test_plans_conditions_questions_and_denials_are_no_claims(turn: Any, draft: str) -> None:
    assert found(turn("please", draft)) == ()


@pytest.mark.parametrize(
    ("draft", "tool"),
    [
        ("I've cancelled your order.", "cancel_order"),
        ("I've refunded you.", "issue_refund"),
        ("I've changed your address.", "update_address"),
        ("Your flight is now booked.", "book_flight"),
        ("I've submitted your request.", "return_items"),
    ],
)
def test_claim_is_backed_by_a_successful_call_that_goes_with_it(turn: Any, draft: str, tool: str) -> None:
    assert found(turn("please", draft, tools=[(tool, '{"status": "done"}')])) == ()


def test_claim_is_backed_by_a_call_of_the_draft_itself(turn: Any) -> None:
    call = ToolCall(id="1", name="cancel_order", result='{"ok": true}')
    assert found(turn("please", "I've cancelled it.", tool_calls=(call,))) == ()


def test_claim_is_backed_by_a_proposed_action(turn: Any) -> None:
    assert found(turn("please", "I've cancelled it.", actions=(Action(name="cancel_order", arguments={}),))) == ()


@pytest.mark.parametrize(
    "result", ["Error: order not found", '{"error": "no such order"}', '{"success": false}', '{"status": "failed"}']
)
def test_failed_call_backs_nothing(turn: Any, result: str) -> None:
    assert len(found(turn("please", "I've cancelled your order.", tools=[("cancel_order", result)]))) == 1


def test_call_without_a_result_backs_nothing(turn: Any) -> None:
    call = ToolCall(id="1", name="cancel_order")
    assert len(found(turn("please", "I've cancelled it.", tool_calls=(call,)))) == 1


def test_call_with_an_empty_error_field_succeeded(turn: Any) -> None:
    assert found(turn("please", "I've cancelled it.", tools=[("cancel_order", '{"error": null, "id": 1}')])) == ()


def test_other_action_backs_nothing(turn: Any) -> None:
    assert len(found(turn("please", "I've refunded it.", tools=[("update_address", "{}")]))) == 1


def test_reading_backs_no_deed_of_its_own(turn: Any) -> None:
    assert len(found(turn("please", "I've submitted it.", tools=[("get_order", '{"id": 1}')]))) == 1


def test_state_that_a_tool_reports_may_be_repeated(turn: Any) -> None:
    tools = [("get_order", '{"status": "cancelled"}')]
    assert found(turn("what happened?", "Your order has been cancelled.", tools=tools)) == ()


def test_finding_points_at_the_claim(turn: Any) -> None:
    draft = "Thanks for waiting. I've refunded your order."
    (finding,) = found(turn("please", draft))
    assert finding.span is not None
    assert draft[finding.span.start : finding.span.end] == "I've refunded"


PORTING = Rules(verbs=(ActionVerb(words=("ported",), tools=("port_number",)),))


def test_verb_of_the_business_needs_its_own_tool(turn: Any) -> None:
    evidence = turn("please", "I have ported your number.", tools=[("update_account", "done")])
    assert [f.code for f in ActionsCheck().examine(evidence, evidence.draft, PORTING).findings] == ["unbacked_action"]
    backed = turn("please", "I have ported your number.", tools=[("port_number", "done")])
    assert ActionsCheck().examine(backed, backed.draft, PORTING).findings == ()


def test_word_that_is_no_built_in_verb_is_a_claim_only_where_the_business_says_so(turn: Any) -> None:
    assert found(turn("please", "I have ported your number.")) == ()


def test_status_that_says_otherwise_contradicts(turn: Any) -> None:
    evidence = turn("please", "I have refunded it.", tools=[("get_refund", '{"status": "denied"}')])
    assert [finding.code for finding in found(evidence)] == ["contradicted_action"]


@pytest.mark.parametrize(
    ("customer", "arguments"),
    [
        ("It is order #W3445693", '{"order_id": "#W3445693"}'),
        ("It is order 3445693", '{"order_id": "#W3445693"}'),
        ("Order W-344 5693", '{"order_id": "W3445693"}'),
        ("hello", '{"amount": "1,200.50", "on": "2026-05-20", "reason": "no longer needed", "size": "XL"}'),
        ("hello", "not JSON W3445693"),
    ],
)
def test_argument_that_was_given_or_refers_to_nothing_is_fine(turn: Any, customer: str, arguments: str) -> None:
    calls = (ToolCall(id="1", name="cancel_order", arguments=arguments, result="ok"),)
    assert found(turn(customer, "One moment.", tool_calls=calls)) == ()


def test_argument_from_an_earlier_tool_result_is_fine(turn: Any) -> None:
    calls = (ToolCall(id="1", name="cancel_order", arguments='{"item": ["A77120934"]}', result="ok"),)
    tools = [("list_orders", '["A77120934"]')]
    assert found(turn("the first", "One moment.", tools=tools, tool_calls=calls)) == ()


def test_argument_of_a_proposed_action_is_looked_up_too(turn: Any) -> None:
    action = Action(name="refund", arguments={"to": "lee@mail.example"})
    assert [finding.code for finding in found(turn("hello", "One moment.", actions=(action,)))] == ["invented_argument"]
