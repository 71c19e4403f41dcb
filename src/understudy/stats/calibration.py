"""How honest and how sharp probabilities were, once the outcomes are known; it makes and mends none.

`predicted`: probabilities in [0, 1] that something happens; `happened`: 0 or 1 for each; both 1-D of one length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from understudy.stats.betting import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Probabilities in [`low`, `high`) (the last bin holds its end): how many, their mean, the share that happened,
    and the exact interval of that share."""

    low: float
    high: float
    count: int
    predicted: float
    happened: float
    happened_low: float
    happened_high: float


def reliability(
    predicted: ArrayLike, happened: ArrayLike, *, bins: int = 10, delta: float = 0.05
) -> tuple[ReliabilityBin, ...]:
    """The reliability table: bins of equal width that hold anything, lowest first. Raises `ValueError`.

    Source: A. Murphy, R. Winkler, "Reliability of subjective probability forecasts", Applied Statistics 26, 1977.
    """
    from understudy.stats.binomial import interval  # brings scipy

    probability, outcome = _checked(predicted, happened)
    if bins < 1:
        raise ValueError(f"at least one bin, got {bins}")
    which = np.minimum((probability * bins).astype(int), bins - 1)
    table = []
    for number in np.unique(which):
        inside = which == number
        count, hits = int(inside.sum()), int(outcome[inside].sum())
        low, high = interval(hits, count, delta=delta)
        table.append(
            ReliabilityBin(
                low=float(number) / bins,
                high=float(number + 1) / bins,
                count=count,
                predicted=float(probability[inside].mean()),
                happened=hits / count,
                happened_low=low,
                happened_high=high,
            )
        )
    return tuple(table)


def expected_calibration_error(predicted: ArrayLike, happened: ArrayLike, *, bins: int = 10) -> float:
    """The mean distance between probability and share over bins of equal width, in [0, 1]; 0 is honest.

    Biased upwards where bins hold few. Source: M. Naeini, G. Cooper, M. Hauskrecht, AAAI 2015.
    """
    probability, outcome = _checked(predicted, happened)
    which = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = np.bincount(which, weights=probability - outcome, minlength=bins)
    return float(np.abs(gaps).sum() / probability.size)


def brier_score(predicted: ArrayLike, happened: ArrayLike) -> float:
    """The mean squared distance between probability and outcome, in [0, 1]; 0 is perfect. Source: G. Brier, 1950."""
    probability, outcome = _checked(predicted, happened)
    return float(((probability - outcome) ** 2).mean())


def log_loss(predicted: ArrayLike, happened: ArrayLike) -> float:
    """The mean surprise in nats, >= 0; infinite where something ruled out happened."""
    probability, outcome = _checked(predicted, happened)
    with np.errstate(divide="ignore"):
        surprise = -np.log(np.where(outcome == 1.0, probability, 1.0 - probability))
    return float(surprise.mean()) + 0.0


def auroc(predicted: ArrayLike, happened: ArrayLike) -> float | None:
    """How often one that happened had the higher number than one that did not, ties counting half, in [0, 1].

    Any scores will do. `None` where all or none happened. By the rank sum of Mann and Whitney, 1947.
    """
    score, outcome = np.asarray(predicted, dtype=np.float64), np.asarray(happened, dtype=np.float64)
    hits = outcome == 1.0
    if not hits.any() or hits.all():
        return None
    _, which, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[which]
    positives = int(hits.sum())
    pairs = positives * (score.size - positives)
    return float((ranks[hits].sum() - positives * (positives + 1) / 2) / pairs)


def _checked(predicted: ArrayLike, happened: ArrayLike) -> tuple[Floats, Floats]:
    probability, outcome = np.asarray(predicted, dtype=np.float64), np.asarray(happened, dtype=np.float64)
    if probability.ndim != 1 or probability.shape != outcome.shape or not probability.size:
        raise ValueError(f"one outcome per probability, at least one; got {probability.shape} and {outcome.shape}")
    if not np.all((probability >= 0.0) & (probability <= 1.0)):
        raise ValueError("probabilities must be in [0, 1]")
    if not np.isin(outcome, (0.0, 1.0)).all():
        raise ValueError("outcomes must be 0 or 1")
    return probability, outcome
