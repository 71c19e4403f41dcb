"""A call of our own tool is a proposal, however the agent's library wrapped its answer; a call of any other tool stays one."""

from __future__ import annotations

import json

import pytest

from understudy.records.evidence import Action, Draft, ToolCall
from understudy.records.offered import MARK, proposal, with_proposals

GIVEN = {"order": "FW-20391", "amount": 40}
SAID = json.dumps(proposal("refund", GIVEN))
REFUND = Action(name="refund", arguments=GIVEN)


def draft(*calls: ToolCall, actions: tuple[Action, ...] = ()) -> Draft:
    return Draft(text="I have refunded 40 GBP.", agent="a", agent_version="v1", tool_calls=calls, actions=actions)


def call(result: str | None, name: str = "refund", number: int = 1) -> ToolCall:
    return ToolCall(id=f"call-{number}", name=name, arguments=json.dumps(GIVEN), result=result)


@pytest.mark.parametrize(
    "wrapped",
    [
        SAID,
        json.dumps([{"type": "text", "text": SAID}]),
        json.dumps({"content": [{"type": "text", "text": SAID}], "isError": False}),
        json.dumps({"content": [], "structuredContent": proposal("refund", GIVEN)}),
        json.dumps({"result": SAID}),
    ],
)
def test_a_call_that_was_a_proposal_is_an_action_and_says_nothing_any_more(wrapped: str) -> None:
    read = with_proposals(draft(call(wrapped, name="mcp__understudy__refund")))
    assert read.actions == (REFUND,)
    assert read.tool_calls == (), "nothing was done, so it carries no statement"


@pytest.mark.parametrize(
    "result",
    [
        None,
        "",
        "refunded 40 GBP",
        json.dumps({"status": "refunded"}),
        f"the tool said {MARK}",
        json.dumps({MARK: "refund"}),
        json.dumps({MARK: {"name": "", "arguments": {}}}),
        json.dumps({MARK: {"name": "refund", "arguments": "all of it"}}),
        json.dumps({"deep": {"deeper": {"result": SAID}}}),
        "[" * 100_000 + MARK,
    ],
)
def test_what_is_no_proposal_of_ours_stays_what_a_tool_said(result: str | None) -> None:
    plain = draft(call(result))
    assert with_proposals(plain) is plain or with_proposals(plain) == plain


def test_each_is_proposed_once_in_the_order_of_the_calls_and_before_those_of_the_draft() -> None:
    other = call(json.dumps(proposal("cancel", GIVEN)), name="cancel", number=2)
    looked = ToolCall(id="call-3", name="orders", result='{"status": "paid"}')
    late = Action(name="note", arguments={})
    read = with_proposals(draft(other, looked, call(SAID), call(SAID, number=9), actions=(REFUND, late)))
    assert [action.name for action in read.actions] == ["cancel", "refund", "note"]
    assert read.tool_calls == (looked,)


@pytest.mark.parametrize("name", ["search", "orefund", "refund_status", ""])
def test_what_another_tool_answers_proposes_nothing(name: str) -> None:
    """Whoever writes what a search finds would else act in the agent's name."""
    plain = draft(call(SAID, name=name))
    assert with_proposals(plain) == plain


def test_what_was_not_called_with_these_arguments_is_not_proposed() -> None:
    more = json.dumps(proposal("refund", {**GIVEN, "amount": 10_000}))
    for one in (call(more), ToolCall(id="c", name="refund", arguments="{", result=SAID)):
        assert with_proposals(draft(one)).actions == ()
