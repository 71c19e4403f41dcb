"""`understudy eval` as an engineer uses it on their machine and in CI: what it prints, what it writes, how it exits."""

from __future__ import annotations

import gzip
import json
import sys
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from understudy.cli.main import main

TRAJECTORIES = Path(__file__).parents[3] / "shared" / "data" / "trajectories.jsonl.gz"
"""Recorded conversations of customer-service agents, kept beside the repository where there are any."""

CONFIG = """
drafting = { agent = "mine" }
[agents.mine]
kind = "python"
target = "eval_agent:draft"
version = "v1"
[agents.down]
kind = "python"
target = "eval_agent:down"
[agents.customer]
kind = "python"
target = "eval_agent:customer"
"""

AGENT = """
def draft(request):
    question = request["messages"][-1]["content"]
    if "refund" in question:
        return "You get 30 EUR back within 14 days."
    if "flaky" in question:
        return "yes" if request["rehearsal"]["trial"] % 3 else "no"
    return "It comes tomorrow."

def down(request):
    raise OSError("no route")

def customer(request):
    heard = request["messages"][-1]["content"]
    return "[SATISFIED]" if "tomorrow" in heard else "Where is my order?"
"""

REFUND = """
id: refund
rule: must_pass
messages: [{user: I want my refund}]
recorded: {text: You get 50 EUR back., good: false, action: reject}
graders: [{facts: {must: ["€30", 2 weeks], must_not: [50 EUR]}}]
"""
FLAKY = "id: flaky\nmessages: [{user: a flaky question}]\ngraders: [{exact: 'yes'}]\n"
TALK = (
    "id: talk\nkind: conversation\ncustomer: {goal: know when it comes, played_by: customer}\n"
    "graders: [{ended: satisfied}]\n"
)

Eval = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "understudy.toml").write_text(CONFIG)
    (tmp_path / "eval_agent.py").write_text(AGENT)
    (tmp_path / "suites" / "shop").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.delitem(sys.modules, "eval_agent", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


@pytest.fixture
def understudy_eval(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Eval:
    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["understudy", "eval", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


def suite(folder: Path, *cases: str) -> None:
    for number, case in enumerate(cases):
        (folder / "suites" / "shop" / f"{number}.yaml").write_text(case)


def lines(folder: Path, name: str, rows: Iterable[dict[str, Any]]) -> str:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return name


# --- run ---


def test_run_that_passes_exits_0_and_must_pass_cases_get_enough_trials(folder: Path, understudy_eval: Eval) -> None:
    suite(folder, REFUND, TALK)
    code, out, _ = understudy_eval("run", "shop", "--json")
    said = json.loads(out)
    assert (code, said["passed"], said["failed"], said["errors"]) == (0, 33, 0, 0)
    assert (said["release"], said["suite"], said["toothless"]) == ("v1", "shop", [])
    assert Path(said["output"]).is_file()


def test_run_that_fails_exits_1_and_names_the_case(folder: Path, understudy_eval: Eval) -> None:
    suite(folder, FLAKY)
    code, out, _ = understudy_eval("run", "suites/shop", "--trials", "6", "-o", "out.jsonl")
    assert code == 1
    assert "flaky failed 2 of 6: exact: the reply is not 'yes'" in out
    assert understudy_eval("run", "shop", "--trials", "6", "-o", "out.jsonl", "--measure")[0] == 0


def test_run_that_cannot_reach_the_agent_exits_2_and_blames_nobody(folder: Path, understudy_eval: Eval) -> None:
    suite(folder, FLAKY)
    (folder / "understudy.toml").write_text(CONFIG + "[evaluation]\nattempts_max = 1\n")
    code, out, _ = understudy_eval("run", "shop", "--agent", "down", "--json")
    said = json.loads(out)
    assert (code, said["failed"], said["errors"], said["pass_rate"]) == (2, 0, 1, None)


def test_run_is_gone_on_with(folder: Path, understudy_eval: Eval) -> None:
    suite(folder, FLAKY, TALK)
    code, out, _ = understudy_eval("run", "shop", "--trials", "3", "-o", "o.jsonl", "--budget", "2", "--json")
    first = json.loads(out)
    assert (code, first["ended_early"]) == (1 if first["failed"] else 2, "budget")
    said = json.loads(understudy_eval("run", "shop", "--trials", "3", "-o", "o.jsonl", "--json")[1])
    assert (said["trials"], said["ended_early"]) == (6, None)
    assert said["resumed"] == first["trials"]


def test_self_test_names_flaky_cases(folder: Path, understudy_eval: Eval) -> None:
    suite(folder, FLAKY, TALK)
    said = json.loads(understudy_eval("run", "shop", "--aa", "--trials", "3", "--json")[1])
    assert said["aa"]["flaky"] == [{"case": "flaky", "failed": 2 / 6}]
    assert said["aa"]["trial_flip_rate"] == pytest.approx(8 / 15 / 2)
    assert said["aa"]["cases"] == 2


def test_reports_for_ci(folder: Path, understudy_eval: Eval, monkeypatch: pytest.MonkeyPatch) -> None:
    suite(folder, FLAKY, TALK)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "step.md"))
    understudy_eval("run", "shop", "--junit", "j.xml")
    report = ET.parse(folder / "j.xml").getroot()
    assert (report.get("tests"), report.get("failures")) == ("2", "1")
    assert "| flaky | 1 of 1 |" in (folder / "step.md").read_text()


def test_run_against_a_baseline_ends_as_soon_as_the_gate_is_decided(folder: Path, understudy_eval: Eval) -> None:
    cases = [f"id: c{i}\nmessages: [{{user: q{i}}}]\ngraders: [{{exact: nothing}}]\n" for i in range(30)]
    suite(folder, *cases)
    base = lines(
        folder, "base.jsonl", ({"case": f"c{i}", "trial": j, "passed": True} for i in range(30) for j in range(10))
    )
    code, out, _ = understudy_eval("run", "shop", "--trials", "10", "--against", base, "--json")
    said = json.loads(out)
    assert (code, said["gate"]["verdict"], said["ended_early"]) == (1, "fail", "decided")
    assert said["trials"] < 60


def test_run_is_kept_in_the_store_with_its_trials(folder: Path, understudy_eval: Eval) -> None:
    suite(folder, FLAKY)
    understudy_eval("run", "shop", "--keep", "-o", "o.jsonl")
    assert (folder / "understudy-data" / "understudy.db").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "none"), "there is no suite"),
        (("run", "shop"), "holds no case"),
        (("run", "shop", "--trials", "0"), "--trials must be at least 1"),
        (("run",), "Missing argument"),
        (("gate", "--baseline", "x"), "--candidate"),
        (("gate", "--baseline", "x", "--candidate", "y"), "there is no file x"),
    ],
)
def test_wrong_usage_exits_3_and_says_what(words: tuple[str, ...], said: str, understudy_eval: Eval) -> None:
    code, _, err = understudy_eval(*words)
    assert code == 3
    assert said in " ".join(err.split())


def test_case_that_cannot_be_graded_is_refused_before_anything_is_tried(folder: Path, understudy_eval: Eval) -> None:
    suite(folder, "id: a\nmessages: [{user: x}]\ngraders: [{judge: Is it good?}]\n")
    code, _, err = understudy_eval("run", "shop")
    assert code == 3
    assert "name the opinion that judges" in err


def test_customer_that_no_agent_plays_is_refused_before_anything_is_tried(folder: Path, understudy_eval: Eval) -> None:
    suite(folder, TALK.replace("played_by: customer", "played_by: nobody"))
    code, _, err = understudy_eval("run", "shop")
    assert code == 3
    assert "there is no agent 'nobody'" in err


# --- gate ---


def rows(cases: int, failing: Callable[[int], bool], **fields: Any) -> list[dict[str, Any]]:
    return [{"case": f"c{i}", "trial": 0, "passed": not failing(i), **fields} for i in range(cases)]


@pytest.mark.parametrize(
    ("candidate", "code", "verdict"),
    [
        (rows(300, lambda i: i % 10 == 0), 0, "pass"),
        (rows(300, lambda i: i % 3 == 0), 1, "fail"),
        (rows(30, lambda i: i % 10 == 0), 2, "inconclusive"),
    ],
)
def test_gate_exits_by_its_verdict(
    candidate: list[dict[str, Any]], code: int, verdict: str, folder: Path, understudy_eval: Eval
) -> None:
    base = lines(folder, "a.jsonl", rows(300, lambda i: i % 10 == 0))
    cand = lines(folder, "b.jsonl", candidate)
    found, out, _ = understudy_eval("gate", "--baseline", base, "--candidate", cand, "--json")
    said = json.loads(out)
    assert (found, said["verdict"]) == (code, verdict)
    assert {"effect", "interval", "pairs", "reason", "errors", "flipped", "blocked_by", "would_decide"} <= set(said)


def test_gate_names_the_case_that_blocks(folder: Path, understudy_eval: Eval) -> None:
    base = lines(folder, "a.jsonl", rows(300, lambda i: i % 10 == 0))
    cand = lines(folder, "b.jsonl", rows(300, lambda i: i % 10 == 0))
    code, out, _ = understudy_eval("gate", "--baseline", base, "--candidate", cand, "--zero-tolerance", "c10")
    assert code == 1
    assert "case c10 tolerates no failure and failed 1 of 1" in out


def test_gate_writes_reports_and_keeps_its_verdict(folder: Path, understudy_eval: Eval) -> None:
    base = lines(folder, "a.jsonl", rows(300, lambda i: i % 10 == 0))
    cand = lines(folder, "b.jsonl", rows(300, lambda i: i % 3 == 0))
    _, out, _ = understudy_eval(
        "gate", "--baseline", base, "--candidate", cand, "--junit", "g.xml", "--summary", "s.md", "--keep", "--json"
    )
    assert json.loads(out)["id"].startswith("gate-")
    assert "## Gate: fail" in (folder / "s.md").read_text()
    assert ET.parse(folder / "g.xml").getroot().get("failures") != "0"


def recorded() -> dict[tuple[str, str], list[dict[str, Any]]]:
    if not TRAJECTORIES.is_file():
        pytest.skip(f"needs {TRAJECTORIES.name}, which stands beside the repository where it is at hand")
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in map(json.loads, gzip.decompress(TRAJECTORIES.read_bytes()).splitlines()):
        error = {"error": row.get("error") or "crashed"} if row["reward"] is None else {}
        found[row["system"], row["domain"]].append(
            {"case": row["task_id"], "trial": row["trial"], "passed": bool(row["passed"]), **error}
        )
    return found


@pytest.mark.parametrize(
    ("domain", "baseline", "candidate", "verdict"),
    [
        ("airline", "adaptive-agent-opus-4.6", "gpt-oss-120b-langchain", "fail"),
        ("airline", "gpt-oss-120b-langchain", "adaptive-agent-opus-4.6", "pass"),
        ("airline", "gpt-4o-azure", "whissle", "inconclusive"),
        ("airline", "button-opus-4.6", "ironforge-grok-3", "inconclusive"),
    ],
    ids=["regression", "gain", "same-mean", "too-small"],
)
def test_gate_on_recorded_agents(
    domain: str, baseline: str, candidate: str, verdict: str, folder: Path, understudy_eval: Eval
) -> None:
    found = recorded()
    names = [lines(folder, f"{name}.jsonl", found[name, domain]) for name in (baseline, candidate)]
    _, out, _ = understudy_eval("gate", "--baseline", names[0], "--candidate", names[1], "--json")
    assert json.loads(out)["verdict"] == verdict


def test_crashed_runs_are_never_the_agents_failures(folder: Path, understudy_eval: Eval) -> None:
    found = recorded()
    base = lines(folder, "a.jsonl", found["av-tool-calling", "retail"])
    rows_ = found["av-assertions-nopost", "retail"]
    crashed = sum("error" in row for row in rows_)
    said = json.loads(
        understudy_eval("gate", "--baseline", base, "--candidate", lines(folder, "b.jsonl", rows_), "--json")[1]
    )
    assert crashed > 0
    assert (said["errors"], said["errors_candidate"], said["pairs"]) == (crashed, crashed, len(rows_) - crashed)


# --- compare ---


def test_two_runs_are_shown_side_by_side(folder: Path, understudy_eval: Eval) -> None:
    one = lines(
        folder, "a.jsonl", [{"case": "c", "trial": 0, "passed": True, "reply": "It takes two weeks.", "release": "v1"}]
    )
    two = lines(
        folder, "b.jsonl", [{"case": "c", "trial": 0, "passed": False, "reply": "It takes ages.", "why": "vague"}]
    )
    code, out, _ = understudy_eval("compare", one, two)
    assert code == 0
    assert "b.jsonl beside v1: 1 worse." in out
    assert "[-two weeks.-]{+ages.+}" in out
    for name in ("r.md", "r.html"):
        assert understudy_eval("compare", one, two, "-o", name)[0] == 0
        assert "ages." in (folder / name).read_text()
    said = json.loads(understudy_eval("compare", one, two, "--json")[1])
    assert (said["changes"], said["cases"][0]["change"]) == ({"worse": 1}, "worse")
    assert understudy_eval("compare", one, two, "-o", "r.pdf")[0] == 3
