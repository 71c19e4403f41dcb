"""Exact bounds for a probability from one look at a count; not for repeated looks (`betting.risk_upper` is).

Source: C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the
binomial", Biometrika 26, 1934, as quantiles of beta distributions.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

ASSUMED_SENSITIVITY: Final = 0.7
"""The share of bad drafts that reviewers are taken to find where nobody has measured it; say so beside the figure."""


def upper(bad: int, labels: int, *, delta: float) -> float:
    """A bound in [0, 1] that the probability exceeds in at most `delta` of cases; 1 without labels."""
    _check(bad, labels, delta)
    from scipy import special  # takes a while to import, and no turn needs it

    return 1.0 if bad == labels else float(special.betaincinv(bad + 1, labels - bad, 1.0 - delta))


def lower(bad: int, labels: int, *, delta: float) -> float:
    """A bound in [0, 1] that the probability falls below in at most `delta` of cases; 0 without labels."""
    _check(bad, labels, delta)
    from scipy import special

    return 0.0 if bad == 0 else float(special.betaincinv(bad, labels - bad + 1, delta))


def interval(bad: int, labels: int, *, delta: float) -> tuple[float, float]:
    """The central two-sided interval, `delta`/2 on each side."""
    return lower(bad, labels, delta=delta / 2), upper(bad, labels, delta=delta / 2)


def zero_upper(labels: int, *, delta: float) -> float:
    """What zero in `labels` (>= 1) rules out: 1 − delta^(1/labels), about 3.0/labels at 5 %."""
    _check(0, labels, delta)
    if labels < 1:
        raise ValueError("zero in zero labels rules out nothing")
    return -math.expm1(math.log(delta) / labels)


def sensitivity_lower(caught: int, seeded: int, *, delta: float = 0.025) -> float:
    """At least this share of bad drafts is found by reviewers who caught so many of the seeded, known-bad ones.

    `ASSUMED_SENSITIVITY` where none were seeded. A result of 0 (none caught) cannot certify anything.
    """
    return lower(caught, seeded, delta=delta) if seeded else ASSUMED_SENSITIVITY


def at_most_p(bad: ArrayLike, labels: ArrayLike, *, target: float) -> NDArray[np.float64]:
    """p-values of "the probability is at least `target`": P(at most `bad` of `labels` | target); arrays broadcast."""
    count = np.asarray(labels, dtype=np.float64)
    lost = np.asarray(bad, dtype=np.float64)
    if np.any(lost < 0) or np.any(lost > count):
        raise ValueError(f"bad must be between 0 and labels, got {bad!r} of {labels!r}")
    # P(X <= k) = I_{1−p}(n − k, k + 1), and 1 where k = n.
    from scipy import special

    found = special.betainc(np.maximum(count - lost, 1e-300), lost + 1.0, 1.0 - target)
    return np.where(lost == count, 1.0, found)


def _check(bad: int, labels: int, delta: float) -> None:
    if not 0 <= bad <= labels:
        raise ValueError(f"bad must be between 0 and labels, got {bad} of {labels}")
    if not 0.0 < delta < 1.0:
        raise ValueError(f"delta must be in (0, 1), got {delta}")
