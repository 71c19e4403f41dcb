"""Result files of other runners give the trials that stand in them, and errors are never failures."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from understudy.errors import ConfigurationError, MalformedInput
from understudy.evaluation.junit_report import junit_xml
from understudy.evaluation.readers.results import Form, read_results
from understudy.records.suite import Trial

PROMPTFOO: dict[str, Any] = {
    "evalId": "eval-1",
    "results": {
        "version": 3,
        "results": [
            {"testIdx": 0, "success": True, "failureReason": 0, "testCase": {"description": "refund"},
             "provider": {"id": "openai:x"}, "response": {"output": "30 EUR"}, "gradingResult": {"pass": True, "reason": "ok"}},
            {"testIdx": 0, "success": False, "failureReason": 1, "testCase": {"description": "refund"}, "error": "Expected 30",
             "provider": {"id": "openai:x"}, "response": {"output": "50"}, "gradingResult": {"pass": False, "reason": "Expected 30"}},
            {"testIdx": 1, "success": False, "failureReason": 2, "testCase": {"vars": {"q": "hi"}}, "error": "ECONNREFUSED",
             "provider": {"id": "openai:x"}},
        ],
    },
}  # fmt: skip

INSPECT: dict[str, Any] = {
    "version": 2,
    "status": "success",
    "samples": [
        {"id": 1, "epoch": 1, "scores": {"match": {"value": "C"}}, "output": {"completion": "hello"}},
        {"id": 1, "epoch": 2, "scores": {"match": {"value": "I", "explanation": "not it"}, "other": {"value": 1.0}}},
        {"id": "b", "epoch": 1, "scores": {"match": {"value": 0.25}}},
        {"id": "c", "epoch": 1, "error": {"message": "timeout"}},
        {"id": "d", "epoch": 1, "scores": {}},
    ],
}

JUNIT = """<?xml version="1.0"?><testsuites><testsuite>
<testcase classname="t" name="ok"/><testcase classname="t" name="bad"><failure message="no">long</failure></testcase>
<testcase classname="t" name="broken"><error>boom</error></testcase><testcase classname="t" name="off"><skipped/></testcase>
<testcase classname="t" name="ok"/></testsuite></testsuites>"""


def losses(path: Path) -> list[tuple[str, int, float | None, str | None]]:
    return [(one.case, one.trial, one.loss, one.error) for one in read_results(path).trials]


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_lines_of_any_runner(tmp_path: Path) -> None:
    text = (
        '{"case": "a", "trial": 0, "passed": true}\n{"case": "a", "trial": 1, "loss": 0.25, "release": "v7"}\n\n'
        '{"case": 7, "passed": false}\n{"case": "b", "trial": 0, "passed": false, "error": "crashed"}\n'
    )
    assert losses(write(tmp_path / "r.jsonl", text)) == [
        ("a", 0, 0.0, None),
        ("a", 1, 0.25, None),
        ("7", 0, 1.0, None),
        ("b", 0, None, "crashed"),
    ]
    assert read_results(tmp_path / "r.jsonl").release == "v7"
    (tmp_path / "r.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    assert losses(tmp_path / "r.jsonl.gz") == losses(tmp_path / "r.jsonl")


def test_promptfoo(tmp_path: Path) -> None:
    found = read_results(write(tmp_path / "p.json", PROMPTFOO))
    assert found.form is Form.PROMPTFOO
    assert [(one.case.split()[0], one.trial, one.loss) for one in found.trials] == [
        ("refund", 0, 0.0),
        ("refund", 1, 1.0),
        ("vars", 0, None),
    ]
    assert (found.trials[1].why, found.trials[1].reply) == ("Expected 30", "50")
    assert found.trials[2].error == "ECONNREFUSED"


def test_inspect(tmp_path: Path) -> None:
    found = read_results(write(tmp_path / "i.json", INSPECT))
    assert found.form is Form.INSPECT
    assert losses(tmp_path / "i.json") == [
        ("1", 0, 0.0, None),
        ("1", 1, 1.0, None),
        ("b", 0, 0.75, None),
        ("c", 0, None, "timeout"),
        ("d", 0, None, "the sample has no score"),
    ]
    with zipfile.ZipFile(tmp_path / "log.eval", "w") as archive:
        archive.writestr("header.json", "{}")
        for number, sample in enumerate(INSPECT["samples"]):
            archive.writestr(f"samples/{number}.json", json.dumps(sample))
    assert losses(tmp_path / "log.eval") == losses(tmp_path / "i.json")


def test_junit(tmp_path: Path) -> None:
    assert losses(write(tmp_path / "j.xml", JUNIT)) == [
        ("t.ok", 0, 0.0, None),
        ("t.bad", 0, 1.0, None),
        ("t.broken", 0, None, "boom"),
        ("t.ok", 1, 0.0, None),
    ]


def test_our_own_junit_is_read_again(tmp_path: Path) -> None:
    trials = [
        Trial(case="a", trial=0, loss=0.0),
        Trial(case="b\x00 <&", trial=0, loss=1.0, why="no\x1b[31m"),
        Trial(case="c", trial=0, error="down"),
    ]
    (tmp_path / "o.xml").write_bytes(junit_xml(trials, suite="s", release="r"))
    assert [(loss, error) for _, _, loss, error in losses(tmp_path / "o.xml")] == [
        (0.0, None),
        (1.0, None),
        (None, "1 trials ended in an error: down"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", "", "holds no trial"),
        ("a.jsonl", "nonsense\n", "line 1: not JSON"),
        ("a.jsonl", "[1]\n", "line 1: each line is one JSON object"),
        ("a.jsonl", '{"trial": 0, "passed": true}\n', "`case` must name a case"),
        ("a.jsonl", '{"case": "a", "trial": -1, "passed": true}\n', "`trial` must be"),
        ("a.jsonl", '{"case": "a", "trial": 0}\n', "give `passed`"),
        ("a.jsonl", '{"case": "a", "trial": 0, "loss": 1.5}\n', "in 0 to 1, got 1.5"),
        ("a.jsonl", '{"case": "a", "trial": 0, "loss": NaN}\n', "in 0 to 1, got nan"),
        ("a.jsonl", '{"case": "a", "trial": 0, "passed": true, "loss": 1.0}\n', "contradict"),
        ("a.jsonl", '{"case": "a", "passed": true, "rule": "never"}\n', "`rule` must be one of"),
        ("a.jsonl", '{"case": "a", "passed": true}\n{"case": "a", "passed": false}\n', "stands there twice"),
        ("a.json", {"results": {"results": {}}}, "must be a list"),
        ("a.json", {"results": [{"success": "yes"}]}, "`success` must be true or false"),
        ("a.json", {"samples": [{"id": 1, "scores": {"m": {"value": "maybe"}}}]}, "neither C, P or I"),
        ("a.xml", "<html/>", "no JUnit report"),
        ("a.xml", "<testsuites>", "not XML"),
        ("a.xml", '<!DOCTYPE x [<!ENTITY a "b">]><testsuites/>', "document type"),
    ],
)
def test_whatever_is_wrong_in_a_result_file_is_named(name: str, content: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(MalformedInput, match=f"{name}.*{said}"):
        read_results(write(tmp_path / name, content))


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no file"):
        read_results(tmp_path / "none.jsonl")
