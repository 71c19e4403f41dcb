"""`understudy check` as somebody uses it on their own history: what it prints, and that a bad file gives no half result."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TRAJECTORIES = Path(__file__).parents[3] / "shared" / "data" / "trajectories.jsonl.gz"
"""Recorded conversations of customer-service agents, kept beside the repository where there are any."""

FIELDS = {"id", "decision", "confidence", "reasons", "signals", "findings"}
DECISIONS = {"deliver", "hold", "hand_off", "degrade"}
CHECKS = {"grounding", "actions", "exposure", "injection", "escalation", "policy", "quality"}


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def assert_sound(assessment: Any) -> None:
    assert set(assessment) == FIELDS
    assert assessment["decision"] in DECISIONS
    assert assessment["reasons"], assessment["id"]
    assert set(assessment["signals"]) == CHECKS, assessment["id"]
    assert all(0 <= score <= 1 for score in assessment["signals"].values())
    assert 0 <= assessment["confidence"] <= 1
    for finding in assessment["findings"]:
        assert set(finding) == {"check", "code", "severity", "explanation", "span", "passage_id"}
        assert finding["explanation"]


@pytest.fixture
def records(words: Any) -> list[Any]:
    promise = words.record("r-2", text="I have refunded you £64 just now.")
    return [words.record("r-1"), promise, words.record("r-3", topic="returns", verdict={"action": "approve"})]


@pytest.fixture
def file(tmp_path: Path, records: list[Any]) -> Path:
    path = tmp_path / "history.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def test_each_record_gets_a_line_in_the_files_order(file: Path, tmp_path: Path, understudy: Any) -> None:
    ended = understudy("check", str(file), cwd=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assessments = lines(ended.out)
    assert [one["id"] for one in assessments] == ["r-1", "r-2", "r-3"]
    for one in assessments:
        assert_sound(one)


def test_promise_that_nothing_backs_is_found(file: Path, tmp_path: Path, understudy_here: Any) -> None:
    assessments = {one["id"]: one for one in lines(understudy_here("check", str(file), cwd=tmp_path).out)}
    assert assessments["r-2"]["decision"] != "deliver"
    assert any(finding["check"] == "actions" for finding in assessments["r-2"]["findings"])
    assert not any(finding["check"] == "actions" for finding in assessments["r-1"]["findings"])


def test_same_file_gives_the_same_bytes(file: Path, tmp_path: Path, understudy_here: Any) -> None:
    first = understudy_here("check", str(file), cwd=tmp_path).out
    assert understudy_here("check", str(file), cwd=tmp_path).out == first


def test_compressed_file_and_standard_input_are_read_too(
    file: Path, tmp_path: Path, understudy: Any, understudy_here: Any
) -> None:
    packed = tmp_path / "history.jsonl.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    expected = understudy_here("check", str(file), cwd=tmp_path).out
    assert understudy_here("check", str(packed), cwd=tmp_path).out == expected
    assert understudy("check", "-", cwd=tmp_path, stdin=file.read_text()).out == expected


def test_output_file_holds_the_lines_and_the_terminal_a_summary(
    file: Path, tmp_path: Path, understudy_here: Any
) -> None:
    expected = understudy_here("check", str(file), cwd=tmp_path).out
    ended = understudy_here("check", str(file), "-o", "out.jsonl", cwd=tmp_path)
    assert ended.code == 0
    assert (tmp_path / "out.jsonl").read_text() == expected
    assert "3 turn records" in ended.err


def test_rules_of_the_configuration_count(file: Path, tmp_path: Path, understudy_here: Any) -> None:
    (tmp_path / "understudy.toml").write_text('[[policy.forbidden]]\nphrase = "return postage"\n')
    first, *_ = lines(understudy_here("check", str(file), cwd=tmp_path).out)
    assert any(finding["check"] == "policy" for finding in first["findings"])


BAD_LINES: dict[str, tuple[bytes, str]] = {
    "is no JSON": (b"{", "JSON"),
    "is not UTF-8": (b'{"id": "\xff"}', ""),
    "is a list": (b"[]", "[]"),
    "has no draft": (b'{"id": "x", "messages": [{"role": "user", "content": "x"}]}', "draft"),
    "has no messages": (b'{"id": "x", "messages": [], "draft": {"text": "x"}}', "messages"),
    "has no id": (b'{"messages": [{"role": "user", "content": "x"}], "draft": {"text": "x"}}', "id"),
    "has an unknown role": (b'{"id": "x", "messages": [{"role": "boss"}], "draft": {"text": "x"}}', "boss"),
    "has an impossible time": (
        b'{"id": "x", "messages": [{"role": "user", "content": "x"}], "draft": {"text": "x"}, "at": "yesterday"}',
        "yesterday",
    ),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_file_is_refused_whole_when_a_line(case: str, file: Path, tmp_path: Path, understudy_here: Any) -> None:
    line, named = BAD_LINES[case]
    with file.open("ab") as out:
        out.write(b"\n" + line + b"\n")
    ended = understudy_here("check", str(file), "-o", "out.jsonl", cwd=tmp_path)
    assert ended.code == 3
    assert "line 5" in ended.err
    assert file.name in ended.err
    assert named in ended.err
    assert sorted(path.name for path in tmp_path.iterdir()) == [file.name]
    assert understudy_here("check", str(file), cwd=tmp_path).out == ""


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-05-02T10:00:00", "2026-05-02T10:00:00Z"]
)
def test_record_of_any_time_is_assessed_or_refused(at: str, tmp_path: Path, words: Any, understudy_here: Any) -> None:
    (tmp_path / "one.jsonl").write_text(json.dumps(words.record("r", at=at)))
    ended = understudy_here("check", "one.jsonl", cwd=tmp_path)
    assert (ended.code, ended.err == "") in ((0, True), (3, False))


@pytest.mark.parametrize(("name", "content"), [("gone.jsonl", None), ("empty.jsonl", b""), ("blank.jsonl", b"\n \n")])
def test_file_without_records_is_named(name: str, content: bytes | None, tmp_path: Path, understudy_here: Any) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    ended = understudy_here("check", name, cwd=tmp_path)
    assert ended.code == 3
    assert name in ended.err


def test_folder_and_broken_archive_are_named(tmp_path: Path, understudy_here: Any) -> None:
    (tmp_path / "broken.jsonl.gz").write_bytes(gzip.compress(b"{}" * 1000)[:-12])
    (tmp_path / "plain.jsonl.gz").write_bytes(b"{}")
    for name in ("broken.jsonl.gz", "plain.jsonl.gz", "."):
        ended = understudy_here("check", name, cwd=tmp_path)
        assert ended.code == 3
        assert "cannot be read" in ended.err


def test_output_that_cannot_be_written_is_named(file: Path, tmp_path: Path, understudy_here: Any) -> None:
    ended = understudy_here("check", str(file), "-o", "gone/out.jsonl", cwd=tmp_path)
    assert ended.code == 3
    assert "gone/out.jsonl" in ended.err


def test_reader_who_has_seen_enough_is_no_error(file: Path, tmp_path: Path, understudy: Any) -> None:
    many = tmp_path / "many.jsonl"
    many.write_text(file.read_text() * 400)
    command = f"{sys.executable} -m understudy check {many} | head -1"
    ended = subprocess.run(command, shell=True, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ended.stderr == ""
    assert len(lines(ended.stdout)) == 1


def openai_form(message: Any) -> Any:
    calls = [
        {
            "id": call.get("id") or "",
            "type": "function",
            "function": {"name": call["name"], "arguments": json.dumps(call["arguments"])},
        }
        for call in message.get("tool_calls") or []
    ]
    return {**message, "tool_calls": calls} if calls else {key: message[key] for key in message if key != "tool_calls"}


def history() -> Iterator[Any]:
    """The last two replies of each recorded conversation, each with all that was said before it."""
    with gzip.open(TRAJECTORIES, "rt", encoding="utf-8") as source:
        for line in source:
            trajectory = json.loads(line)
            messages = [openai_form(message) for message in trajectory["messages"]]
            replies = [
                number
                for number, message in enumerate(messages)
                if message["role"] == "assistant" and message.get("content") and number > 0
            ]
            for number in replies[-2:]:
                yield {
                    "id": f"{trajectory['traj_id']}#{number}",
                    "channel": "chat",
                    "topic": trajectory["domain"],
                    "messages": messages[:number],
                    "draft": {"text": messages[number]["content"]},
                }


@pytest.mark.skipif(not TRAJECTORIES.is_file(), reason=f"there are no recorded conversations at {TRAJECTORIES}")
def test_every_recorded_conversation_gets_a_decision_with_a_reason(tmp_path: Path, understudy: Any) -> None:
    asked = list(history())
    (tmp_path / "history.jsonl").write_text("".join(json.dumps(record) + "\n" for record in asked))
    ended = understudy("check", "history.jsonl", cwd=tmp_path, timeout_s=300)
    assert (ended.code, ended.err) == (0, "")
    assessments = lines(ended.out)
    assert [one["id"] for one in assessments] == [record["id"] for record in asked]
    assert len(assessments) > 1_500
    for one in assessments:
        assert_sound(one)
