"""The gate of `evaluation/` in seeded runs: how often it is wrong, what it saves, and how often two equal runs disagree.

A suite of 300 flaky cases fails 8 % of the time; the baseline has 10 trials of each. The candidate's trials come in the
order of the plan and end as `eval run --against` ends: when the gate is settled, at the latest after 10 of each case.
What is compared with is the fixed design, a paired z-test of 90 % power that runs both sides.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from understudy.evaluation.gate import GateTerms, decide, settling
from understudy.evaluation.plan import drawn
from understudy.records.gate import GateVerdict
from understudy.records.suite import Trial
from understudy.stats.gate import Gate, fixed_pairs

CASES, CACHED, TRIALS_MAX = 300, 10, 10
EFFECTS = {"better_2pt": -0.02, "equal": 0.0, "worse_3pt": 0.03, "worse_6pt": 0.06, "worse_10pt": 0.1}
LOOK_FROM, LOOK_PART = 40, 20
"""Settled or not is looked at at fixed lengths: from so many trials on, whenever this part more is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one gated run ended, and after how many trials of the candidate."""

    verdict: GateVerdict
    trials: int


def measure(*, runs: int, seed: int) -> dict[str, Any]:
    """Each effect `runs` times; at the margin the share that passes is the type-I error."""
    names = [f"c{number}" for number in range(CASES)]
    plan = sorted(
        ((case, trial) for case in range(CASES) for trial in range(TRIALS_MAX)),
        key=lambda one: (one[1], drawn(names[one[0]], one[1])),
    )
    dice = np.random.default_rng([seed, 0])
    base_all = np.concatenate([_suite(dice) for _ in range(200)])
    fixed = 2 * fixed_pairs(float(np.sqrt(2 * (base_all * (1 - base_all)).mean())), Gate(), power=0.9)
    found: dict[str, Any] = {"runs": runs, "fixed_design_agent_runs": fixed}
    for place, (name, effect) in enumerate(EFFECTS.items(), start=1):
        sys.stderr.write(f"gates: {name}\n")
        rng = np.random.default_rng([seed, place])
        ended = [_gated(rng, names, plan, effect) for _ in range(runs)]
        mean = float(np.mean([one.trials for one in ended]))
        found[name] = {
            "passed": _share(ended, GateVerdict.PASS),
            "failed": _share(ended, GateVerdict.FAIL),
            "inconclusive": _share(ended, GateVerdict.INCONCLUSIVE),
            "candidate_trials_mean": mean,
            "saved": 1 - mean / fixed,
        }
    found["type_1_error_at_the_margin"] = found["worse_3pt"]["passed"]
    found["a_a"] = _flips(runs, names, plan, seed)
    return found


def _gated(rng: np.random.Generator, names: list[str], plan: list[tuple[int, int]], effect: float) -> Ended:
    base = _suite(rng)
    return _run_until_settled(rng, names, plan, _baseline(rng, names, base), _candidate(base, effect))


def _run_until_settled(
    rng: np.random.Generator,
    names: list[str],
    plan: list[tuple[int, int]],
    baseline: list[Trial],
    chances: np.ndarray,
) -> Ended:
    lost = rng.random(len(plan)) < chances[[case for case, _ in plan]]
    length, terms = LOOK_FROM, GateTerms()
    is_settled = settling(baseline, terms)
    trials: list[Trial] = []
    while True:
        trials += [
            Trial(case=names[case], trial=trial, loss=float(lost[place]))
            for place, (case, trial) in enumerate(plan[len(trials) : length], start=len(trials))
        ]
        if length == len(plan) or is_settled(trials):
            return Ended(verdict=decide(baseline, trials, terms).verdict, trials=length)
        length = min(len(plan), length + max(1, length // LOOK_PART))


def _flips(runs: int, names: list[str], plan: list[tuple[int, int]], seed: int) -> dict[str, Any]:
    """One agent gated twice against one baseline of itself, whole files and runs that end early: opposite verdicts."""
    sys.stderr.write("gates: A/A\n")
    rng = np.random.default_rng([seed, 99])
    opposite = {"early": 0, "whole_files": 0}
    said = dict.fromkeys((verdict.value for verdict in GateVerdict), 0)
    for _ in range(runs):
        base = _suite(rng)
        baseline = _baseline(rng, names, base)
        early = {_run_until_settled(rng, names, plan, baseline, base).verdict for _ in range(2)}
        whole = [decide(baseline, _baseline(rng, names, base), GateTerms()).verdict for _ in range(2)]
        for verdict in whole:
            said[verdict.value] += 1
        opposite["early"] += {GateVerdict.PASS, GateVerdict.FAIL} <= early
        opposite["whole_files"] += {GateVerdict.PASS, GateVerdict.FAIL} <= set(whole)
    return {"flip_rate": {name: count / runs for name, count in opposite.items()}, "verdicts_of_whole_files": said}


def _suite(rng: np.random.Generator) -> np.ndarray:
    chances = rng.beta(0.31, 3.56, CASES)
    scaled: np.ndarray = np.minimum(1.0, chances * 0.08 / chances.mean())
    return scaled


def _candidate(base: np.ndarray, effect: float) -> np.ndarray:
    if effect < 0:
        better: np.ndarray = base * (1 + effect / base.mean())
        return better
    worse: np.ndarray = base + (1 - base) * effect / (1 - base.mean())
    return worse


def _baseline(rng: np.random.Generator, names: list[str], chances: np.ndarray) -> list[Trial]:
    lost = rng.random((CACHED, CASES)) < chances
    return [
        Trial(case=name, trial=trial, loss=float(lost[trial, case]))
        for case, name in enumerate(names)
        for trial in range(CACHED)
    ]


def _share(ended: list[Ended], verdict: GateVerdict) -> float:
    return sum(one.verdict is verdict for one in ended) / len(ended)
