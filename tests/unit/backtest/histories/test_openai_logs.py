"""Chat logs in the OpenAI format: one rating a log, one an answer, or a stored completion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from understudy.backtest.histories.labelled import Labelled
from understudy.backtest.histories.openai_logs import read
from understudy.backtest.histories.ratings import PLAIN, Meaning
from understudy.backtest.histories.source import Source
from understudy.errors import MalformedInput

ASKED = {"role": "user", "content": "Do you ship to Norway?"}
ANSWERED = {"role": "assistant", "content": "Yes, in four working days."}
Write = Callable[..., Source]


def turns(source: Source, meaning: Meaning = PLAIN) -> list[Labelled]:
    return list(read(source, meaning))


def action(turn: Labelled) -> str | None:
    return None if turn.record.verdict is None else turn.record.verdict.action.value


def test_rating_of_a_log_judges_its_last_answer(written: Write) -> None:
    log = {
        "id": "log-7",
        "session_id": "s-1",
        "created": 1_777_700_000,
        "model": "shop-bot-3",
        "messages": [{"role": "system", "content": "Be brief."}, ASKED, ANSWERED, ASKED, ANSWERED],
        "rating": "thumbs_up",
        "metadata": {"topic": "shipping", "channel": "webchat", "confidence": 0.8},
    }
    (turn,) = turns(written(log))
    record = turn.record
    assert (record.id, record.conversation_id, record.topic, record.channel) == ("log-7", "s-1", "shipping", "webchat")
    assert (record.agent_version, record.draft.confidence, len(record.messages)) == ("shop-bot-3", 0.8, 4)
    assert record.draft.text == ANSWERED["content"]
    assert record.at is not None
    assert record.at.isoformat() == "2026-05-02T05:33:20+00:00"
    assert action(turn) == "approve"


@pytest.mark.parametrize(
    ("rating", "expected"),
    [
        ({"rating": -1}, "reject"),
        ({"feedback": {"score": 1, "comment": "great"}}, "approve"),
        ({"feedback": {"type": "thumbs_down"}}, "reject"),
        ({"score": 0}, "reject"),
        ({"thumbs": True}, "approve"),
        ({"metadata": {"rating": "down"}}, "reject"),
        ({"verdict": "take_over"}, "take_over"),
        ({}, None),
        ({"rating": None}, None),
    ],
)
def test_rating_in_the_usual_places(written: Write, rating: Any, expected: str | None) -> None:
    (turn,) = turns(written({"messages": [ASKED, ANSWERED], **rating}))
    assert action(turn) == expected


def test_rated_answers_of_one_log_are_turns_of_one_conversation(written: Write) -> None:
    messages = [ASKED, {**ANSWERED, "rating": 1}, ASKED, ANSWERED, ASKED, {**ANSWERED, "feedback": "down"}]
    first, second = turns(written({"id": "log", "messages": messages}))
    assert [len(one.record.messages) for one in (first, second)] == [1, 5]
    assert [action(one) for one in (first, second)] == ["approve", "reject"]
    assert first.record.conversation_id == second.record.conversation_id == "log"
    assert first.record.id != second.record.id


def test_stored_completion_has_its_answer_apart(written: Write) -> None:
    stored = {"id": "chatcmpl-1", "messages": [ASKED], "choices": [{"message": ANSWERED}], "score": 1}
    logged = {"request": {"messages": [ASKED]}, "response": {"choices": [{"message": ANSWERED}]}, "feedback": "up"}
    batch = {
        "request": {"body": {"messages": [ASKED]}},
        "response": {"body": {"choices": [{"message": ANSWERED}]}},
        "rating": 0,
    }
    found = turns(written(stored, logged, batch))
    assert [action(one) for one in found] == ["approve", "approve", "reject"]
    assert {one.record.draft.text for one in found} == {ANSWERED["content"]}
    assert found[1].record.id == "line-2"


def test_tool_traffic_is_kept(written: Write) -> None:
    call = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "rates", "arguments": "{}"}}],
    }
    result = {"role": "function", "name": "rates", "content": "4 days"}
    (turn,) = turns(written({"messages": [ASKED, call, result, ANSWERED], "rating": 1}))
    assert [message.role for message in turn.record.messages] == ["user", "assistant", "tool"]


def test_named_field_is_the_verdict(written: Write) -> None:
    log = {"messages": [ASKED, ANSWERED], "rating": 1, "quality": 2}
    (turn,) = turns(written(log), Meaning(name="quality", good_from=4))
    assert action(turn) == "reject"


def test_list_of_logs_is_read_like_lines(written: Write) -> None:
    assert len(turns(written([{"messages": [ASKED, ANSWERED]}] * 3, name="h.json"))) == 3


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ([1], "expected an object"),
        ({"prompt": "x"}, "messages"),
        ({"messages": "x"}, "OpenAI format"),
        ({"messages": [ASKED]}, "no answer"),
        ({"messages": [ANSWERED], "rating": 1}, "nothing stands before"),
        ({"messages": [ASKED, ANSWERED], "rating": 4}, "--good-from"),
        ({"messages": [ASKED, ANSWERED], "created_at": "soon"}, "created_at"),
        ({"messages": [{"role": "boss", "content": "x"}, ANSWERED]}, "role"),
        ({"messages": [ASKED, ANSWERED], "confidence": 7}, "confidence"),
    ],
)
def test_what_is_not_of_the_form_is_named_with_its_line(written: Write, log: Any, said: str) -> None:
    source = written({"messages": [ASKED, ANSWERED]}, [log] if log == [1] else log)
    with pytest.raises(MalformedInput, match=said) as caught:
        turns(source)
    assert "line 2" in caught.value.message
