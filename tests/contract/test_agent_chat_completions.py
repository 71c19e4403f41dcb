"""How a Chat Completions answer becomes a draft, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from understudy.adapters.agents.chat_completions import ChatCompletionsAgent, draft_form
from understudy.adapters.agents.json_forms import chat_form, read_draft
from understudy.errors import AgentAnsweredNonsense
from understudy.records.evidence import Action, ChatMessage, Draft, Passage, ToolCall


def read(message: dict[str, Any], *, finish_reason: str = "stop", **beside: Any) -> Draft:
    answer = {"model": "m-1-0613", "choices": [{"message": message, "finish_reason": finish_reason}], **beside}
    return read_draft(draft_form(answer, agent="shop"), agent="shop", agent_version="v1")


CALL = {"id": "call-9", "type": "function", "function": {"name": "refund", "arguments": '{"order": "A1", "amount": 5}'}}
CITATION = {"type": "url_citation", "url_citation": {"url": "https://shop.example/faq", "title": "FAQ"}}


def test_content_in_parts_is_joined() -> None:
    assert read({"content": [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]}).text == "One.\nTwo."


def test_refusal_is_a_hand_off_in_the_models_words() -> None:
    draft = read({"content": None, "refusal": "I cannot help with that."})
    assert (draft.text, draft.handoff) == ("I cannot help with that.", True)


def test_answer_cut_off_says_so() -> None:
    assert read({"content": "Your card is on"}, finish_reason="length").finish_reason == "length"


def test_answer_cut_off_before_its_first_word_is_nonsense_and_names_the_limit() -> None:
    with pytest.raises(AgentAnsweredNonsense, match="limit on tokens"):
        read({"content": ""}, finish_reason="length")


def test_url_citations_become_sources_once_each() -> None:
    draft = read({"content": "See the FAQ.", "annotations": [CITATION, CITATION, {"type": "other"}]})
    assert draft.sources == (
        Passage(id="https://shop.example/faq", url="https://shop.example/faq", title="FAQ", text=""),
    )


def test_tool_call_nobody_executed_is_a_proposed_action() -> None:
    draft = read({"content": "I can refund that.", "tool_calls": [CALL]})
    assert draft.actions == (Action(name="refund", arguments={"order": "A1", "amount": 5}),)
    assert draft.tool_calls == ()


def test_tool_call_without_words_is_a_draft_all_the_same() -> None:
    assert read({"content": None, "tool_calls": [CALL]}).actions[0].name == "refund"


@pytest.mark.parametrize("arguments", ["{", "[1]", '"x"', "[" * 5000, 7])
def test_tool_call_with_arguments_that_are_no_object_is_nonsense_and_names_the_field(arguments: Any) -> None:
    broken = {**CALL, "function": {"name": "refund", "arguments": arguments}}
    with pytest.raises(AgentAnsweredNonsense, match=r"tool_calls\[0\]\.function\.arguments"):
        read({"content": "x", "tool_calls": [broken]})


EXTENSION = {
    "sources": [{"id": "kb-1", "text": "Cards take five days.", "score": 0.9}],
    "tool_calls": [{"id": "call-9", "name": "refund", "args": {"order": "A1"}, "result": {"ok": True}}],
    "pipeline": [{"name": "retrieve", "took_ms": 3.5}],
    "confidence": 0.8,
    "topic": "cards",
    "text": "never taken from here",
}


@pytest.mark.parametrize("inside", [True, False])
def test_understudy_field_hands_over_evidence(inside: bool) -> None:
    message = {"content": "Five days.", **({"understudy": EXTENSION} if inside else {})}
    draft = read(message, **({} if inside else {"understudy": EXTENSION}))
    assert draft.text == "Five days."
    assert draft.sources == (Passage(id="kb-1", text="Cards take five days.", score=0.9),)
    assert draft.tool_calls == (
        ToolCall(id="call-9", name="refund", arguments='{"order": "A1"}', result='{"ok": true}'),
    )
    assert (draft.confidence, draft.topic, draft.pipeline[0].name) == (0.8, "cards", "retrieve")


def test_tool_call_the_agent_executed_itself_is_no_proposed_action() -> None:
    draft = read({"content": "Refunded.", "tool_calls": [CALL]}, understudy=EXTENSION)
    assert draft.actions == ()


@pytest.mark.parametrize(
    ("extension", "field"),
    [
        ({"confidence": 1.5}, "confidence"),
        ({"sources": [{"text": "no id"}]}, r"sources\.0\.id"),
        ({"sources": "kb-1"}, "sources"),
        ({"pipeline": [{"name": "x", "took_ms": -1}]}, "took_ms"),
        ("yes", "understudy"),
    ],
)
def test_understudy_field_that_does_not_fit_is_nonsense_and_names_the_field(extension: Any, field: str) -> None:
    with pytest.raises(AgentAnsweredNonsense, match=field):
        read({"content": "x"}, understudy=extension)


def test_messages_keep_their_tool_traffic_and_a_persons_words_read_as_the_assistants() -> None:
    messages = [
        ChatMessage(role="user", content="Where is A1?"),
        ChatMessage(role="assistant", tool_calls=(ToolCall(id="1", name="find", arguments='{"id": "A1"}'),)),
        ChatMessage(role="tool", tool_call_id="1", content="shipped"),
        ChatMessage(role="assistant", content="On its way.", person=True),
    ]
    assert chat_form(messages) == [
        {"role": "user", "content": "Where is A1?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "find", "arguments": '{"id": "A1"}'}}],
        },
        {"role": "tool", "content": "shipped", "tool_call_id": "1"},
        {"role": "assistant", "content": "On its way."},
    ]


def made(**changed: Any) -> str | None:
    settings: dict[str, Any] = {
        "name": "a",
        "base_url": "http://localhost/v1",
        "model": "m",
        "system_prompt": "Be kind.",
    }
    return ChatCompletionsAgent(**(settings | changed)).version


def test_version_follows_the_content_of_the_agent_and_not_its_name_or_key() -> None:
    assert made() == made(name="b", api_key="k")
    changed = [made(model="m2"), made(system_prompt="Be brief."), made(parameters={"temperature": 0}), made()]
    assert len(set(changed)) == 4


def test_version_from_the_configuration_wins() -> None:
    assert made(version="v7") == "v7"
