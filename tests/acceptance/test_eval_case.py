"""Cases from history in one step: from the running installation by the command line and the API, and from files."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from understudy.cli.main import main
from understudy.records.access import Scope

ASKED = {"role": "user", "content": "How much do I get back? I am jo@navy.mil"}
BAD = "You get 50 EUR back, we promise."


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def called(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["understudy", "eval", "case", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return called


@pytest.fixture
def rejected(serve: Callable[..., Any]) -> tuple[Any, str]:
    """A server, and a turn of it whose draft a reviewer rejected."""
    served = serve()
    record = {
        "id": "r-1",
        "topic": "returns",
        "messages": [ASKED],
        "draft": {"text": BAD, "sources": [{"id": "k", "text": "30 EUR"}]},
    }
    turn = served.http(served.key(name="shop")).post("/v1/turns", json=record).json()
    desk = served.http(served.key(Scope.HOLDS_READ, Scope.HOLDS_WRITE, Scope.TURNS_READ, name="rosa"))
    (hold,) = [one for one in desk.get("/v1/holds").json()["items"] if one["turn_id"] == turn["id"]]
    verdict = {"action": "reject", "reasons": ["wrong_amount"]}
    assert (
        desk.post(
            f"/v1/holds/{hold['id']}/verdict", json=verdict, headers={"If-Match": f'"{hold["version"]}"'}
        ).status_code
        == 200
    )
    return served, str(turn["id"])


def test_a_rejection_and_the_answer_that_a_person_gave_then_are_one_case(
    rejected: tuple[Any, str], call: Callable[..., tuple[int, str, str]]
) -> None:
    served, turn = rejected
    desk = served.http(served.key(Scope.HOLDS_READ, Scope.HOLDS_WRITE, Scope.TURNS_READ, name="rosa"))
    (hold,) = [one for one in desk.get("/v1/holds").json()["items"] if one["turn_id"] == turn]
    answer = {"action": "respond", "text": "You get 30 EUR back."}
    version = {"If-Match": f'"{hold["version"]}"'}
    assert desk.post(f"/v1/holds/{hold['id']}/verdict", json=answer, headers=version).status_code == 200
    code, out, _ = call("add", turn, "--suite", "shop", "--config", str(served.app.base / "understudy.toml"))
    text = next((served.app.base / "suites" / "shop").glob("*.yaml")).read_text()
    assert code == 0, out
    assert "failure_mode: wrong_amount" in text
    assert "rule: must_pass" in text
    assert "A reviewer rejected the draft." in text
    assert "30 EUR" in text.partition("must:")[2].partition("must_not:")[0]
    assert "50 EUR" in text.partition("must_not:")[2]


def test_rejected_turn_becomes_a_case_by_the_command_line(
    rejected: tuple[Any, str], call: Callable[..., tuple[int, str, str]]
) -> None:
    served, turn = rejected
    config = str(served.app.base / "understudy.toml")
    code, out, _ = call("add", turn, "--suite", "shop", "--config", config, "--json")
    (said,) = json.loads(out)["cases"]
    assert code == 0
    text = Path(said["file"]).read_text()
    assert f"source: turn:{turn}" in text
    assert "failure_mode: wrong_amount" in text
    assert "rule: must_pass" in text
    assert "navy" not in text
    (again,) = json.loads(call("add", turn, "--suite", "shop", "--config", config, "--json")[1])["cases"]
    assert (again["file"], again["duplicate_of"]) == (None, said["case"])


def test_rejected_turn_becomes_a_case_by_the_api(rejected: tuple[Any, str]) -> None:
    served, turn = rejected
    desk = served.http(served.key(Scope.HOLDS_WRITE, name="rosa"))
    shown = desk.post(f"/v1/turns/{turn}/case", json={"suite": "api", "write": False}).json()
    assert (shown["file"], "wrong_amount" in shown["text"]) == (None, True)
    made = desk.post(f"/v1/turns/{turn}/case", json={"suite": "api", "rule": "zero_tolerance"}).json()
    assert made["file"].endswith(".yaml")
    entries = served.http(served.key(Scope.LEDGER_READ)).get("/v1/ledger").json()["items"]
    (entry,) = [one for one in entries if one["event"] == "case.added"]
    assert (entry["turn_id"], entry["actor"], entry["body"]["suite"]) == (turn, "rosa", "api")
    assert desk.post("/v1/turns/none/case", json={}).status_code == 404
    assert desk.post(f"/v1/turns/{turn}/case", json={"suite": "../x"}).status_code == 400
    assert served.http(served.key(Scope.TURNS_READ)).post(f"/v1/turns/{turn}/case", json={}).status_code == 403


RECORDS = [
    {
        "id": "1",
        "messages": [ASKED],
        "draft": {"text": BAD},
        "verdict": {"action": "edit", "text": "You get 30 EUR back."},
    },
    {
        "id": "2",
        "messages": [ASKED],
        "draft": {"text": BAD},
        "verdict": {"action": "edit", "text": "You get 30 EUR back."},
    },
    {"id": "3", "messages": [ASKED], "draft": {"text": "You get 30 EUR back."}, "verdict": {"action": "approve"}},
    {"id": "4", "messages": [{"role": "user", "content": "Hello?"}], "draft": {"text": "Hello."}},
]


def test_file_of_turn_records_is_imported_without_repetition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[..., tuple[int, str, str]]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "h.jsonl").write_text("".join(json.dumps(one) + "\n" for one in RECORDS))
    code, out, _ = call("import", "h.jsonl", "--json")
    said = json.loads(out)
    assert code == 0
    assert [one["file"] is not None for one in said["cases"]] == [True, False]
    assert sum(said["skipped"].values()) == 2
    assert len(list((tmp_path / "suites" / "history").glob("*.yaml"))) == 1
    assert len(json.loads(call("import", "h.jsonl", "--all", "--suite", "every", "--json")[1])["cases"]) == 4


def test_csv_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[..., tuple[int, str, str]]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "h.csv").write_text("message,draft,verdict\nHow much?,50 EUR,bad\nWhen?,Tomorrow,good\n")
    code, out, err = call("import", "h.csv", "--bad", "bad", "--good", "good", "--json")
    assert code == 0, err
    assert len(json.loads(out)["cases"]) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import", "none.jsonl"), "there is no file"),
        (("import", "h.jsonl", "--rule", "never"), "--rule 'never'"),
        (("import", "h.jsonl", "--limit", "0"), "--limit"),
        (("add", "t-1"), "understudy.toml"),
    ],
)
def test_wrong_usage_exits_3(
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: Callable[..., tuple[int, str, str]],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "h.jsonl").write_text(json.dumps(RECORDS[0]) + "\n")
    code, _, err = call(*words)
    assert (code, said in err) == (3, True), err
