"""Langfuse exports: whole traces, the page's download, and rows of the blob storage export in one file."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from understudy.backtest.histories.labelled import Labelled
from understudy.backtest.histories.langfuse import read
from understudy.backtest.histories.ratings import PLAIN, Meaning
from understudy.backtest.histories.source import Source
from understudy.errors import MalformedInput

Write = Callable[..., Source]
ASKED = [{"role": "user", "content": "Can I still change my flight?"}]
ANSWER = "Yes, until two hours before departure."


def score(
    value: Any, *, name: str = "user-feedback", source: str = "API", kind: str = "NUMERIC", **more: Any
) -> dict[str, Any]:
    return {
        "id": f"s-{name}-{value}",
        "name": name,
        "value": value,
        "source": source,
        "dataType": kind,
        "timestamp": "2026-04-03T09:00:00Z",
        **more,
    }


def trace(own: str = "tr-1", **more: Any) -> dict[str, Any]:
    return {
        "id": own,
        "timestamp": "2026-04-03T08:15:30.120Z",
        "name": "answer",
        "sessionId": "sess-4",
        "version": "2026-03",
        "input": {"messages": ASKED},
        "output": {"role": "assistant", "content": ANSWER},
        "metadata": {"topic": "changes", "channel": "whatsapp", "confidence": 0.66},
        "observations": [],
        "scores": [score(1)],
        **more,
    }


def turns(source: Source, meaning: Meaning = PLAIN) -> list[Labelled]:
    return list(read(source, meaning))


def action(turn: Labelled) -> str | None:
    return None if turn.record.verdict is None else turn.record.verdict.action.value


def test_trace_is_a_turn(written: Write) -> None:
    (turn,) = turns(written(trace()))
    record = turn.record
    assert (record.id, record.conversation_id, record.topic, record.channel) == (
        "tr-1",
        "sess-4",
        "changes",
        "whatsapp",
    )
    assert (record.agent_version, record.draft.text, record.draft.confidence) == ("2026-03", ANSWER, 0.66)
    assert record.messages[0].content == ASKED[0]["content"]
    assert action(turn) == "approve"


def test_download_of_the_page_is_read_too(written: Write) -> None:
    whole = trace(scores=[score(0)])
    download = {
        "trace": {k: v for k, v in whole.items() if k != "observations"},
        "observations": [{"id": "o", "type": "SPAN"}],
    }
    assert [action(one) for one in turns(written(json.dumps(download, indent=2), name="trace-tr-1.json"))] == ["reject"]


def test_rows_of_the_blob_export_are_joined_by_trace(written: Write) -> None:
    def row(own: str) -> dict[str, Any]:
        return {
            "id": own,
            "timestamp": "2026-04-03 08:15:30.120000",
            "session_id": None,
            "name": "answer",
            "input": json.dumps(ASKED),
            "output": json.dumps({"content": ANSWER}),
            "metadata": '{"topic": "changes"}',
            "release": "r9",
        }

    def judged(own: str, value: int) -> dict[str, Any]:
        return {
            "id": f"s-{own}",
            "trace_id": own,
            "observation_id": None,
            "name": "thumbs",
            "value": value,
            "data_type": "BOOLEAN",
            "source": "ANNOTATION",
            "string_value": None,
        }

    found = turns(written(judged("b", 0), row("a"), row("b"), row("c"), judged("a", 1)))
    assert {one.record.id: action(one) for one in found} == {"a": "approve", "b": "reject", "c": None}
    assert {one.record.topic for one in found} == {"changes"}
    assert {one.record.agent_version for one in found} == {"r9"}


def test_observations_stand_for_a_trace_that_is_no_row(written: Write) -> None:
    def observed(own: str, kind: str, at: int, **more: Any) -> dict[str, Any]:
        return {
            "id": f"{own}-{kind}-{at}",
            "trace_id": own,
            "type": kind,
            "start_time": f"2026-04-03 08:15:3{at}.000000",
            "session_id": "sess",
            "input": json.dumps(ASKED),
            "output": ANSWER,
            **more,
        }

    rows = [
        observed("x", "GENERATION", 1, output="A draft."),
        observed("x", "GENERATION", 5),
        observed("x", "TOOL", 9, output="4"),
    ]
    (turn,) = turns(written(*rows, {"trace_id": "x", "name": "ok", "value": 1, "data_type": "BOOLEAN"}))
    assert (turn.record.id, turn.record.conversation_id, turn.record.draft.text) == ("x", "sess", ANSWER)
    assert action(turn) == "approve"


def test_answer_comes_from_the_last_generation_where_the_trace_has_none(written: Write) -> None:
    inner = [
        {"type": "GENERATION", "startTime": "2026-04-03T08:15:31Z", "input": ASKED, "output": "Let me see."},
        {
            "type": "GENERATION",
            "startTime": "2026-04-03T08:15:35Z",
            "input": ASKED,
            "output": {"choices": [{"message": {"content": ANSWER}}]},
        },
    ]
    (turn,) = turns(written(trace(input=None, output=None, observations=inner)))
    assert turn.record.draft.text == ANSWER


@pytest.mark.parametrize(
    "asked",
    [
        "Can I?",
        {"question": "Can I?"},
        {"input": "Can I?"},
        [{"role": "human", "content": "Can I?"}],
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Can I?"}]}]},
    ],
)
def test_input_of_any_shape_is_a_conversation(written: Write, asked: Any) -> None:
    (turn,) = turns(written(trace(input=asked)))
    assert turn.record.chat()[-1].content == "Can I?"
    assert turn.record.chat()[-1].role == "user"


def test_model_s_own_score_counts_only_where_it_is_named(written: Write) -> None:
    judged = written(trace(scores=[score(1, name="judge", source="EVAL")]))
    assert action(turns(judged)[0]) is None
    assert action(turns(judged, Meaning(name="judge"))[0]) == "approve"


def test_latest_score_of_a_name_counts(written: Write) -> None:
    scores = [score(0, timestamp="2026-04-03T12:00:00Z"), score(1, timestamp="2026-04-03T10:00:00Z")]
    assert action(turns(written(trace(scores=scores)))[0]) == "reject"


def test_categories_are_words(written: Write) -> None:
    given = trace(scores=[score(2, kind="CATEGORICAL", stringValue="usable")])
    assert action(turns(written(given), Meaning(good=frozenset({"usable"})))[0]) == "approve"
    with pytest.raises(MalformedInput, match="--good or --bad"):
        turns(written(given))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"foo": 1}, "rows of a Langfuse export"),
        (trace(scores=[score(1), score(0, name="accuracy")]), "accuracy, user-feedback"),
        (trace(scores=[score(0.7)]), "--good-from"),
        (trace(output=None), "output"),
        (trace(input=None), "input"),
        (trace(timestamp="then"), "timestamp"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(written: Write, row: Any, said: str) -> None:
    with pytest.raises(MalformedInput, match=said) as caught:
        turns(written(trace("tr-0"), row))
    assert "line 2" in caught.value.message
