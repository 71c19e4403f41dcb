"""A draft that is no finished message is not sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from understudy.assessment.checks.quality import QualityCheck
from understudy.records.assessment import Severity
from understudy.records.evidence import Action, ChatMessage, Evidence, ToolCall
from understudy.records.rulebook import Rules


def codes(evidence: Evidence) -> list[str]:
    assert evidence.draft
    return [finding.code for finding in QualityCheck().examine(evidence, evidence.draft, Rules()).findings]


@pytest.mark.parametrize("text", ["", "  \n "])
def test_draft_without_text_is_empty(turn: Any, text: str) -> None:
    assert codes(turn("hello", text)) == ["empty"]


def test_draft_that_the_agent_says_was_cut_off_is_blocked(turn: Any) -> None:
    evidence = turn("hello", "All fine.", finish_reason="length")
    (finding,) = QualityCheck().examine(evidence, evidence.draft, Rules()).findings
    assert (finding.code, finding.severity) == ("truncated", Severity.BLOCKING)


@pytest.mark.parametrize(
    "text",
    [
        "You can send it back to the",
        "We have these,",
        "Please open the app, choose the order you want to return, then tap on the button that sa",
    ],
)
def test_draft_that_ends_in_the_middle_of_a_sentence_is_cut_off(turn: Any, text: str) -> None:
    assert codes(turn("hello", text)) == ["truncated"]


@pytest.mark.parametrize(
    "text",
    [
        "All done!",
        "Kind regards\nThe team",
        "- one\n- two",
        "See https://shop.example/a/very/long/path/to/somewhere/nice/indeed",
    ],
)
def test_draft_may_end_without_a_full_stop(turn: Any, text: str) -> None:
    assert codes(turn("hello", text)) == []


@pytest.mark.parametrize(
    "text",
    ["I'm sorry, I don't know.", "I\u2019m not sure how that works.", "I couldn't find any information on that."],
)
def test_wording_of_not_knowing_is_recognised(turn: Any, text: str) -> None:
    assert codes(turn("hello", text)) == ["does_not_know"]


def test_long_answer_with_one_gap_is_still_an_answer(turn: Any) -> None:
    assert codes(turn("hello", "The parcel left on Monday. " * 20 + "I don't know the driver's name.")) == []


def test_agent_that_says_it_does_not_know_is_believed(turn: Any) -> None:
    assert codes(turn("hello", "Hm.", does_not_know=True)) == ["does_not_know"]


def test_agent_that_asks_for_a_person_is_heard(turn: Any) -> None:
    assert codes(turn("hello", "One moment.", handoff=True)) == ["handoff_requested"]


@pytest.mark.parametrize("name", ["transfer_to_human_agents", "escalateToSupervisor", "request_human", "handoff"])
def test_tool_that_brings_a_person_in_asks_for_one(turn: Any, name: str) -> None:
    call = ToolCall(id="1", name=name)
    assert codes(turn("hello", "One moment.", tool_calls=(call,))) == ["handoff_requested"]
    assert codes(turn("hello", "One moment.", actions=(Action(name=name, arguments={}),))) == ["handoff_requested"]


def test_tool_that_brought_a_person_in_long_ago_asks_for_none(turn: Any) -> None:
    before = ChatMessage(role="assistant", tool_calls=(ToolCall(id="1", name="transfer_to_human"),))
    evidence = turn("hello", "One moment.", before=[before])
    assert codes(evidence) == []
    again = replace(evidence, messages=(*evidence.messages, before))
    assert codes(again) == ["handoff_requested"]


@pytest.mark.parametrize(
    "name",
    ["transfer_money", "get_human_readable_date", "transfer_funds_to_account", "handle_order", "get_agent_id_of_x"],
)
def test_tool_that_transfers_something_else_asks_for_nobody(turn: Any, name: str) -> None:
    assert codes(turn("hello", "One moment.", tool_calls=(ToolCall(id="1", name=name),))) == []


@pytest.mark.parametrize(
    "text",
    [
        "Dear {{name}}, hello.",
        "Dear [NAME], hello.",
        "Dear [Your Name], hello.",
        "TODO #7: answer.",
        "Hi {first_name}!",
        "Hi ${name}!",
    ],
)
def test_placeholder_is_found(turn: Any, text: str) -> None:
    assert codes(turn("hello", text)) == ["placeholder"]


@pytest.mark.parametrize(
    "text", ["Your card [card ending 1111].", "See [our page](https://shop.example).", "Size {S, M}."]
)
def test_other_brackets_are_no_placeholder(turn: Any, text: str) -> None:
    assert codes(turn("hello", text)) == []


def test_raw_markup_is_found(turn: Any) -> None:
    assert codes(turn("hello", "First<br>second.")) == ["markup"]


def test_comparison_is_no_markup(turn: Any) -> None:
    assert codes(turn("hello", "It is 3 < 5 and 7 > 2.")) == []
