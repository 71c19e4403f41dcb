"""Is a candidate worse than its baseline by a margin, decided pair by pair with as few runs as possible; it runs none.

A pair is d = the candidate's loss on a case − the baseline's, in [−1, 1], the baseline's being one trial or the mean of
cached ones. Two bets run at once: against "mean d >= margin", whose success is a pass, and against "mean d <= 0", whose
success is a fail. The first to reach 1/delta decides; each error is at most delta however long the run goes on, for
cases drawn at random. With cached means the promise is about the baseline *as it was seen*: its own sampling error comes
on top, and at 10 trials of each of 300 cases takes the error at the margin from 3.4 to 5.1 %.
Source: Waudby-Smith & Ramdas, arXiv 2010.09686, section 4, with a grid of stakes as the mixture.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from understudy.stats.betting import Floats, from_stored, level, to_stored
from understudy.stats.sprt import Outcome

STAKES: Final = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 0.9)
"""Shares of the wealth that are bet; the wealth is their plain mean."""
CHUNK: Final = 256
"""Pairs that are worked on at once; changes no result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What is fixed before the run. `margin`: the mean d, in (0, 1], that is one too much. `pairs_max`: where it ends
    without a decision, which is not a pass. Raises `ValueError`."""

    margin: float = 0.03
    delta: float = 0.05
    pairs_max: int = 3000

    def __post_init__(self) -> None:
        level(self.delta)
        if not 0.0 < self.margin <= 1.0 or self.pairs_max < 1:
            raise ValueError(f"needed: a margin in (0, 1] and at least one pair, got {self.margin}, {self.pairs_max}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """All that the pairs so far have shown; plain finite numbers, so JSON carries it exactly.

    `outcome` stays once it is decided, and `pairs` counts what was used up to then; `differences` is their sum.
    """

    pairs: int = 0
    differences: float = 0.0
    log_pass: tuple[float | None, ...] = (0.0,) * len(STAKES)
    log_fail: tuple[float | None, ...] = (0.0,) * len(STAKES)
    outcome: Outcome = Outcome.INCONCLUSIVE

    @property
    def mean(self) -> float:
        """The mean difference; 0 without pairs."""
        return self.differences / self.pairs if self.pairs else 0.0

    def progress(self, gate: Gate) -> tuple[float, float]:
        """How far the bets on a pass and on a fail are: log-wealth over log(1/delta); 1 decides."""
        passing, failing = (float(log_mean(from_stored(bets))) for bets in (self.log_pass, self.log_fail))
        return passing / level(gate.delta), failing / level(gate.delta)


def judge(gate: Gate, pairs: Pairs, differences: Iterable[float]) -> Pairs:
    """Judge further differences in the order drawn, up to the decision; those after it are not used.

    If both bets succeed at one pair it is a fail. Raises `ValueError` for a difference outside [−1, 1].
    """
    more = np.fromiter(differences, dtype=np.float64)
    for start in range(0, more.size, CHUNK):
        room = gate.pairs_max - pairs.pairs
        if pairs.outcome is not Outcome.INCONCLUSIVE or room <= 0:
            break
        pairs = _judged(gate, pairs, more[start : start + min(CHUNK, room)])
    return pairs


def _judged(gate: Gate, pairs: Pairs, more: Floats) -> Pairs:
    passing, failing = wealth_paths(gate, more, start=(from_stored(pairs.log_pass), from_stored(pairs.log_fail)))
    has_passed, has_failed = (log_mean(paths) >= level(gate.delta) for paths in (passing, failing))
    decided = np.flatnonzero(has_passed | has_failed)
    last = int(decided[0]) if decided.size else more.size - 1
    outcome = Outcome.INCONCLUSIVE
    if decided.size:
        outcome = Outcome.FAIL if has_failed[last] else Outcome.PASS
    return Pairs(
        pairs=pairs.pairs + last + 1,
        differences=float(np.cumsum(np.append(pairs.differences, more[: last + 1]))[-1]),
        log_pass=to_stored(passing[last]),
        log_fail=to_stored(failing[last]),
        outcome=outcome,
    )


def wealth_paths(
    gate: Gate, differences: Floats, *, start: tuple[Floats | float, Floats | float] = (0.0, 0.0)
) -> tuple[Floats, Floats]:
    """Log-wealth of each stake after each pair, for a pass and for a fail: (..., pairs, stakes) for (..., pairs)."""
    if not np.all(np.abs(differences) <= 1.0):
        raise ValueError(f"differences must be in [-1, 1], got {differences.min()} … {differences.max()}")
    found = []
    for payoff, begun in ((gate.margin - differences, start[0]), (differences, start[1])):
        steps = np.log1p(np.array(STAKES) * payoff[..., None])
        steps[..., 0, :] += begun
        found.append(np.cumsum(steps, axis=-2))
    return found[0], found[1]


def log_mean(log_wealth: Floats) -> Floats:
    """log of the mean wealth over the last axis."""
    found: Floats = np.logaddexp.reduce(log_wealth, axis=-1) - math.log(log_wealth.shape[-1])
    return found


def interval(differences: ArrayLike, *, delta: float = 0.05) -> tuple[float, float]:
    """Bounds for the mean difference, each wrong with probability at most `delta`, at any number of pairs.

    By inverting the gate's own bets: as long as the gate was not decided before the last of these pairs, it passes
    exactly when the upper bound is below the margin and fails exactly when the lower one is above 0. In [−1, 1]; the
    order of the pairs does not matter.
    """
    values, counts = np.unique(np.asarray(differences, dtype=np.float64), return_counts=True)
    if values.size and not (values[0] >= -1.0 and values[-1] <= 1.0):
        raise ValueError(f"differences must be in [-1, 1], got {values[0]} … {values[-1]}")
    wanted = level(delta)
    return -_upper(-values, counts, wanted), _upper(values, counts, wanted)


def _upper(values: Floats, counts: np.ndarray[tuple[int], np.dtype[np.int64]], wanted: float) -> float:
    """The least mean whose bet "the mean is at least this" is lost; the wealth grows with it, so halving finds it."""
    low, high = -1.0, 1.0
    for _ in range(44):
        mean = (low + high) / 2
        # Below 0 the payoff can fall under −1, so the stakes shrink with it; from 0 on they are the gate's own.
        stakes = np.array(STAKES) / (1.0 + max(0.0, -mean))
        wealth = (np.log1p(stakes[:, None] * (mean - values)) * counts).sum(axis=1)
        low, high = (low, mean) if float(log_mean(wealth)) >= wanted else (mean, high)
    return high


def clustered_error(differences: ArrayLike, clusters: Sequence[object]) -> float:
    """The standard error of the mean difference where pairs of one cluster (a case, a passage) resemble each other.

    For display only; the gate does not use it. sqrt(Σ over clusters (Σ (d − mean))²)/n. Source: E. Miller, "Adding
    error bars to evals", arXiv 2411.00640, section 2.2. Needs at least one pair.
    """
    values = np.asarray(differences, dtype=np.float64)
    if not values.size or len(clusters) != values.size:
        raise ValueError(f"one cluster for each difference, at least one; got {len(clusters)} for {values.size}")
    numbers: dict[object, int] = {}
    which = [numbers.setdefault(cluster, len(numbers)) for cluster in clusters]
    sums = np.bincount(which, weights=values - values.mean())
    return float(np.sqrt((sums**2).sum())) / values.size


def fixed_pairs(deviation: float, gate: Gate, *, power: float) -> int:
    """Pairs that a fixed-size, one-sided paired z-test of the same margin and error needs when nothing changed.

    ((z(1 − delta) + z(power)) × deviation/margin)², `deviation` being the standard deviation of d; what it costs to
    decide the usual way, and an estimate of what is missing where a run was inconclusive.
    """
    from statistics import NormalDist

    z = NormalDist().inv_cdf(1.0 - gate.delta) + NormalDist().inv_cdf(power)
    return math.ceil((z * deviation / gate.margin) ** 2)
