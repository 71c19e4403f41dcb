"""How much could be answered alone at which risk, if the score and the losses are as given; a curve, not a promise.

Sources: R. El-Yaniv, Y. Wiener, "On the foundations of noise-free selective classification", JMLR 11, 2010;
Y. Geifman, R. El-Yaniv, "Selective classification for deep neural networks", NeurIPS 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from understudy.stats.betting import Floats, checked_target, level


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskCoverage:
    """For each distinct score as the threshold, strict to lax: the share of drafts covered, in (0, 1], and their mean
    loss, in [0, 1]."""

    thresholds: Floats
    coverage: Floats
    risk: Floats

    @property
    def area(self) -> float:
        """The mean risk over all coverages, in [0, 1]: the lower, the better the score sorts."""
        return float((self.risk * np.diff(self.coverage, prepend=0.0)).sum())


def risk_coverage(scores: ArrayLike, losses: ArrayLike, *, weights: ArrayLike | None = None) -> RiskCoverage:
    """The curve of drafts with `scores` (higher is better) and `losses` in [0, 1], measured or predicted.

    `weights` > 0: how many drafts each stands for, where they were drawn with different probabilities; 1 each without.
    Raises `ValueError` for none, for different numbers of them, or where one is no number.
    """
    score, loss = np.asarray(scores, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    if score.ndim != 1 or score.shape != loss.shape or not score.size:
        raise ValueError(f"one loss for each score, at least one; got {loss.shape} for {score.shape}")
    if np.isnan(score).any() or np.isnan(loss).any():
        raise ValueError("scores and losses must be numbers")
    weight = np.ones_like(score) if weights is None else np.asarray(weights, dtype=np.float64)
    if weight.shape != score.shape or not (np.isfinite(weight).all() and (weight > 0.0).all()):
        raise ValueError("weights must be one for each score, and above 0")
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.append(np.diff(score[order]) != 0.0, True))  # drafts of one score leave together
    covered = np.cumsum(weight[order])[last]
    return RiskCoverage(
        thresholds=score[order][last],
        coverage=covered / covered[-1],
        risk=np.cumsum((weight * loss)[order])[last] / covered,
    )


def coverage_at_risk(curve: RiskCoverage, target: float) -> float:
    """The largest coverage whose risk is at most `target`; 0 where there is none. The oracle's choice."""
    held = curve.coverage[curve.risk <= checked_target(target)]
    return float(held.max(initial=0.0))


def information_limited_coverage(curve: RiskCoverage, labels: int, *, target: float, delta: float) -> float:
    """The largest coverage that any valid test could certify from so many labels of all drafts, in expectation.

    max{c : labels × c >= log(1/delta)/KL(risk(c), target)}: the Wald limit at each coverage, for a curve of true risks.
    0 where there is none.
    """
    risk, goal = curve.risk, checked_target(target)
    with np.errstate(divide="ignore", invalid="ignore"):
        bad = np.where(risk > 0.0, risk * np.log(risk / goal), 0.0)
        good = np.where(risk < 1.0, (1.0 - risk) * (np.log1p(-risk) - np.log1p(-goal)), 0.0)
    enough = (risk < goal) & (labels * curve.coverage * (bad + good) >= level(delta))
    return float(curve.coverage[enough].max(initial=0.0))
