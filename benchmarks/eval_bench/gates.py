"""The gate of `evaluation/` in seeded runs: how often it is wrong, what it saves, and how often two equal runs disagree.

A suite of 300 flaky cases fails 8 % of the time; the baseline has 10 trials of each. The candidate's trials come in the
order of the plan and end as `eval run --against` ends: when the gate is settled, at the latest after 10 of each case.
What is compared with is the fixed design, a paired z-test of 90 % power that runs both sides.

The first `CHECKED` runs of each kind go through `settling` and `decide` trial by trial; for all, the same is worked out on
arrays, and the two must agree.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from autonomy_bench.gates import CASES, changed, flaky_suite
from understudy.evaluation.gate import SETTLED_DELTA, GateTerms, decide, settling
from understudy.evaluation.plan import drawn
from understudy.records.gate import GateVerdict
from understudy.records.suite import Trial
from understudy.stats.betting import level
from understudy.stats.gate import STAKES, Gate, fixed_pairs, interval, log_mean

CACHED, TRIALS_MAX = 10, 10
EFFECTS = {"better_2pt": -0.02, "equal": 0.0, "worse_3pt": 0.03, "worse_6pt": 0.06, "worse_10pt": 0.1}
LOOK_FROM, LOOK_PART = 40, 100
"""Settled or not is looked at at fixed lengths: from so many trials on, whenever this part more is there."""
CHECKED = 5
Z = 1.645


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
    base_all = np.concatenate([flaky_suite(dice) for _ in range(200)])
    fixed = 2 * fixed_pairs(float(np.sqrt(2 * (base_all * (1 - base_all)).mean())), Gate(), power=0.9)
    found: dict[str, Any] = {"runs": runs, "fixed_design_agent_runs": fixed}
    for place, (name, effect) in enumerate(EFFECTS.items(), start=1):
        sys.stderr.write(f"gates: {name}\n")
        rng = np.random.default_rng([seed, place])
        ended = [_gated(rng, names, plan, effect, number) for number in range(runs)]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """One baseline and one candidate: losses by trial and case, and the candidate's in the order of the plan."""

    baseline: np.ndarray
    lost: np.ndarray


def _gated(
    rng: np.random.Generator, names: list[str], plan: list[tuple[int, int]], effect: float, number: int
) -> Ended:
    base = flaky_suite(rng)
    drawn_ = _Drawn(baseline=_trials(rng, base), lost=rng.random(len(plan)) < changed(base, effect)[_cases(plan)])
    return _early(names, plan, drawn_, number)


def _early(names: list[str], plan: list[tuple[int, int]], one: _Drawn, number: int) -> Ended:
    found = _on_arrays(plan, one)
    if number < CHECKED:
        slow = _trial_by_trial(names, plan, one)
        assert found == slow, f"on arrays {found}, trial by trial {slow}"
    return found


def _on_arrays(plan: list[tuple[int, int]], one: _Drawn) -> Ended:
    differences = one.lost - one.baseline.mean(axis=0)[_cases(plan)]
    variances = one.baseline.var(axis=0, ddof=1)[_cases(plan)[:CASES]]  # in the order of the first pass
    terms = GateTerms()
    failed = 0.0
    for look in _looks(len(plan)):
        seen = min(look, CASES)
        luck = Z * float(np.sqrt(variances[:seen].sum() / CACHED)) / seen
        if _won(terms.margin - differences[:look], 1.0) > level(terms.delta):
            return Ended(verdict=GateVerdict.PASS, trials=look)
        failed = _won(differences[:look] - luck, 1.0 + luck)
        if failed > level(SETTLED_DELTA):
            return Ended(verdict=GateVerdict.FAIL, trials=look)
    last = GateVerdict.FAIL if failed > level(terms.delta) else GateVerdict.INCONCLUSIVE
    return Ended(verdict=last, trials=len(plan))


def _won(payoff: np.ndarray, shrunk: float) -> float:
    """Log-wealth; the stakes shrink where the payoff could fall under −1, as in `stats.gate.interval`."""
    return float(log_mean(np.log1p((np.array(STAKES) / shrunk)[:, None] * payoff).sum(axis=1)))


def _looks(end: int) -> list[int]:
    found, length = [], LOOK_FROM
    while length < end:
        found.append(length)
        length = min(end, length + max(1, length // LOOK_PART))
    return [*found, end]


def _trial_by_trial(names: list[str], plan: list[tuple[int, int]], one: _Drawn) -> Ended:
    baseline, terms = _as_trials(names, one.baseline), GateTerms()
    is_settled = settling(baseline, terms)
    trials = [
        Trial(case=names[case], trial=trial, loss=float(lost))
        for (case, trial), lost in zip(plan, one.lost, strict=True)
    ]
    for look in _looks(len(plan)):
        if look == len(plan) or is_settled(trials[:look]):
            return Ended(verdict=decide(baseline, trials[:look], terms).verdict, trials=look)
    raise AssertionError("the last look ends it")


def _flips(runs: int, names: list[str], plan: list[tuple[int, int]], seed: int) -> dict[str, Any]:
    """One agent gated twice against one baseline of itself, whole files and runs that end early: opposite verdicts."""
    sys.stderr.write("gates: A/A\n")
    rng = np.random.default_rng([seed, 99])
    opposite = {"early": 0, "whole_files": 0}
    said = {"early": _none(), "whole_files": _none()}
    for number in range(runs):
        base = flaky_suite(rng)
        baseline = _trials(rng, base)
        both = [_Drawn(baseline=baseline, lost=rng.random(len(plan)) < base[_cases(plan)]) for _ in range(2)]
        verdicts = {
            "early": [_early(names, plan, one, number).verdict for one in both],
            "whole_files": [_whole(names, plan, one, number) for one in both],
        }
        for name, found in verdicts.items():
            opposite[name] += {GateVerdict.PASS, GateVerdict.FAIL} <= set(found)
            for verdict in found:
                said[name][verdict.value] += 1
    return {"flip_rate": {name: count / runs for name, count in opposite.items()}, "verdicts": said}


def _whole(names: list[str], plan: list[tuple[int, int]], one: _Drawn, number: int) -> GateVerdict:
    differences = one.lost - one.baseline.mean(axis=0)[_cases(plan)]
    luck = float(np.sqrt(one.baseline.var(axis=0, ddof=1).sum() / CACHED)) / CASES
    terms = GateTerms()
    low, high = interval(differences, delta=terms.delta)
    found = GateVerdict.INCONCLUSIVE
    if high < terms.margin:
        found = GateVerdict.PASS
    elif low - Z * luck > 0:
        found = GateVerdict.FAIL
    if number < CHECKED:
        trials = [Trial(case=names[c], trial=t, loss=float(lost)) for (c, t), lost in zip(plan, one.lost, strict=True)]
        assert decide(_as_trials(names, one.baseline), trials, terms).verdict is found
    return found


def _none() -> dict[str, int]:
    return dict.fromkeys((verdict.value for verdict in GateVerdict), 0)


def _cases(plan: list[tuple[int, int]]) -> np.ndarray:
    return np.array([case for case, _ in plan])


def _trials(rng: np.random.Generator, chances: np.ndarray) -> np.ndarray:
    found: np.ndarray = (rng.random((CACHED, CASES)) < chances).astype(float)
    return found


def _as_trials(names: list[str], lost: np.ndarray) -> list[Trial]:
    return [
        Trial(case=name, trial=trial, loss=float(lost[trial, case]))
        for case, name in enumerate(names)
        for trial in range(CACHED)
    ]


def _share(ended: list[Ended], verdict: GateVerdict) -> float:
    return sum(one.verdict is verdict for one in ended) / len(ended)
