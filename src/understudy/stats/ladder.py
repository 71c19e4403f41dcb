"""Thresholds on a score, strict to lax, and the laxest above which the mean loss is certified; it picks no labels.

Each threshold has a wealth of its own, fed by every label whose score reaches it. A threshold is certified when its
highest wealth so far passes its share of delta, plus the shares of the certified thresholds just before it: the fallback
procedure (B. Wiens, A. Dmitrienko, "The fallback procedure for evaluating a single family of hypotheses", J.
Biopharm. Stat. 15, 2005) on running maxima of e-processes. The probability that any certified threshold has a mean loss
of the target or more is at most delta, at every time, whatever the dependence between thresholds: each true hypothesis
is tested at no more than the sum of the shares since the true one before it, so a union bound and Ville do.

Thresholds and shares are fixed before the first label. A share of 1 on the strictest is fixed-sequence testing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from understudy.stats.betting import (
    FIVE_BETS,
    Bets,
    Floats,
    checked_target,
    from_stored,
    gains,
    level,
    log_mixture,
    to_stored,
)

COVERAGES: Final = tuple(part / 20 for part in range(4, 21))
"""Shares of past traffic above each default threshold, strict to lax: 0.20, 0.25 … 1.00. Neighbours cost no delta, and
with every other one of them a certified coverage is up to a quarter less (`./dev bench autonomy`)."""
CHUNK: Final = 512
"""Labels that are worked on at once; bounds the memory of a batch, changes no result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """What is fixed for one epoch: thresholds, descending, their shares of `delta` (sum 1), target and bets.

    Raises `ValueError` for thresholds that do not strictly descend and for shares that are negative or sum to
    something else.
    """

    thresholds: tuple[float, ...]
    shares: tuple[float, ...]
    target: float
    delta: float = 0.05
    bets: Bets = FIVE_BETS

    def __post_init__(self) -> None:
        checked_target(self.target)
        level(self.delta)
        if not self.thresholds or any(not a > b for a, b in zip(self.thresholds, self.thresholds[1:], strict=False)):
            raise ValueError(f"thresholds must descend, strict to lax, got {self.thresholds}")
        if len(self.shares) != len(self.thresholds) or any(share < 0 for share in self.shares):
            raise ValueError(f"one share >= 0 for each threshold, got {self.shares} for {self.thresholds}")
        if not math.isclose(math.fsum(self.shares), 1.0):
            raise ValueError(f"shares must sum to 1, got {math.fsum(self.shares)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rungs:
    """What the labels so far have shown about each threshold, strict to lax.

    `labels`, `loss_sums`: those whose score reached it. `log_wealth`: threshold by threshold, one for each bet, `None`
    where it is ruined. `log_peaks`: the highest log-wealth at any label, 0 at the start.
    Plain finite numbers: JSON carries them exactly; the same labels in the same order give them again.
    """

    labels: tuple[int, ...]
    loss_sums: tuple[float, ...]
    log_wealth: tuple[float | None, ...]
    log_peaks: tuple[float, ...]


def foot(ladder: Ladder) -> Rungs:
    """The rungs before the first label."""
    count = len(ladder.thresholds)
    return Rungs(
        labels=(0,) * count,
        loss_sums=(0.0,) * count,
        log_wealth=(0.0,) * (count * len(ladder.bets.fractions)),
        log_peaks=(0.0,) * count,
    )


def climb(ladder: Ladder, rungs: Rungs, scores: ArrayLike, losses: ArrayLike) -> Rungs:
    """The rungs after further labels in draft order: `scores` (higher is better) and `losses` in [0, 1], 1-D each.

    In one call or one by one gives the same rungs. Raises `ValueError` for a loss outside [0, 1] or a score that is no
    number.
    """
    score, loss = np.asarray(scores, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    if score.ndim != 1 or score.shape != loss.shape or np.isnan(score).any():
        raise ValueError(f"one score and one loss for each label; got {score.shape} scores and {loss.shape} losses")
    wealth = from_stored(rungs.log_wealth).reshape(len(ladder.thresholds), -1)
    peaks = np.array(rungs.log_peaks)
    for start in range(0, score.size, CHUNK):
        part = slice(start, start + CHUNK)
        paths = wealth_paths(ladder, score[part], loss[part], start=wealth)
        wealth = paths[-1]
        summits = paths[np.append(loss[part][1:] > 0.0, True)]  # before a loss of 0 nothing is at its highest
        peaks = np.maximum(peaks, log_mixture(summits, ladder.bets).max(axis=0))
    reached = score[:, None] >= np.array(ladder.thresholds)
    sums = np.cumsum(np.vstack([rungs.loss_sums, np.where(reached, loss[:, None], 0.0)]), axis=0)[-1]
    return Rungs(
        labels=tuple((np.array(rungs.labels) + reached.sum(axis=0)).tolist()),
        loss_sums=tuple(sums.tolist()),
        log_wealth=to_stored(wealth.reshape(-1)),
        log_peaks=tuple(peaks.tolist()),
    )


def wealth_paths(ladder: Ladder, scores: Floats, losses: Floats, *, start: Floats | float = 0.0) -> Floats:
    """Log-wealth after each label: shape (..., labels, thresholds, bets) for `scores` and `losses` (..., labels)."""
    reached = scores[..., None] >= np.array(ladder.thresholds)
    steps = np.where(
        reached[..., None], gains(losses, target=ladder.target, bets=ladder.bets)[..., None, :], 0.0
    )  # fmt: skip
    steps[..., 0, :, :] += start
    paths: Floats = np.cumsum(steps, axis=-3)
    return paths


def standing(ladder: Ladder, rungs: Rungs) -> tuple[bool, ...]:
    """Which thresholds are certified, strict to lax; sticky, because wealth counts at its highest."""
    return tuple(fallback(-np.array(rungs.log_peaks), ladder.shares, ladder.delta).tolist())


def certified_threshold(ladder: Ladder, rungs: Rungs) -> float | None:
    """The laxest certified threshold; `None` where there is none."""
    held = [threshold for threshold, is_held in zip(ladder.thresholds, standing(ladder, rungs), strict=True) if is_held]
    return held[-1] if held else None


def fallback(log_p: Floats, shares: Sequence[float], delta: float) -> NDArray[np.bool_]:
    """The weighted fallback over the last axis of log p-values, or of −log-wealth: which hypotheses are rejected.

    Hypothesis k is tested at shares[k]·delta, plus the whole level of the one before if that was rejected.
    """
    rejected = np.zeros(log_p.shape, dtype=np.bool_)
    carried = np.zeros(log_p.shape[:-1])
    for k, share in enumerate(shares):
        spent = share * delta + carried
        with np.errstate(divide="ignore"):
            rejected[..., k] = (spent > 0.0) & (log_p[..., k] <= np.log(spent))
        carried = np.where(rejected[..., k], spent, 0.0)
    return rejected


def one_look(
    ladder: Ladder, scores: ArrayLike, bad: ArrayLike, *, correction: Literal["fallback", "bonferroni"] = "fallback"
) -> tuple[bool, ...]:
    """Which thresholds one single, pre-declared look at labels of 0 or 1 certifies, by exact binomial p-values.

    More than the anytime ladder certifies from the same labels, and worth nothing when it is repeated. Source:
    A. Angelopoulos et al., "Learn then Test", arXiv 2110.01052; `fallback` with all of the share on the strictest
    threshold is its fixed-sequence testing. Raises `ValueError` for a loss other than 0 or 1.
    """
    from understudy.stats.binomial import at_most_p  # brings scipy

    score, lost = np.asarray(scores, dtype=np.float64), np.asarray(bad, dtype=np.float64)
    if not np.isin(lost, (0.0, 1.0)).all():
        raise ValueError("a single look by exact binomial needs losses of 0 or 1; graded ones go up the ladder")
    reached = score[:, None] >= np.array(ladder.thresholds)
    p = at_most_p((reached & (lost[:, None] == 1.0)).sum(axis=0), reached.sum(axis=0), target=ladder.target)
    if correction == "bonferroni":
        return tuple((p <= ladder.delta / len(ladder.thresholds)).tolist())
    with np.errstate(divide="ignore"):
        return tuple(fallback(np.log(p), ladder.shares, ladder.delta).tolist())
