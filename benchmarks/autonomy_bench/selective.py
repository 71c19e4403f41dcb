"""What share of drafts the ladder certifies from so many labels, beside what any test could and what others do."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np

from autonomy_bench.study import Study, share
from understudy.stats.betting import bets_expecting
from understudy.stats.coverage import coverage_at_risk, information_limited_coverage, risk_coverage
from understudy.stats.ladder import COVERAGES, Ladder, climb, foot, one_look, standing
from understudy.stats.ladder_design import shares_for, thresholds_at

FILES = ()
DELTA = 0.05
LABELS = (500, 1000, 2000, 5000)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Scores of good and bad drafts are normal with equal spread: so many bad ones, so well told apart."""

    base: float
    target: float
    auroc: float

    @property
    def apart(self) -> float:
        return math.sqrt(2) * NormalDist().inv_cdf(self.auroc)

    def draw(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        bad = rng.random(count) < self.base
        return rng.normal(size=count) - self.apart * bad, bad.astype(float)

    def risk_of(self, scores: np.ndarray) -> np.ndarray:
        odds = math.log(self.base / (1 - self.base)) - self.apart * scores - self.apart**2 / 2
        return 1 / (1 + np.exp(-odds))


WORLDS = tuple(
    World(base=base, target=target, auroc=auroc)
    for base, target, auroc in (
        (0.10, 0.05, 0.9),
        (0.10, 0.05, 0.8),
        (0.05, 0.02, 0.9),
        (0.05, 0.02, 0.8),
        (0.03, 0.01, 0.9),
    )
)


def measure(study: Study) -> dict[str, Any]:
    """Coverages are shares of the oracle's, means over runs; `violations` are runs whose threshold has too much risk."""
    runs = study.runs(1000)
    found = {
        f"{world.base:g}.{world.target:g}.{world.auroc:g}": _world(study, world, runs)
        for world in (WORLDS[:2] if study.is_quick else WORLDS)
    }
    rows = [(row, n) for row in found.values() for n in row["by_labels"]]
    return {
        "worlds": found,
        "of_information_limit_min": min(
            row["by_labels"][n]["of_information_limit"]
            for row, n in rows
            if row["by_labels"][n]["information_limit"] > 0.75
        ),
        "of_information_limit_with_expecting_bets_min": min(
            row["by_labels"][n]["others"]["bets_expect_the_predicted_risk"] / row["by_labels"][n]["information_limit"]
            for row, n in rows
            if row["by_labels"][n]["information_limit"] > 0.75
        ),
        "violations_max": max(row["by_labels"][n]["violations"]["share"] for row, n in rows),
    }


def _world(study: Study, world: World, runs: int) -> dict[str, Any]:
    rng = study.dice(world)
    scores, _ = world.draw(rng, 400_000)
    truth = risk_coverage(scores, world.risk_of(scores))
    oracle = coverage_at_risk(truth, world.target)
    past, _ = world.draw(rng, 20_000)
    thresholds = thresholds_at(past)
    risks = np.array([world.risk_of(scores)[scores >= threshold].mean() for threshold in thresholds])
    covers = np.array([(scores >= threshold).mean() for threshold in thresholds])
    predicted = coverage_at_risk(risk_coverage(past, world.risk_of(past)), world.target)
    designs = {
        name: Ladder(thresholds=thresholds, shares=shares, target=world.target, delta=DELTA)
        for name, shares in {
            "ladder": shares_for(COVERAGES, predicted),
            "predicted_a_fifth_too_much": shares_for(COVERAGES, min(1.0, predicted + 0.2)),
            "predicted_a_fifth_too_little": shares_for(COVERAGES, predicted - 0.2),
            "equal_shares": (1 / len(COVERAGES),) * len(COVERAGES),
            "from_the_strictest": (1.0,) + (0.0,) * (len(COVERAGES) - 1),
        }.items()
    }
    main = int(np.argmax(designs["ladder"].shares))
    expected = float(world.risk_of(past)[past >= thresholds[main]].mean()) / world.target
    designs["bets_expect_the_predicted_risk"] = replace(designs["ladder"], bets=bets_expecting(expected))
    picks = _picks(study, world, designs, runs)
    by_labels = {}
    for n in LABELS:
        limit = information_limited_coverage(truth, n, target=world.target, delta=DELTA) / oracle
        reached = {name: np.append(covers, 0.0)[picked[n]] / oracle for name, picked in picks.items()}
        too_much = {name: np.append(risks, 0.0)[picked[n]] > world.target for name, picked in picks.items()}
        by_labels[n] = {
            "of_oracle": float(reached["ladder"].mean()),
            "information_limit": limit,
            "of_information_limit": float(reached["ladder"].mean()) / limit if limit else float("nan"),
            "violations": share(too_much["ladder"]),
            "others": {name: float(values.mean()) for name, values in reached.items() if name != "ladder"},
            "others_violations": {name: float(values.mean()) for name, values in too_much.items() if name != "ladder"},
        }
    return {"oracle_coverage": oracle, "by_labels": by_labels}


def _picks(study: Study, world: World, designs: dict[str, Ladder], runs: int) -> dict[str, dict[int, np.ndarray]]:
    """The number of the threshold that each way picks in each run at each count of labels, −1 for none."""
    names = (*designs, "one_look_fallback", "one_look_bonferroni", "plain_threshold")
    picked = {name: {n: np.full(runs, -1) for n in LABELS} for name in names}
    ladder = designs["ladder"]
    for run in study.steps(
        range(runs), f"coverage, {world.base:.0%} bad, target {world.target:.0%}, AUROC {world.auroc}"
    ):
        scores, bad = world.draw(study.dice(world, run), LABELS[-1])
        climbed, begin = {bets: foot(ladder) for bets in {design.bets: None for design in designs.values()}}, 0
        for n in LABELS:
            for bets, so_far in climbed.items():
                climbed[bets] = climb(replace(ladder, bets=bets), so_far, scores[begin:n], bad[begin:n])
            begin, rungs = n, climbed[ladder.bets]
            for name, design in designs.items():
                picked[name][n][run] = _laxest(standing(design, climbed[design.bets]))
            for correction in ("fallback", "bonferroni"):
                held = one_look(ladder, scores[:n], bad[:n], correction=correction)
                picked[f"one_look_{correction}"][n][run] = _laxest(held)
            shares = np.array(rungs.loss_sums) / np.maximum(rungs.labels, 1)
            picked["plain_threshold"][n][run] = _laxest(tuple(shares <= world.target))
    return picked


def _laxest(held: tuple[bool, ...]) -> int:
    return max((k for k, is_held in enumerate(held) if is_held), default=-1)
