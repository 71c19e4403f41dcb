"""Where a ladder's thresholds stand and how its delta is shared, from past traffic and a prediction; no labels here.

Any design fixed before the epoch's first label keeps the guarantee; a good prediction only makes it quicker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from understudy.stats.ladder import COVERAGES

STRICTEST_SHARE: Final = 0.1
MAIN_SHARE: Final = 0.6
EARLY_SHARE: Final = 0.3
MAIN_AT: Final = 0.6
"""The main start stands at this part of the predicted coverage: far enough in to hold, far enough out to have labels."""
EARLY_AT: Final = 0.4
"""A second start for slices that are worse than predicted, so that few labels need not climb from the strictest."""


def thresholds_at(scores: ArrayLike, coverages: Sequence[float] = COVERAGES) -> tuple[float, ...]:
    """Thresholds that each cover (at least) the given share of past scores, strict to lax; equal ones are merged.

    `scores`: past traffic, 1-D, at least one. `coverages`: ascending, in (0, 1]. A draft is covered when its score is
    the threshold or more. With fewer distinct scores than coverages there are fewer thresholds, so ask for
    `coverage_of` what each covers.
    """
    past = np.sort(np.asarray(scores, dtype=np.float64))[::-1]
    if not past.size or np.isnan(past).any():
        raise ValueError("past scores are needed to place thresholds, and each must be a number")
    if any(not 0.0 < coverage <= 1.0 for coverage in coverages):
        raise ValueError(f"coverages must be in (0, 1], got {tuple(coverages)}")
    picks = np.ceil(np.array(sorted(coverages)) * past.size - 1e-9).astype(int) - 1
    return tuple(dict.fromkeys(past[np.maximum(picks, 0)].tolist()))


def coverage_of(thresholds: Sequence[float], scores: ArrayLike) -> tuple[float, ...]:
    """The share of `scores` that reaches each threshold, in [0, 1]."""
    past = np.asarray(scores, dtype=np.float64)
    return tuple((past[:, None] >= np.array(thresholds)).mean(axis=0).tolist())


def shares_for(coverages: Sequence[float], predicted: float) -> tuple[float, ...]:
    """Shares of delta for thresholds that cover so much, given the coverage predicted to hold the target, in [0, 1].

    0.1 on the strictest, 0.3 where 0.4 of the predicted coverage is, 0.6 where 0.6 of it is; shares that fall on one
    threshold add up. `coverage.coverage_at_risk` on the calibrator's own probabilities gives the prediction.
    """
    if not coverages:
        raise ValueError("no thresholds to share delta among")
    shares = [0.0] * len(coverages)
    shares[0] += STRICTEST_SHARE
    for share, part in ((MAIN_SHARE, MAIN_AT), (EARLY_SHARE, EARLY_AT)):
        nearest = min(range(len(coverages)), key=lambda k: (abs(coverages[k] - part * predicted), k))
        shares[nearest] += share
    return tuple(shares)
