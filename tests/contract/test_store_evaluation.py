"""Runs, trials and what gates said as the store keeps them, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import NotFound
from understudy.evaluation.archive import Archive
from understudy.evaluation.gate import GateTerms, decide
from understudy.records.gate import FlippedCase, GateResult, GateVerdict
from understudy.records.suite import CaseRule, Grade, Run, Trial
from understudy.testing.scripted import FrozenClock

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
Commit = Callable[[Callable[..., Any]], Any]


def run(name: str, *, release: str = "r1", began_s: float = 0, **fields: Any) -> Run:
    began = NOW + timedelta(seconds=began_s)
    return Run(id=name, suite="shop", suite_digest="d" * 32, release=release, planned=4, began_at=began, **fields)


def result(name: str, *, candidate: str = "r2", at_s: float = 0) -> GateResult:
    return GateResult(
        id=name,
        suite="shop",
        suite_digest="d" * 32,
        baseline="r1",
        candidate=candidate,
        verdict=GateVerdict.FAIL,
        reason="worse",
        effect=0.25,
        interval=(0.1, 0.4),
        pairs=100,
        errors=2,
        flipped=(FlippedCase(case="a", baseline_loss=0.0, candidate_loss=1.0, why="it says 50"),),
        blocked_by=("a",),
        would_decide=None,
        at=NOW + timedelta(seconds=at_s),
    )


FAILED = Trial(
    case="a",
    trial=1,
    loss=0.5,
    why="facts: '30 EUR' is missing",
    reply="naïve ☂",
    grades=(Grade(grader="facts", loss=0.5, why="x"),),
    rule=CaseRule.MUST_PASS,
    has_teeth=True,
    took_ms=12.5,
)
TRIALS = [FAILED, Trial(case="a", trial=0, loss=0.0), Trial(case="b", trial=0, error="down")]


def test_run_is_read_as_it_was_written_and_changed(store: SqlStore, commit: Commit) -> None:
    commit(lambda tx: tx.runs.put(run("run-1")))
    ended = run("run-1", done=4, ended_at=NOW + timedelta(hours=1))
    commit(lambda tx: tx.runs.put(ended))
    assert commit(lambda tx: tx.runs.get("run-1")) == ended
    with pytest.raises(NotFound, match="run-2"):
        commit(lambda tx: tx.runs.get("run-2"))


def test_runs_are_listed_the_latest_first(commit: Commit) -> None:
    for name, release, began in (("run-1", "r1", 0), ("run-2", "r1", 5), ("run-3", "r2", 3)):
        commit(
            lambda tx, name=name, release=release, began=began: tx.runs.put(run(name, release=release, began_s=began))
        )
    assert [one.id for one in commit(lambda tx: tx.runs.of_release("r1", "shop"))] == ["run-2", "run-1"]
    assert [one.id for one in commit(lambda tx: tx.runs.listed(limit=2))] == ["run-2", "run-3"]
    assert commit(lambda tx: tx.runs.of_release("r1", "other")) == []


def test_trial_is_kept_once(commit: Commit) -> None:
    commit(lambda tx: tx.runs.put(run("run-1")))
    assert commit(lambda tx: tx.runs.add_trials("run-1", TRIALS)) == 3
    assert commit(lambda tx: tx.runs.add_trials("run-1", [*TRIALS, Trial(case="b", trial=1, loss=1.0)])) == 1
    found = commit(lambda tx: tx.runs.trials("run-1"))
    assert [(one.case, one.trial) for one in found] == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert found[1] == FAILED
    assert commit(lambda tx: tx.runs.trials("run-2")) == []
    of_case = commit(lambda tx: [tx.runs.of_case("run-1", name, limit=1) for name in ("a", "b", "c")])
    assert [[(one.case, one.trial) for one in found] for found in of_case] == [[("a", 0)], [("b", 0)], []]


def test_gate_result_is_read_as_it_was_written(commit: Commit) -> None:
    commit(lambda tx: tx.gates.add(result("gate-1")))
    commit(lambda tx: tx.gates.add(result("gate-2", at_s=1)))
    commit(lambda tx: tx.gates.add(result("gate-3", candidate="r3")))
    assert commit(lambda tx: tx.gates.get("gate-1")) == result("gate-1")
    assert [one.id for one in commit(lambda tx: tx.gates.of_candidate("r2"))] == ["gate-2", "gate-1"]
    with pytest.raises(NotFound, match="gate-9"):
        commit(lambda tx: tx.gates.get("gate-9"))


def test_archive_tells_the_ledger_and_keeps_a_run_again_whole(store: SqlStore) -> None:
    archive = Archive(store, FrozenClock())
    of = {"run": "run-1", "suite": "shop", "suite_digest": "d", "release": "r1", "planned": 3}

    async def kept() -> tuple[Run, Run, GateResult, list[str]]:
        first = await archive.keep_run(**of, trials=TRIALS[:2], is_ended=False)
        second = await archive.keep_run(**of, trials=TRIALS, is_ended=True)
        found = decide(TRIALS, TRIALS, GateTerms())
        gate = await archive.keep_gate(found, suite="shop", suite_digest="d", baseline="r1", candidate="r1")
        entries = await store.read(lambda tx: [entry.event for entry in tx.ledger.entries()])
        return first, second, gate, entries

    first, second, gate, entries = asyncio.run(kept())
    assert (first.done, first.ended_at, second.done) == (2, None, 3)
    assert second.ended_at is not None
    assert gate.verdict is GateVerdict.INCONCLUSIVE
    assert entries == ["run.kept", "run.kept", "gate.judged"]
