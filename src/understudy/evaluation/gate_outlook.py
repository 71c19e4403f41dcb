"""What more would decide a gate, if the differences went on as they are: an estimate for people, no promise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np

from understudy.stats.gate import STAKES

PAIRS_SHOWN_MAX: Final = 20_000


class Terms(Protocol):
    """The part of a gate's terms that an outlook needs."""

    @property
    def margin(self) -> float: ...
    @property
    def delta(self) -> float: ...


def outlook(differences: Sequence[float], cases: int, terms: Terms) -> list[str]:
    """How many pairs more, in words; nothing where the bets are won already."""
    if not differences:
        return ["results of the same cases from both"]
    values = np.asarray(differences)
    needed = [
        more
        for payoff in (terms.margin - values, values)
        if (more := pairs_more(payoff, delta=terms.delta)) is not None
    ]
    if not needed:
        lies = f"it lies between no change and the margin of {terms.margin:.1%}"
        return [f"no number of pairs, at this effect: {lies}; a wider margin would decide it"]
    more = min(needed)
    if more == 0:
        return []
    each = math.ceil(more / max(1, cases))
    if more > PAIRS_SHOWN_MAX:
        return [f"more than {PAIRS_SHOWN_MAX:,} pairs more at this effect; a wider margin would decide it sooner"]
    return [f"about {more} more pairs if the effect stays ({each} more trials of each of {max(1, cases)} cases)"]


def pairs_more(payoff: np.ndarray[tuple[int], np.dtype[np.float64]], *, delta: float) -> int | None:
    """Further pairs after which a bet on these payoffs is won, if they went on as they are; None: at that rate never."""
    growth = np.log1p(np.array(STAKES)[:, None] * payoff).sum(axis=1)
    wanted = math.log(len(STAKES) / delta)
    best = float("inf")
    for sum_now in growth:
        rate = float(sum_now) / payoff.size
        if float(sum_now) >= wanted:
            return 0
        if rate > 1e-9:
            best = min(best, (wanted - float(sum_now)) / rate)
    return None if best == float("inf") else math.ceil(best)
