"""Quantiles of values that were only counted in bins, with intervals that assume no distribution.

The interval is that of order statistics: how many of `n` values lie below the quantile `q` is binomial, here by its
normal approximation. Source: H. A. David, H. N. Nagaraja, "Order Statistics", 3rd ed., 2003, section 7.1. Inside a bin
values are taken to be spread evenly, so no figure is finer than its bin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from understudy.stats.proportion import z_of

Bin = tuple[float, float, int]
"""From, to, and how many values lie between."""


def quantile(bins: Sequence[Bin], q: float, *, delta: float = 0.05) -> tuple[float, float, float]:
    """The quantile `q`, in (0, 1), of counted values, and its interval of confidence 1 − `delta`.

    Bins need no order and must not overlap. Raises `ValueError` where nothing was counted.
    """
    if not 0.0 < q < 1.0:
        raise ValueError(f"q must be in (0, 1), got {q}")
    ordered = sorted(one for one in bins if one[2] > 0)
    total = sum(count for _, _, count in ordered)
    if not total:
        raise ValueError("there is no quantile of nothing")
    middle, margin = total * q, z_of(delta) * math.sqrt(total * q * (1.0 - q))
    return _at(ordered, middle), _at(ordered, middle - margin), _at(ordered, middle + margin)


def _at(ordered: Sequence[Bin], rank: float) -> float:
    """The value below which `rank` values lie; the lowest or highest where the rank is beyond them."""
    below = 0.0
    for low, high, count in ordered:
        if rank <= below + count:
            return low + (high - low) * max(0.0, rank - below) / count
        below += count
    return ordered[-1][1]
