"""How many labels a certificate will take at a given true risk, exactly; a forecast, never a part of the certificate.

By dynamic programming over the number of bad labels: no simulation, no approximation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from understudy.stats.betting import FIVE_BETS, Bets, Floats, checked_target, labels_needed, level

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What labels of 0 or 1 at a true `risk` will lead to.

    `certified_by[n]`: the probability of a certificate within n labels, n = 0 … horizon.
    """

    risk: float
    certified_by: Floats

    def labels_for(self, probability: float) -> int | None:
        """The fewest labels that certify with this probability; `None` where the horizon is too short."""
        reached = np.flatnonzero(self.certified_by >= probability)
        return int(reached[0]) if reached.size else None

    @property
    def mean_labels(self) -> float:
        """The mean number of labels used up to the horizon, where those without a certificate count as the horizon."""
        return float((1.0 - self.certified_by[:-1]).sum())


def outlook(risk: float, *, target: float, delta: float, horizon: int, bets: Bets = FIVE_BETS) -> Outlook:
    """Compute the outlook for labels of 0 or 1, independent with probability `risk` (in [0, 1]) of 1.

    Time grows with horizon²; 3,000 labels take some hundredths of a second.
    """
    allowed = most_bad(horizon, target=target, delta=delta, bets=bets)
    return Outlook(risk=risk, certified_by=certified_by(risk, allowed))


def certified_by(risk: float, allowed: Counts) -> Floats:
    """The probability that a rule has certified within n labels, n = 0 … len(allowed) − 1, at a true `risk` in [0, 1].

    The rule, any rule for labels of 0 or 1: certify at n labels when at most `allowed[n]` are bad (−1 where never).
    """
    if not 0.0 <= risk <= 1.0:
        raise ValueError(f"risk must be in [0, 1], got {risk}")
    horizon = len(allowed) - 1
    alive = np.zeros(int(allowed.max(initial=-1)) + _spread(horizon, risk))
    alive[0], lost, found = 1.0, 0.0, np.zeros(horizon + 1)
    for count in range(1, horizon + 1):
        lost += alive[-1] * risk  # too many bad labels to ever come back within the horizon
        alive[1:] = alive[1:] * (1.0 - risk) + alive[:-1] * risk
        alive[0] *= 1.0 - risk
        alive[: max(0, allowed[count] + 1)] = 0.0
        found[count] = 1.0 - alive.sum() - lost
    return np.clip(np.maximum.accumulate(found), 0.0, 1.0)


def most_bad(horizon: int, *, target: float, delta: float, bets: Bets = FIVE_BETS) -> Counts:
    """The most bad labels that certify at each number of labels, 0 … horizon; −1 where not even 0 do."""
    found = np.full(horizon + 1, -1, dtype=np.int64)
    bad = 0
    while (needed := labels_needed(bad, target=target, delta=delta, bets=bets)) <= horizon:
        found[needed:] = bad
        bad += 1
    return found


def wald_limit(risk: float, *, target: float, delta: float) -> float:
    """The least mean number of labels of any valid test, even one that knows the risk: log(1/delta)/KL(risk, target).

    Source: A. Wald 1945; infinite at risk >= target.
    """
    if risk >= checked_target(target):
        return math.inf
    return level(delta) / divergence(risk, target)


def divergence(risk: float, target: float) -> float:
    """KL(risk, target) of Bernoulli losses, in nats."""
    bad = risk * math.log(risk / target) if risk > 0.0 else 0.0
    return bad + (1.0 - risk) * (math.log1p(-risk) - math.log1p(-target)) if risk < 1.0 else bad


def _spread(horizon: int, risk: float) -> int:
    """Counts above the certifying ones that are kept: all that are not absurd."""
    return min(horizon + 2, int(horizon * risk + 12 * math.sqrt(horizon * risk + 1)) + 32)
