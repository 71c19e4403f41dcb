"""A source gives the same JSON values however they are laid out, and names the line of what is none."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.backtest.histories import source as source_module
from understudy.backtest.histories.source import Source
from understudy.errors import ConfigurationError, MalformedInput

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
objects = st.lists(st.dictionaries(st.text(max_size=5), json_values, max_size=3), max_size=8)


@given(objects, st.integers(1, 40), st.sampled_from(["lines", "list", "pretty list", "pretty"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_values_are_the_same_in_any_layout(
    written: Callable[..., Source], monkeypatch: pytest.MonkeyPatch, values: list[Any], chunk: int, layout: str
) -> None:
    monkeypatch.setattr(source_module, "CHUNK_CHARS", chunk)
    text = {
        "lines": "".join(json.dumps(value) + "\n" for value in values),
        "list": json.dumps(values),
        "pretty list": json.dumps(values, indent=2),
        "pretty": "\n\n".join(json.dumps(value, indent=1, ensure_ascii=False) for value in values),
    }[layout]
    assert [value for _, value in written(text).values()] == values


def test_value_stands_at_the_line_it_begins_in(written: Callable[..., Source]) -> None:
    assert list(written('\n{"a":\n1}\n\n{"b": 2}').values()) == [(2, {"a": 1}), (5, {"b": 2})]
    assert [line for line, _ in written("[\n{},\n\n{}]\n").values()] == [2, 4]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1}\n{"b": tru}\n{"c": 3}\n' + " " * 40, "line 2"),
        ('{"a": 1}\n{"b": 2', "line 2"),
        ('[{"a": 1},\n{"b": 2}', "does not end"),
        ('{"a": "no end\n"}', "line 1"),
        ("[" * 200_000, "nested"),
    ],
)
def test_what_is_no_json_is_named_with_its_line(written: Callable[..., Source], text: str, said: str) -> None:
    source = written(text)
    with pytest.raises(MalformedInput, match=said) as caught:
        list(source.values())
    assert source.name in caught.value.message


def test_packed_file_is_read_again_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n{"a": 2}\n'))
    source = Source.opened(path)
    assert list(source.values()) == list(source.values()) == [(1, {"a": 1}), (2, {"a": 2})]
    assert [number for number, _ in source.lines()] == [1, 2]
    assert source.suffixes == (".jsonl",)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no file"):
        Source.opened(tmp_path / "gone.jsonl")
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"{}" * 1000)[:-12])
    for read in (Source.opened(broken).values, Source.opened(broken).lines, Source.opened(tmp_path).values):
        with pytest.raises((ConfigurationError, MalformedInput)):
            list(read())


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "h.json"
    path.write_bytes('{"a": "é"}'.encode("latin-1"))
    with pytest.raises(MalformedInput, match="UTF-8"):
        list(Source.opened(path).values())
