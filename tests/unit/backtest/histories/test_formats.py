"""The form of a file is recognised by what only that form has, and an unknown one is refused with the list."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from understudy.backtest.histories import formats
from understudy.backtest.histories.formats import Format, recognised
from understudy.backtest.histories.source import Source
from understudy.errors import ConfigurationError, MalformedInput

Write = Callable[..., Source]
CHAT = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        ({"id": "t", "messages": CHAT, "draft": {"text": "x"}}, Format.TURNS),
        ({"draft": 1}, Format.TURNS),
        ({"messages": CHAT, "rating": 1}, Format.OPENAI),
        ({"request": {"messages": CHAT}, "response": {}}, Format.OPENAI),
        ({"messages": CHAT, "choices": []}, Format.OPENAI),
        ({"id": "t", "timestamp": "x", "input": 1, "output": 2}, Format.LANGFUSE),
        ({"trace_id": "t", "name": "n", "value": 1}, Format.LANGFUSE),
        ({"trace": {}, "observations": []}, Format.LANGFUSE),
        ({"id": 1, "messages": [{"message_type": 0, "content": "x"}]}, Format.CHATWOOT),
        ({"payload": [{"id": 1, "messages": []}]}, Format.CHATWOOT),
        ({"data": {"payload": [{"id": 1, "messages": []}]}}, Format.CHATWOOT),
        ({"rating": 4, "conversation_id": 7}, Format.CHATWOOT),
    ],
)
def test_form_is_recognised_by_the_first_value(written: Write, first: Any, kind: Format) -> None:
    assert recognised(written(first)) is kind
    assert recognised(written(json.dumps([first], indent=2), name="h.json")) is kind


def test_tables_are_recognised_by_name_or_separators(written: Write) -> None:
    assert recognised(written("a,b\n1,2\n", name="h.csv")) is Format.CSV
    assert recognised(written("a;b\n1;2\n", name="h.txt")) is Format.CSV


def test_broken_json_is_left_to_the_reader_who_names_the_line(written: Write) -> None:
    assert recognised(written('{"a": 1\n')) is Format.TURNS


@pytest.mark.parametrize("first", [{"foo": 1}, 7, '"text"'])
def test_unknown_form_is_refused_with_the_list(written: Write, first: Any) -> None:
    with pytest.raises(MalformedInput, match=r"turns, openai, langfuse, chatwoot, csv.*--format"):
        recognised(written(first))


def test_empty_file_is_refused(written: Write) -> None:
    with pytest.raises(MalformedInput, match="holds nothing"):
        recognised(written("\n"))


def test_columns_are_for_tables(written: Write) -> None:
    with pytest.raises(ConfigurationError, match="--columns is for CSV"):
        formats.read(written("{}"), Format.TURNS, columns={"draft": "x"})


def test_turn_records_keep_their_line(written: Write) -> None:
    turn = {"id": "t", "messages": CHAT[:1], "draft": {"text": "x"}}
    source = written(turn, "\n", turn)
    assert [one.place.line for one in formats.read(source, Format.TURNS)] == [1, 3]
    with pytest.raises(MalformedInput, match="line 2: not a turn record: draft"):
        list(formats.read(written(turn, {"id": "t", "messages": CHAT}), Format.TURNS))
