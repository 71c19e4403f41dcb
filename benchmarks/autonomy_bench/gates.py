"""How many agent runs the gate takes until it decides, beside the fixed design, and how often it is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from autonomy_bench.study import Study, share
from understudy.stats.gate import Gate, Pairs, fixed_pairs, judge
from understudy.stats.sprt import Outcome, Sprt

FILES = ()
GATE = Gate()
EFFECTS = {
    "better_2pt": -0.02,
    "equal": 0.0,
    "worse_1.5pt": 0.015,
    "worse_3pt": 0.03,
    "worse_6pt": 0.06,
    "worse_10pt": 0.1,
}
CASES, TRIALS_CACHED = 300, 10


def measure(study: Study) -> dict[str, Any]:
    """A suite of 300 flaky cases that fail 8 % of the time; the candidate does so more or less often by an effect."""
    runs = study.runs(1000)
    fixed = fixed_pairs(_deviation(study.dice("deviation")), GATE, power=0.9)
    found: dict[str, Any] = {"fixed_design_agent_runs": 2 * fixed}
    for name, effect in study.steps(EFFECTS.items(), "gates"):
        many = 3 * runs if effect == GATE.margin else runs
        again = _runs(study.dice("again", name), effect, many, is_cached=False)
        cached = _runs(study.dice("cached", name), effect, many, is_cached=True)
        found[name] = {
            "both_run_again": again | {"saved": 1 - 2 * again["pairs_mean"] / (2 * fixed)},
            "baseline_cached": cached | {"saved": 1 - cached["pairs_mean"] / (2 * fixed)},
        }
    seen = _runs(study.dice("seen"), GATE.margin, study.runs(3000), is_cached=True, is_from_seen=True)
    return found | {"margin_from_the_baseline_as_seen": seen, "must_pass": _must_pass(study)}


def flaky_suite(rng: np.random.Generator) -> np.ndarray:
    """The chance of each of 300 cases to fail: 8 % on average, most of it in a few cases."""
    chances = rng.beta(0.31, 3.56, CASES)
    scaled: np.ndarray = np.minimum(1.0, chances * 0.08 / chances.mean())
    return scaled


def changed(base: np.ndarray, effect: float) -> np.ndarray:
    """The same chances, on average higher by an effect (or lower, where it is below zero)."""
    if effect < 0:
        better: np.ndarray = base * (1 + effect / base.mean())
        return better
    worse: np.ndarray = base + (1 - base) * effect / (1 - base.mean())
    return worse


def _deviation(rng: np.random.Generator) -> float:
    base = np.concatenate([flaky_suite(rng) for _ in range(200)])
    return float(np.sqrt(2 * (base * (1 - base)).mean()))


def _runs(
    rng: np.random.Generator, effect: float, runs: int, *, is_cached: bool, is_from_seen: bool = False
) -> dict[str, Any]:
    outcomes, pairs = np.empty(runs, dtype=object), np.empty(runs)
    for run in range(runs):
        base = flaky_suite(rng)
        cached = rng.binomial(TRIALS_CACHED, base) / TRIALS_CACHED
        luck = cached.mean() - base.mean() if is_from_seen else 0.0
        candidate, drawn = changed(base, effect + luck), rng.integers(0, CASES, GATE.pairs_max)
        of_base = cached[drawn] if is_cached else (rng.random(drawn.size) < base[drawn]).astype(float)
        found = judge(GATE, Pairs(), (rng.random(drawn.size) < candidate[drawn]) - of_base)
        outcomes[run], pairs[run] = found.outcome, found.pairs
    return {
        "pairs_mean": float(pairs.mean()),
        "pairs_median": float(np.median(pairs)),
        "passed": share(outcomes == Outcome.PASS),
        "failed": share(outcomes == Outcome.FAIL),
    }


def _must_pass(study: Study) -> dict[str, Any]:
    test, found = Sprt(), {"clean_trials_needed": Sprt().clean_trials_needed()}
    rows: dict[str, Any] = dict(found)
    for risk in (0.01, 0.1, 0.5):
        rng, passed, trials = study.dice("must pass", risk), [], []
        for _ in range(study.runs(1000)):
            failures, trial = 0, 0
            while True:
                trial, failures = trial + 1, failures + int(rng.random() < risk)
                ratio = test.log_ratio(trial, failures)
                if abs(ratio) >= np.log(20):
                    break
            passed.append(ratio > 0)
            trials.append(trial)
        rows[f"fails_{risk:g}"] = {"passed": share(np.array(passed)), "trials_mean": float(np.mean(trials))}
    return rows
