"""The public form of drafts and turn records: what is taken, what is refused, and that an error names the field."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.errors import MalformedInput
from understudy.records.evidence import ChatMessage, Draft, ToolCall
from understudy.records.review import VerdictKind
from understudy.records.wire import (
    MESSAGES_MAX,
    NAME_CHARS_MAX,
    TEXT_CHARS_MAX,
    burst_length,
    parse_draft,
    parse_turn_record,
)

SMALLEST: dict[str, Any] = {"id": "t-1", "messages": [{"role": "user", "content": "Hi"}], "draft": {"text": "Hello."}}

FULL = {
    "id": "t-1",
    "conversation_id": "c-9",
    "channel": "webchat",
    "topic": "refunds",
    "agent_version": "v7",
    "at": "2026-05-02T10:00:00Z",
    "messages": [
        {"role": "user", "content": "Where is it?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "get_order", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "1", "content": "on its way"},
    ],
    "draft": {
        "text": "On its way.",
        "sources": [{"id": "kb-4", "title": "Shipping", "text": "We ship.", "score": 0.7}],
        "confidence": None,
    },
    "verdict": {
        "action": "edit",
        "text": "It is on its way.",
        "severity": 0.2,
        "reasons": ["too_short"],
        "reviewer": "r-3",
        "at": "2026-05-02T10:01:00Z",
    },
}


def record(**changes: Any) -> str:
    return json.dumps({**SMALLEST, **changes})


def test_the_smallest_record_is_taken() -> None:
    parsed = parse_turn_record(record())
    assert (parsed.id, parsed.channel, parsed.conversation_id, parsed.topic) == ("t-1", "api", None, None)
    assert parsed.chat() == (ChatMessage(role="user", content="Hi"),)
    assert parsed.draft_record() == Draft(text="Hello.")


def test_the_record_of_the_reference_is_read_whole() -> None:
    parsed = parse_turn_record(json.dumps(FULL))
    assert parsed.chat()[1].tool_calls == (ToolCall(id="1", name="get_order", arguments="{}"),)
    assert parsed.chat()[2] == ChatMessage(role="tool", content="on its way", tool_call_id="1")
    assert parsed.draft_record().sources[0].score == 0.7
    assert parsed.draft_record().agent_version == "v7"
    assert parsed.moment() == datetime(2026, 5, 2, 10, 0, tzinfo=UTC)
    assert parsed.verdict is not None
    assert (parsed.verdict.action, parsed.verdict.severity) == (VerdictKind.EDIT, 0.2)


def test_unknown_fields_are_passed_over() -> None:
    assert parse_turn_record(record(of_another_system=1, draft={"text": "Hello.", "logprobs": []})).id == "t-1"


def test_a_time_without_zone_is_read_as_utc() -> None:
    assert parse_turn_record(record(at="2026-05-02T10:00:00")).moment() == datetime(2026, 5, 2, 10, 0, tzinfo=UTC)


def test_a_time_elsewhere_is_turned_to_utc() -> None:
    moment = parse_turn_record(record(at="2026-05-02T10:00:00+05:30")).moment()
    assert moment == datetime(2026, 5, 2, 4, 30, tzinfo=UTC)


def test_content_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "One"}, {"type": "image_url"}, {"type": "text", "text": "Two"}]
    parsed = parse_turn_record(record(messages=[{"role": "user", "content": parts}]))
    assert parsed.chat()[0].content == "One\nTwo"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": ""}, "id: "),
        ({"id": 7}, "id: "),
        ({"id": "x" * (NAME_CHARS_MAX + 1)}, "id: "),
        ({"messages": []}, "messages: "),
        ({"messages": "Hi"}, "messages: "),
        ({"messages": [{"role": "customer", "content": "Hi"}]}, "messages.0.role: "),
        ({"messages": [{"content": "Hi"}]}, "messages.0.role: "),
        ({"messages": [{"role": "user", "content": "Hi"}] * (MESSAGES_MAX + 1)}, "messages: "),
        ({"messages": [{"role": "user", "content": "Hi", "tool_calls": [{}]}]}, "messages.0.tool_calls.0.function: "),
        ({"draft": None}, "draft: "),
        ({"draft": {}}, "draft.text: "),
        ({"draft": {"text": None}}, "draft.text: "),
        ({"draft": {"text": "x" * (TEXT_CHARS_MAX + 1)}}, "draft.text: "),
        ({"draft": {"text": "x", "confidence": 1.1}}, "draft.confidence: "),
        ({"draft": {"text": "x", "confidence": "high"}}, "draft.confidence: "),
        ({"draft": {"text": "x", "sources": [{"text": "no id"}]}}, "draft.sources.0.id: "),
        ({"draft": {"text": "x", "tool_calls": [{"arguments": {}}]}}, "draft.tool_calls.0.name: "),
        ({"draft": {"text": "x", "actions": [{"name": "refund", "arguments": 7}]}}, "draft.actions.0.arguments: "),
        ({"draft": {"text": "x", "handoff": "yes"}}, "draft.handoff: "),
        ({"draft": {"text": "x", "pipeline": [{"name": "a", "took_ms": -1}]}}, "draft.pipeline.0.took_ms: "),
        ({"at": "yesterday"}, "at: "),
        ({"topic": "x" * 201}, "topic: "),
        ({"verdict": {"action": "shrug"}}, "verdict.action: "),
        ({"verdict": {"action": "edit", "severity": 2}}, "verdict.severity: "),
        ({"verdict": {}}, "verdict.action: "),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_fit_is_refused_by_the_name_of_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedInput) as problem:
        parse_turn_record(record(**changes))
    assert problem.value.message.startswith(f"not a turn record: {field}")


@pytest.mark.parametrize("missing", ["id", "messages", "draft"])
def test_what_is_missing_is_named(missing: str) -> None:
    left = {name: value for name, value in SMALLEST.items() if name != missing}
    with pytest.raises(MalformedInput, match=f"not a turn record: {missing}: Field required"):
        parse_turn_record(json.dumps(left))


@pytest.mark.parametrize("line", ["", "{", "[]", "null", "7", '{"id": NaN}', b"\xff\xfe"])
def test_what_is_no_json_object_is_refused(line: str | bytes) -> None:
    with pytest.raises(MalformedInput, match="not a turn record"):
        parse_turn_record(line)


@given(line=st.binary(max_size=60) | st.text(max_size=60))
def test_any_line_is_either_read_or_refused(line: str | bytes) -> None:
    with pytest.raises(MalformedInput):
        parse_turn_record(line)


def test_a_draft_takes_the_other_names_of_its_fields() -> None:
    body = {
        "text": "x",
        "sources": [{"id": "a", "quote": "q"}],
        "tool_calls": [{"name": "f", "args": {"b": 1, "a": 2}}],
    }
    draft = parse_draft(json.dumps(body), agent="bot")
    assert draft.sources[0].text == "q"
    assert draft.tool_calls == (ToolCall(id="call-0", name="f", arguments='{"a": 2, "b": 1}'),)


def test_a_draft_that_names_no_agent_is_its_configured_agents() -> None:
    draft = parse_draft('{"text": "x"}', agent="bot", agent_version="v1")
    assert (draft.agent, draft.agent_version) == ("bot", "v1")
    named = parse_draft('{"text": "x", "agent": "other", "agent_version": "v2"}', agent="bot", agent_version="v1")
    assert (named.agent, named.agent_version) == ("other", "v2")


def user(text: str = "x") -> ChatMessage:
    return ChatMessage(role="user", content=text)


ASSISTANT = ChatMessage(role="assistant", content="x")
CALLS = ChatMessage(role="assistant", tool_calls=(ToolCall(id="1", name="f"),))
TOOL = ChatMessage(role="tool", content="x", tool_call_id="1")
SYSTEM = ChatMessage(role="system", content="x")


@pytest.mark.parametrize(
    ("messages", "length"),
    [
        ((), 0),
        ((user(),), 1),
        ((user(), user()), 2),
        ((user(), ASSISTANT), 0),
        ((user(), ASSISTANT, user(), user()), 2),
        ((SYSTEM, user()), 1),
        ((user(), CALLS, TOOL), 3),
        ((user(), user(), CALLS, TOOL, CALLS, TOOL), 6),
        ((user(), ASSISTANT, user(), CALLS, TOOL), 3),
        ((user(), CALLS, TOOL, user()), 1),
        ((CALLS, TOOL), 0),
        ((user(), SYSTEM), 0),
    ],
)
def test_the_burst_reaches_from_the_customers_first_unanswered_message_to_the_end(
    messages: tuple[ChatMessage, ...], length: int
) -> None:
    assert burst_length(messages) == length


@given(messages=st.lists(st.sampled_from([user(), ASSISTANT, CALLS, TOOL, SYSTEM]), max_size=8).map(tuple))
def test_a_burst_begins_with_the_customer_and_holds_no_answer(messages: tuple[ChatMessage, ...]) -> None:
    length = burst_length(messages)
    burst = messages[len(messages) - length :]
    assert not burst or burst[0].role == "user"
    assert ASSISTANT not in burst
    assert SYSTEM not in burst
