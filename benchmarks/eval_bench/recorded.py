"""The gate on pairs of real agents that share tasks, from recorded conversations; crashed runs are never failures."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any

from understudy.evaluation.gate import GateFound, GateTerms, decide
from understudy.records.gate import GateVerdict
from understudy.records.suite import Trial

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "trajectories.jsonl.gz"
NAMED = {
    "regression": ("airline", "adaptive-agent-opus-4.6", "gpt-oss-120b-langchain", GateVerdict.FAIL),
    "gain": ("airline", "gpt-oss-120b-langchain", "adaptive-agent-opus-4.6", GateVerdict.PASS),
    "same_mean_swapped_cases": ("airline", "gpt-4o-azure", "whissle", GateVerdict.INCONCLUSIVE),
    "too_small": ("airline", "button-opus-4.6", "ironforge-grok-3", GateVerdict.INCONCLUSIVE),
}


def measure() -> dict[str, Any]:
    """The named pairs with the verdicts they should have, and what becomes of every pair that shares ten tasks."""
    if not FILE.is_file():
        return {"skipped": f"{FILE.name} is not at hand"}
    runs = _runs()
    found: dict[str, Any] = {
        "crashed_runs": sum(one.error is not None for trials in runs.values() for one in trials),
        "pairs": {name: _row(runs, *pair) for name, pair in NAMED.items()},
    }
    every = [_judged(runs, domain, one, other) for domain, one, other in _sharing(runs)]
    found["all_pairs_sharing_ten_tasks"] = {
        "pairs": len(every),
        **{verdict.value: sum(one.verdict is verdict for one in every) for verdict in GateVerdict},
        "crashed_counted_as_failures": sum(_crashed_counted(runs, *pair) for pair in _sharing(runs)),
        "passed_though_worse_by_more_than_the_margin": sum(
            one.verdict is GateVerdict.PASS and one.effect >= GateTerms().margin for one in every
        ),
        "failed_though_not_worse": sum(one.verdict is GateVerdict.FAIL and one.effect <= 0 for one in every),
    }
    found["right"] = all(row["verdict"] == row["expected"] for row in found["pairs"].values())
    return found


def _runs() -> dict[tuple[str, str], list[Trial]]:
    runs: dict[tuple[str, str], list[Trial]] = defaultdict(list)
    for line in gzip.decompress(FILE.read_bytes()).splitlines():
        row = json.loads(line)
        is_crashed = row["reward"] is None
        runs[row["system"], f"{row['bench']}/{row['domain']}"].append(
            Trial(
                case=str(row["task_id"]),
                trial=int(row["trial"]),
                loss=None if is_crashed else float(not row["passed"]),
                error=str(row.get("error") or "crashed")[:200] if is_crashed else None,
            )
        )
    return runs


def _judged(runs: dict[tuple[str, str], list[Trial]], domain: str, one: str, other: str) -> GateFound:
    return decide(runs[one, domain], runs[other, domain], GateTerms())


def _row(
    runs: dict[tuple[str, str], list[Trial]], domain: str, one: str, other: str, expected: GateVerdict
) -> dict[str, Any]:
    found = _judged(runs, f"tau2/{domain}", one, other)
    return {
        "baseline": one,
        "candidate": other,
        "verdict": found.verdict.value,
        "expected": expected.value,
        "effect": found.effect,
        "interval": list(found.interval),
        "pairs": found.pairs,
        "flipped": len(found.flipped),
    }


def _sharing(runs: dict[tuple[str, str], list[Trial]]) -> list[tuple[str, str, str]]:
    found = []
    for (one, domain), (other, same) in combinations(sorted(runs), 2):
        if domain == same:
            shared = {trial.case for trial in runs[one, domain]} & {trial.case for trial in runs[other, domain]}
            if len(shared) >= 10:
                found += [(domain, one, other), (domain, other, one)]
    return found


def _crashed_counted(runs: dict[tuple[str, str], list[Trial]], domain: str, one: str, other: str) -> int:
    """How many crashed trials went into the pairs: those of cases where one side has nothing but crashes must be gone."""
    found = _judged(runs, domain, one, other)
    judged = [{trial.case for trial in runs[name, domain] if trial.error is None} for name in (one, other)]
    return max(0, found.cases - len(judged[0] & judged[1]))
