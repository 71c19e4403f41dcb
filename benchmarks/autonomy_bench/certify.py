"""How many labels a certificate takes, exactly, beside the Wald limit and the designs others use; nothing is drawn."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from scipy import special

from autonomy_bench.study import Study
from understudy.stats.betting import FIVE_BETS, Bets, labels_needed, sibling_bets
from understudy.stats.binomial import at_most_p
from understudy.stats.outlook import certified_by, outlook, wald_limit

FILES = ()
DELTA = 0.05
TARGETS = (0.01, 0.02, 0.05)
SHARES = (0.125, 0.25, 0.5)


def measure(study: Study) -> dict[str, Any]:
    """The mixture at each target and true risk; false certificates; what siblings and other designs give."""
    targets = (0.05,) if study.is_quick else TARGETS
    cells = [(target, share) for target in targets for share in SHARES]
    found = {f"{target:g}.{share:g}": _cell(target, share) for target, share in study.steps(cells, "labels to certify")}
    ratios = [cell["times_limit"] for cell in found.values()]
    false = {f"{target:g}": _false(target) for target in study.steps(targets, "false certificates")}
    return {
        "cells": found,
        "times_limit_max": max(ratios),
        "times_limit_with_siblings_max": max(cell["times_limit_with_siblings"] for cell in found.values()),
        "false_certificates": false,
        "false_certificates_max": max(row["betting"] for row in false.values()),
        "new_release_labels_at_a_tenth_changed": 0.1 * _outlook(0.02, 0.005, FIVE_BETS, 366.0)["median"],
        "certificate_table": {
            f"{target:g}": [labels_needed(bad, target=target, delta=DELTA) for bad in range(4)] for target in TARGETS
        },
    }


def _cell(target: float, share: float) -> dict[str, float]:
    risk, limit = share * target, wald_limit(share * target, target=target, delta=DELTA)
    plain = _outlook(target, risk, FIVE_BETS, limit)
    # Siblings of the very same risk, 2/target labels each: the best that experience can do.
    labels = round(20 / target)
    siblings = sibling_bets([labels] * 8, [round(labels * risk)] * 8, target=target)
    helped = _outlook(target, risk, siblings, limit)
    return {
        "wald_limit": limit,
        "mean": plain["mean"],
        "median": plain["median"],
        "times_limit": plain["mean"] / limit,
        "times_limit_with_siblings": helped["mean"] / limit,
        "fixed_size_80pct_knowing_risk": _fixed_size(target, risk),
        "times_limit_clopper_pearson_14_looks": _by_looks(target, risk, limit) / limit,
    }


def _outlook(target: float, risk: float, bets: Bets, limit: float) -> dict[str, float]:
    found = outlook(risk, target=target, delta=DELTA, horizon=round(7 * limit), bets=bets)
    return {"mean": found.mean_labels, "median": float(found.labels_for(0.5) or np.nan)}


def _fixed_size(target: float, risk: float) -> int:
    """The fewest labels with which one pre-declared look certifies in 80 % of cases."""
    counts = np.arange(1, round(60 / target))
    allowed = _most_bad_at(counts, target, DELTA)
    power = np.where(allowed >= 0, special.bdtr(np.maximum(allowed, 0), counts, risk), 0.0)
    return int(counts[np.argmax(power >= 0.8)])


def _by_looks(target: float, risk: float, limit: float) -> float:
    """Mean labels of exact bounds at 14 looks, each with a 14th of delta, from 1/target to 10 × the limit."""
    horizon = round(10 * limit)
    looks = np.unique(np.geomspace(1 / target, horizon, 14).astype(int))
    allowed = np.full(horizon + 1, -1)
    allowed[looks] = _most_bad_at(looks, target, DELTA / 14)
    return float((1 - certified_by(risk, allowed)[:-1]).sum())


def _false(target: float) -> dict[str, float]:
    horizon = round(60 / target)
    counts = np.arange(1, horizon + 1)
    return {
        "betting": float(outlook(target, target=target, delta=DELTA, horizon=horizon).certified_by[-1]),
        "one_look_bound_looked_at_always": float(
            certified_by(target, np.r_[-1, _most_bad_at(counts, target, DELTA)])[-1]
        ),
    }


def _most_bad_at(counts: np.ndarray, target: float, delta: float) -> np.ndarray:
    """The most bad labels that a single exact look certifies, −1 where not even none."""
    found = np.full(counts.size, -1)
    edges = [*range(0, counts.size, 500), counts.size]
    for start, end in pairwise(edges):
        part = counts[start:end, None]
        bad = np.arange(int(part.max() * target) + 2)[None, :]
        found[start:end] = (at_most_p(np.minimum(bad, part), part, target=target) <= delta).sum(axis=1) - 1
    return found
