"""Whatever only looks at drafts carries nothing out: a release in shadow, redrafts, planted drafts, replays, evaluations,
checks of files and backtests; each is played with an action that would be done without a person if it could be.

Not shown here: what an agent does by itself when it is asked, which is why agents are told that nobody is behind a request.
"""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

import starting
from refunds import acting_rules, of_amount, proposes, refund, system_of
from stage_earning import earn
from stage_plan import ON_EACH_STORE
from stage_redrafts import asked, redraft, staged
from stage_releases import TERMS, ask, begin, two_versions, watch
from understudy.records.acting import ActionState
from understudy.records.evidence import Action, Draft
from understudy.records.release import Stage
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.rulebook import Level
from understudy.records.turn import SEED_JOB, Job
from understudy.testing.acting import ScriptedSystem
from understudy.turn.replay import replay

Build = Callable[..., Any]
SOURCE = Path(__file__).parents[2] / "src" / "understudy"

REFUNDS = Draft(text="About: your order.", actions=(Action(name="refund", arguments={"order": "A17", "amount": 4}),))
"""What a new version would say and do."""


def automatic(staging: ModuleType, **fields: Any) -> Any:
    """Rules under which a refund is done without a person wherever a decision to deliver is made."""
    return acting_rules(staging, refund(is_automatic=True), **fields)


def nothing_was_done(stage: Any) -> bool:
    calls: list[str] = system_of(stage).calls
    return not calls and not stage.read(lambda tx: tx.actions.listed(list(ActionState), limit=10))


@ON_EACH_STORE
def test_a_release_in_shadow_never_acts(build: Build, staging: ModuleType) -> None:
    executors = {"refund": ScriptedSystem()}
    stage = two_versions(build, new=REFUNDS, rules=automatic(staging), release_terms=TERMS, executors=executors)
    release = begin(stage, Stage.SHADOW)
    for _ in range(12):
        ask(stage)
        watch(stage)
    rehearsals = stage.read(lambda tx: tx.releases.rehearsals(release.id, limit=99))
    assert {one.candidate.decision for one in rehearsals} == {"deliver"}, "it would have acted if it could"
    assert nothing_was_done(stage)


def test_a_redraft_never_acts_whatever_people_say_of_it(build: Build, staging: ModuleType) -> None:
    rules = acting_rules(staging, refund(is_automatic=True), level=Level.ASSIST, grants=())
    stage = staged(build, staging, new=REFUNDS, rules=rules, executors={"refund": ScriptedSystem()})
    earn(stage)
    begin(stage, Stage.SHADOW)
    redraft(stage)
    holds = asked(stage)
    assert holds
    for hold in holds[:3]:
        stage.give(hold, VerdictKind.APPROVE)
    stage.pass_time(1000)
    assert nothing_was_done(stage)


def test_a_planted_draft_never_acts(build: Build, staging: ModuleType) -> None:
    stage = build(agent=proposes(of_amount(40)), rules=acting_rules(staging), executors={"refund": ScriptedSystem()})
    turn = stage.ask("Refund A17, 40", to="past")
    stage.give(stage.open_holds[0], VerdictKind.REJECT, reviewer="rosa")
    stage.pass_time(timedelta(days=14).total_seconds() + 1)
    other = stage.ask("Refund A17, 40", to="else")
    (hold,) = (one for one in stage.open_holds if one.kind is HoldKind.DRAFT)
    stage.give(hold, VerdictKind.REJECT, reviewer="tom")
    before = {one.id for one in stage.open_holds}
    stage.look(Job(kind=SEED_JOB, key="now"))
    (planted,) = (one for one in stage.open_holds if one.id not in before)
    assert planted.turn_id not in (turn.id, other.id)
    stage.give(planted, VerdictKind.APPROVE, reviewer="tom")
    stage.pass_time(1000)
    assert system_of(stage).calls == []


@ON_EACH_STORE
def test_a_replay_never_acts(build: Build, staging: ModuleType) -> None:
    stage = build(agent=proposes(of_amount(4)), rules=automatic(staging), executors={"refund": ScriptedSystem()})
    turn = stage.ask("Refund A17, 4")
    assert len(system_of(stage).calls) == 1
    recorded, computed = stage.read(lambda tx: replay(tx, turn.id))
    assert recorded == computed
    stage.pass_time(1000)
    assert len(system_of(stage).calls) == 1


# --- commands ---

CONFIG = """
[agents.mine]
kind = "python"
target = "acting_agent:draft"
version = "v1"

[autonomy]
audit_rate = 0
grants = [{ topic = "*", channel = "*", level = "auto", threshold = 0 }]

[actions.refund]
reversibility = "compensable"
automatic = true

[actions.refund.arguments]
properties = { order = { type = "string" }, amount = { type = "number" } }

[actions.refund.call]
url = "BOOKS/refunds/{order}"

[actions.refund.read_back]
url = "BOOKS/refunds/{key}"
is_done = "@.status == 200"
"""
AGENT = """
def draft(request):
    with open("proposed", "a") as file:
        file.write("refund ")
    return {"text": "It is on its way.", "actions": [{"name": "refund", "arguments": {"order": "A17", "amount": 4}}]}
"""
CASE = "id: one\nmessages: [{user: 'Refund A17, 4 please'}]\ngraders: [{regex: way}]\n"


@pytest.fixture
def shop(tmp_path: Path, httpserver: HTTPServer) -> tuple[Path, list[str]]:
    """A folder whose configuration lets refunds through without a person, and what its system of record was asked."""
    asked: list[str] = []

    def answer(request: Any) -> Response:
        asked.append(f"{request.method} {request.path}")
        return Response("{}", status=200)

    httpserver.expect_request(re.compile(".*")).respond_with_handler(answer)
    base = httpserver.url_for("").rstrip("/")
    (tmp_path / "understudy.toml").write_text(CONFIG.replace("BOOKS", base), encoding="utf-8")
    (tmp_path / "acting_agent.py").write_text(AGENT, encoding="utf-8")
    return tmp_path, asked


def run(folder: Path, *words: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY")}
    done = starting.run(["-m", "understudy", *words], cwd=folder, env=env)
    assert done.returncode in (0, 1, 2), done.stderr
    return done.stdout


def test_an_evaluation_never_acts(shop: tuple[Path, list[str]]) -> None:
    folder, books = shop
    (folder / "suites" / "shop").mkdir(parents=True)
    (folder / "suites" / "shop" / "one.yaml").write_text(CASE, encoding="utf-8")
    said = run(folder, "eval", "run", "shop", "--agent", "mine", "--output", "out.jsonl", "--json")
    assert said.strip()
    assert (folder / "proposed").read_text(encoding="utf-8"), "the agent did propose it"
    assert books == []


@pytest.mark.parametrize("command", ["check", "backtest"])
def test_a_file_of_turns_never_acts(shop: tuple[Path, list[str]], command: str) -> None:
    folder, books = shop
    record = {
        "id": "t-1",
        "topic": "orders",
        "channel": "web",
        "messages": [{"role": "user", "content": "Refund A17, 4"}],
        "draft": {
            "text": "It is on its way.",
            "actions": [{"name": "refund", "arguments": {"order": "A17", "amount": 4}}],
        },
        "verdict": {"action": "approve", "text": None, "severity": 0, "reasons": [], "reviewer": "r"},
    }
    lines = [json.dumps(record | {"id": f"t-{number}"}) for number in range(30)]
    (folder / "turns.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    more = ["--risk", "0.1", "--confidence", "0.9"] if command == "backtest" else []
    assert run(folder, command, "turns.jsonl", *more).strip()
    assert books == []


# --- there is no other way ---


def test_only_a_decision_and_a_verdict_let_an_action_through() -> None:
    """Whoever writes an action down or lets one through stands here by name; a new one has to be thought about."""
    users: dict[str, set[str]] = {"propose": set(), "let_through": set(), "put_on": set(), "Executor": set()}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module in (
                "understudy.effects.acting",
                "understudy.ports.acting",
            ):
                for name in node.names:
                    if name.name in users:
                        users[name.name].add(path.relative_to(SOURCE).as_posix())
    assert users == {
        "propose": {"turn/commit.py"},
        "let_through": {"turn/commit.py", "review/actions.py"},
        "put_on": {"review/actions.py", "delivery/action_desk.py"},
        "Executor": {"connections.py", "delivery/acting.py", "delivery/outcomes.py"},
    }
