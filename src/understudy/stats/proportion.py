"""Shares of counts with intervals, and whether two shares differ; for one look at each, not for repeated looks.

Sources: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927; for the
difference R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison of eleven
methods", Statistics in Medicine 17, 1998, method 10. Closed forms, since a page shows hundreds of them; where a promise
rests on a count, `binomial` has the exact bounds.
"""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist

__all__ = ["difference", "wilson", "z_of"]


@cache
def z_of(delta: float) -> float:
    """The normal quantile of a two-sided interval of confidence 1 − `delta`, `delta` in (0, 1)."""
    if not 0.0 < delta < 1.0:
        raise ValueError(f"delta must be in (0, 1), got {delta}")
    return NormalDist().inv_cdf(1.0 - delta / 2.0)


def wilson(count: int, of: int, *, delta: float = 0.05) -> tuple[float, float]:
    """Wilson's score interval for a share, inside [0, 1]; (0, 1) of none. Raises `ValueError` for a count outside 0…`of`."""
    if not 0 <= count <= of:
        raise ValueError(f"count must be between 0 and of, got {count} of {of}")
    if of == 0:
        return 0.0, 1.0
    z, share = z_of(delta), count / of
    shrunk = 1.0 + z * z / of
    centre = (share + z * z / (2 * of)) / shrunk
    margin = z / shrunk * math.sqrt(share * (1.0 - share) / of + z * z / (4.0 * of * of))
    low = 0.0 if count == 0 else max(0.0, centre - margin)
    high = 1.0 if count == of else min(1.0, centre + margin)
    return low, high


def difference(count: int, of: int, was: int, was_of: int, *, delta: float = 0.05) -> tuple[float, float]:
    """Newcombe's interval for share minus former share, inside [−1, 1]; it leaves 0 out where the two differ for sure."""
    if not of or not was_of:
        return -1.0, 1.0
    share, former = count / of, was / was_of
    low, high = wilson(count, of, delta=delta)
    former_low, former_high = wilson(was, was_of, delta=delta)
    down = math.hypot(share - low, former_high - former)
    up = math.hypot(high - share, former - former_low)
    change = share - former
    return max(-1.0, change - down), min(1.0, change + up)
