"""Cases from history in one step: from the running installation by the command line and the API, and from files."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

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


def test_suites_are_listed_with_what_keeps_one_from_being_read(rejected: tuple[Any, str]) -> None:
    served, turn = rejected
    desk = served.http(served.key(Scope.HOLDS_WRITE, name="rosa"))
    made = desk.post(f"/v1/turns/{turn}/case", json={"suite": "listed"}).json()
    assert made["file"]
    broken = served.app.base / served.app.settings.evaluation.suites / "broken"
    broken.mkdir()
    (broken / "x.yaml").write_text("id: [", encoding="utf-8")
    engineer = served.http(served.key(Scope.RELEASES_READ))
    rows = {row["name"]: row for row in engineer.get("/v1/evaluations/suites").json()}
    assert (rows["listed"]["cases"], rows["listed"]["problem"], rows["listed"]["is_of_gate"]) == (1, None, False)
    assert (rows["broken"]["cases"], "x.yaml" in rows["broken"]["problem"]) == (0, True)


TALK = [
    ("Where is my parcel? I am jo@navy.mil", {"text": "What is your order number?"}, "approve"),
    (
        "It is A-1.",
        {
            "text": "Order A-1 was delivered.",
            "tool_calls": [{"name": "get_order", "arguments": {"id": "A-1"}, "result": {"state": "delivered"}}],
        },
        "approve",
    ),
    ("Then I send it back. How much do I get?", {"text": BAD, "sources": [{"id": "k", "text": "30 EUR"}]}, "reject"),
]
"""What a customer said, what the agent drafted then, and what a reviewer said of it."""

SHOP = """
import json

def old(request):
    return answer(request, "{bad}")

def fixed(request):
    return answer(request, "You get 30 EUR back.")

def answer(request, refund):
    said = request["messages"]
    if "How much" in said[-1]["content"]:
        return {{"text": refund}}
    if said[-1]["role"] == "tool":
        return {{"text": "Order A-1 was " + json.loads(said[-1]["content"])["state"] + "."}}
    if "A-1" in said[-1]["content"]:
        return {{"text": "", "actions": [{{"name": "get_order", "arguments": {{"id": "A-1"}}}}]}}
    return {{"text": "What is your order number?"}}
"""


@pytest.fixture
def talk(serve: Callable[..., Any], until: Callable[..., Any]) -> tuple[Any, list[str]]:
    """A server, and the turns of a conversation whose last draft a reviewer rejected and answered better."""
    served = serve()
    shop = served.http(served.key(name="shop"))
    desk = served.http(served.key(Scope.HOLDS_READ, Scope.HOLDS_WRITE, Scope.TURNS_READ, name="rosa"))
    messages: list[dict[str, Any]] = []
    turns: list[str] = []

    def decide(body: dict[str, Any]) -> None:
        (hold,) = [one for one in desk.get("/v1/holds").json()["items"] if one["turn_id"] == turns[-1]]
        version = {"If-Match": f'"{hold["version"]}"'}
        assert desk.post(f"/v1/holds/{hold['id']}/verdict", json=body, headers=version).status_code == 200

    for number, (asked, draft, verdict) in enumerate(TALK):
        messages.append({"role": "user", "content": asked})
        record = {
            "id": f"r-{number}",
            "conversation_id": "c-9",
            "topic": "returns",
            "messages": messages,
            "draft": draft,
        }
        turns.append(str(shop.post("/v1/turns", json=record).json()["id"]))
        decide({"action": verdict} | ({"reasons": ["wrong_amount"]} if verdict == "reject" else {}))
        messages.append({"role": "assistant", "content": draft["text"]})
    decide({"action": "respond", "text": "You get 30 EUR back."})
    until(lambda: all(desk.get(f"/v1/turns/{turn}").json()["state"] == "answered" for turn in turns))
    return served, turns


def demand_played(
    suite: Path, folder: Path, understudy_here: Callable[..., Any], agent: str, *, code: int
) -> dict[str, Any]:
    """Try one of the two agents on a suite; returns what was said of it."""
    (folder / "shop_of_talks.py").write_text(SHOP.format(bad=BAD))
    config = "".join(f'[agents.{one}]\nkind = "python"\ntarget = "shop_of_talks:{one}"\n' for one in ("old", "fixed"))
    (folder / "understudy.toml").write_text(config)
    ended = understudy_here("eval", "run", str(suite), "--agent", agent, "--json", cwd=folder)
    assert ended.code == code, (ended.out, ended.err)
    found: dict[str, Any] = ended.json()
    return found


def test_rejected_reply_at_the_end_of_a_conversation_becomes_a_conversation_that_stops_it(
    talk: tuple[Any, list[str]],
    call: Callable[..., tuple[int, str, str]],
    understudy_here: Callable[..., Any],
    tmp_path: Path,
) -> None:
    served, turns = talk
    config = ("--config", str(served.app.base / "understudy.toml"), "--json")
    code, out, err = call("add", turns[-1], "--conversation", "--suite", "talks", "--tag", "mine", *config)
    assert code == 0, err
    (said,) = json.loads(out)["cases"]
    case = yaml.safe_load(Path(said["file"]).read_text())
    assert (case["kind"], case["rule"], case["topic"], case["failure_mode"], case["tags"]) == (
        "conversation", "must_pass", "returns", "wrong_amount", ["mine"],
    )  # fmt: skip
    assert case["source"].endswith(f"@{turns[-1]}")
    assert "navy" not in Path(said["file"]).read_text()
    assert case["customer"]["facts"] == {"answer2": "It is A-1."}
    assert [state.get("say") for state in case["customer"]["script"].values()] == [
        "Where is my parcel? I am customer1@example.com", "{answer2}", TALK[2][0], None,
    ]  # fmt: skip
    assert case["tools"] == [{"name": "get_order", "arguments": {"id": "A-1"}, "result": '{"state": "delivered"}'}]
    assert case["graders"][0] == {"facts": {"must": ["30 EUR"], "must_not": ["50 EUR"]}}
    folder = Path(said["file"]).parent
    repeated = demand_played(folder, tmp_path, understudy_here, "old", code=1)
    assert (repeated["toothless"], repeated["passed"]) == ([], 0)
    fixed = demand_played(folder, tmp_path, understudy_here, "fixed", code=0)
    assert (fixed["failed"], fixed["errors"]) == (0, 0)
    (again,) = json.loads(call("add", turns[-1], "--conversation", "--suite", "talks", *config)[1])["cases"]
    assert (again["file"], again["duplicate_of"]) == (None, said["case"])
    (single,) = json.loads(call("add", turns[-1], "--suite", "talks", *config)[1])["cases"]
    assert single["duplicate_of"] is None


def test_conversation_becomes_a_case_by_the_api(
    talk: tuple[Any, list[str]], understudy_here: Callable[..., Any], tmp_path: Path
) -> None:
    served, turns = talk
    desk = served.http(served.key(Scope.HOLDS_WRITE, name="rosa"))
    made = desk.post(f"/v1/turns/{turns[-1]}/case", json={"suite": "said", "kind": "conversation"}).json()
    assert made["file"].endswith(".yaml")
    assert desk.post(f"/v1/turns/{turns[-1]}/case", json={"kind": "novel"}).status_code == 422
    assert desk.post("/v1/turns/none/case", json={"kind": "conversation"}).status_code == 404
    entries = served.http(served.key(Scope.LEDGER_READ)).get("/v1/ledger?limit=1000").json()["items"]
    (entry,) = [one for one in entries if one["event"] == "case.added"]
    assert (entry["turn_id"], entry["actor"], entry["body"]["kind"]) == (turns[-1], "rosa", "conversation")
    folder = served.app.base / "suites" / "said"
    assert demand_played(folder, tmp_path, understudy_here, "old", code=1)["passed"] == 0
    assert demand_played(folder, tmp_path, understudy_here, "fixed", code=0)["failed"] == 0


def test_conversation_can_be_named_by_its_own_id(
    talk: tuple[Any, list[str]], call: Callable[..., tuple[int, str, str]]
) -> None:
    served, turns = talk
    conversation = served.http(served.key()).get(f"/v1/turns/{turns[0]}").json()["conversation_id"]
    config = ("--suite", "named", "--config", str(served.app.base / "understudy.toml"), "--json")
    (said,) = json.loads(call("add", conversation, "--conversation", *config)[1])["cases"]
    assert said["source"] == f"conversation:{conversation}@{turns[-1]}"
    code, _, err = call("add", "conv-none", "--conversation", *config)
    assert (code, "there is no turn and no conversation 'conv-none'" in err) == (3, True)


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
