"""How often a slice whose risk is exactly the target is certified although it must not be, whatever reviewers do."""

from __future__ import annotations

from typing import Any

import numpy as np

from autonomy_bench.study import Study, share
from understudy.stats.betting import gains, level, log_mixture, observed_target
from understudy.stats.binomial import sensitivity_lower
from understudy.stats.ladder import COVERAGES, Ladder, fallback, wealth_paths
from understudy.stats.ladder_design import shares_for
from understudy.stats.outlook import most_bad
from understudy.stats.watermark import usable_from

FILES = ()
TARGET, DELTA, HORIZON, RUNS = 0.02, 0.05, 3000, 2000
GOOD_LATE = 20.0
"""Drafts that pass on average between a good draft and its label; time is counted in drafts."""


def measure(study: Study) -> dict[str, Any]:
    """Every scenario is looked at after each label, for 3,000 drafts."""
    runs = study.runs(RUNS)
    found: dict[str, Any] = {}
    scenarios = [
        *[("late", late, timeout) for late in (400, 1000) for timeout in (np.inf, 4.0)],
        ("bursts", 400, np.inf),
        ("bursts", 400, 4.0),
    ]
    for kind, late, patience in study.steps(scenarios, "late and bursty labels"):
        name = f"{kind}.bad_labels_{late}_later" + ("" if np.isinf(patience) else ".with_timeout")
        found[name] = _late(study.dice(name), runs, late, patience * late, is_bursty=kind == "bursts")
    for sensitivity in study.steps((0.9, 0.7, 0.5), "imperfect reviewers"):
        found[f"reviewers_who_find.{sensitivity:g}"] = _imperfect(
            study.dice("imperfect", sensitivity), runs, sensitivity
        )
    found["graded"] = _graded(study, study.runs(10_000))
    found["ladder_with_a_useless_score"] = _ladder(study, study.runs(1000))
    found["conversations_of_four_drafts"] = _conversations(study.dice("conversations"), runs)
    found["outside_the_promise.risk_that_comes_and_goes"] = _moving(study.dice("moving"), runs)
    return found | {"share_max": _worst(found)}


def _worst(found: dict[str, Any]) -> float:
    return max(
        float(row["share"])
        for name, scenario in found.items()
        if not name.startswith("outside")
        for kind, row in scenario.items()
        if kind in ("as_promised", "corrected_by_seeded_drafts")
    )


def _ever(bad_in_order: np.ndarray, target: float = TARGET, usable: np.ndarray | bool = True) -> np.ndarray:
    allowed = most_bad(bad_in_order.shape[1], target=target, delta=DELTA)[1:]
    certifies = (np.cumsum(bad_in_order, axis=1) <= allowed) & usable
    return np.asarray(certifies.any(axis=1))


def _late(rng: np.random.Generator, runs: int, late: float, timeout: float, *, is_bursty: bool) -> dict[str, Any]:
    """Bad labels come `late` drafts later on average. In bursts, 40 drafts come at once and then none for a while, and
    reviewers put off what looks difficult until the rush is over."""
    size = (runs, HORIZON)
    drafted = np.broadcast_to(np.arange(HORIZON, dtype=float), size)
    if is_bursty:
        drafted = np.floor(drafted / 40) * 40
    bad = rng.random(size) < TARGET
    delay = np.where(bad, rng.exponential(late, size), rng.exponential(GOOD_LATE, size))
    resolved = drafted + delay + (40.0 * bad if is_bursty else 0.0)
    known, losses = usable_from(drafted, resolved, bad, timeout_s=timeout)
    return {
        "as_promised": share(_in_order_of(known, losses)),
        "in_order_of_arrival": share(_in_order_of(resolved, bad.astype(float))),
    }


def _in_order_of(moments: np.ndarray, losses: np.ndarray) -> np.ndarray:
    order = np.argsort(moments, axis=1, kind="stable")
    in_time = np.take_along_axis(moments, order, axis=1) <= HORIZON
    return _ever(np.take_along_axis(losses, order, axis=1), usable=in_time)


def _imperfect(rng: np.random.Generator, runs: int, sensitivity: float) -> dict[str, Any]:
    """Reviewers find so many of the bad drafts; 80 seeded ones in each run say how many, roughly."""
    seen = rng.random((runs, HORIZON)) < TARGET * sensitivity
    caught = rng.binomial(80, sensitivity, runs)
    corrected = np.zeros(runs, dtype=bool)
    for count in np.unique(caught):
        here = caught == count
        corrected[here] = _ever(seen[here], observed_target(TARGET, sensitivity_lower(int(count), 80)))
    return {"corrected_by_seeded_drafts": share(corrected), "uncorrected": share(_ever(seen))}


def _graded(study: Study, runs: int) -> dict[str, Any]:
    """Its steps are small, so it comes closest to spending delta whole: more runs tell .047 from .053."""
    rng, losses = study.dice("graded"), np.array([0.0, 0.2, 0.5, 1.0])
    chances = np.array([0.0, 0.4, 0.35, 0.25])
    chances *= TARGET / (chances @ losses)
    chances[0] = 1 - chances.sum()
    table = gains(losses, target=TARGET)
    wealth, ever = np.zeros((runs, table.shape[1])), np.zeros(runs, dtype=bool)
    for _ in study.steps(range(HORIZON), "graded losses"):
        wealth += table[np.searchsorted(np.cumsum(chances)[:-1], rng.random(runs), side="right")]
        ever |= log_mixture(wealth) >= level(DELTA)
    return {"as_promised": share(ever)}


def _ladder(study: Study, runs: int) -> dict[str, Any]:
    """All 17 thresholds have the target's risk; any certified one is false."""
    rng, horizon = study.dice("ladder"), 1500
    thresholds = tuple(1 - coverage for coverage in COVERAGES)
    ladder = Ladder(thresholds=thresholds, shares=shares_for(COVERAGES, 0.9), target=TARGET, delta=DELTA)
    fell, alone = [], []
    for _ in study.steps(range(0, runs, 10), "ladder of equal risks"):
        scores, bad = rng.random((10, horizon)), (rng.random((10, horizon)) < TARGET).astype(float)
        peaks = log_mixture(wealth_paths(ladder, scores, bad)).max(axis=1)
        fell.append(fallback(-peaks, ladder.shares, DELTA).any(axis=1))
        alone.append((peaks >= level(DELTA)).any(axis=1))
    return {
        "as_promised": share(np.concatenate(fell)),
        "without_shares_of_delta": share(np.concatenate(alone)),
    }


def _conversations(rng: np.random.Generator, runs: int) -> dict[str, Any]:
    """Four drafts of a conversation are good or bad together: only the first of them is evidence."""
    bad = rng.random((runs, HORIZON // 4)) < TARGET
    return {"as_promised": share(_ever(bad)), "each_draft_counted": share(_ever(np.repeat(bad, 4, axis=1)))}


def _moving(rng: np.random.Generator, runs: int) -> dict[str, Any]:
    """The risk is half the target for 500 drafts and one and a half times it for the next 500."""
    risk = np.where(np.arange(HORIZON) // 500 % 2 == 0, 0.5, 1.5) * TARGET
    return {"mean_risk_at_target": share(_ever(rng.random((runs, HORIZON)) < risk))}
