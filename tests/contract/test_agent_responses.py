"""How a Responses answer becomes a draft, item by item."""

from __future__ import annotations

from typing import Any

import pytest

from understudy.adapters.agents.json_forms import read_draft
from understudy.adapters.agents.responses import draft_form, input_form
from understudy.errors import AgentAnsweredNonsense, AgentUnavailable
from understudy.records.evidence import Action, ChatMessage, Draft, ToolCall


def read(*output: dict[str, Any], **beside: Any) -> Draft:
    answer = {"status": "completed", "output": list(output), **beside}
    return read_draft(draft_form(answer, agent="shop"), agent="shop", agent_version="v1")


def said(text: str, *annotations: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "content": [{"type": "output_text", "text": text, "annotations": list(annotations)}]}


CALL = {"type": "function_call", "call_id": "c1", "name": "get_order", "arguments": '{"id": "A1"}'}


def test_function_call_with_its_output_is_an_executed_tool_call() -> None:
    output = {"type": "function_call_output", "call_id": "c1", "output": '{"state": "shipped"}'}
    draft = read(CALL, output, said("Shipped."))
    assert draft.tool_calls == (
        ToolCall(id="c1", name="get_order", arguments='{"id": "A1"}', result='{"state": "shipped"}'),
    )
    assert draft.actions == ()


def test_function_call_without_an_output_is_a_proposed_action() -> None:
    draft = read(CALL, said("Let me look."))
    assert draft.actions == (Action(name="get_order", arguments={"id": "A1"}),)
    assert draft.tool_calls == ()


def test_mcp_call_is_an_executed_tool_call_with_its_error() -> None:
    call = {"type": "mcp_call", "id": "m1", "name": "find", "arguments": "{}", "output": None, "error": "no such order"}
    assert read(call, said("Sorry.")).tool_calls == (ToolCall(id="m1", name="find", error="no such order"),)


def test_file_search_results_become_sources_with_their_text() -> None:
    search = {
        "type": "file_search_call",
        "results": [
            {"file_id": "f1", "filename": "cards.md", "text": "Five days.", "score": 0.9},
            {"file_id": "f1", "filename": "cards.md", "text": "Abroad ten.", "score": 0.5},
        ],
    }
    citation = {"type": "file_citation", "file_id": "f1", "filename": "cards.md", "index": 3}
    sources = read(search, said("Five days.", citation)).sources
    assert [(s.id, s.title, s.text, s.score) for s in sources] == [
        ("f1", "cards.md", "Five days.", 0.9),
        ("f1#1", "cards.md", "Abroad ten.", 0.5),
    ]


def test_citations_without_search_results_become_sources_without_text() -> None:
    file = {"type": "file_citation", "file_id": "f1", "filename": "cards.md"}
    url = {"type": "url_citation", "url": "https://shop.example", "title": "Shop"}
    sources = read(said("x", file, url, url)).sources
    assert [(s.id, s.title, s.url) for s in sources] == [
        ("f1", "cards.md", None),
        ("https://shop.example", "Shop", "https://shop.example"),
    ]


def test_web_search_sources_are_taken_with_the_title_of_the_citation() -> None:
    search = {"type": "web_search_call", "action": {"type": "search", "sources": [{"type": "url", "url": "https://a"}]}}
    sources = read(search, said("x", {"type": "url_citation", "url": "https://a", "title": "A"})).sources
    assert [(s.id, s.title) for s in sources] == [("https://a", "A")]


@pytest.mark.parametrize(
    ("details", "finish_reason"),
    [({"reason": "max_output_tokens"}, "length"), ({"reason": "content_filter"}, "content_filter"), (None, "length")],
)
def test_incomplete_response_says_why(details: Any, finish_reason: str) -> None:
    assert read(said("Your card"), status="incomplete", incomplete_details=details).finish_reason == finish_reason


def test_refusal_is_a_hand_off_in_the_models_words() -> None:
    draft = read({"type": "message", "content": [{"type": "refusal", "refusal": "I cannot."}]})
    assert (draft.text, draft.handoff) == ("I cannot.", True)


@pytest.mark.parametrize("code", ["server_error", "rate_limit_exceeded"])
def test_failed_response_that_may_pass_is_unavailable(code: str) -> None:
    with pytest.raises(AgentUnavailable, match=code):
        read(status="failed", error={"code": code, "message": "x"})


@pytest.mark.parametrize("beside", [{"status": "failed", "error": {"code": "invalid_prompt"}}, {"status": "queued"}])
def test_response_that_is_not_done_is_nonsense(beside: dict[str, Any]) -> None:
    with pytest.raises(AgentAnsweredNonsense, match="status"):
        read(**beside)


def test_reasoning_alone_is_no_draft() -> None:
    with pytest.raises(AgentAnsweredNonsense, match="neither text"):
        read({"type": "reasoning", "summary": []})


def test_understudy_field_hands_over_evidence() -> None:
    draft = read(said("Five days."), understudy={"sources": [{"id": "kb-1", "quote": "Five days."}], "confidence": 0.7})
    assert (draft.sources[0].text, draft.confidence) == ("Five days.", 0.7)


def test_messages_become_input_items() -> None:
    messages = [
        ChatMessage(role="user", content="Where is A1?"),
        ChatMessage(role="assistant", tool_calls=(ToolCall(id="1", name="find", arguments="{}"),)),
        ChatMessage(role="tool", tool_call_id="1", content="shipped"),
        ChatMessage(role="assistant", content="On its way.", person=True),
    ]
    assert input_form(messages) == [
        {"role": "user", "content": "Where is A1?"},
        {"type": "function_call", "call_id": "1", "name": "find", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "1", "output": "shipped"},
        {"role": "assistant", "content": "On its way."},
    ]
