"""The drafts of a made-up slice over all its days, and what reviewers will say of them; who sees which is not known here.

Confidence is that of a calibrated score: a latent number is normal for bad drafts and normal, shifted, for good ones (the
binormal model; D. Green, J. Swets, "Signal Detection Theory and Psychophysics", 1966), and confidence is the probability
of *good* given that number, as long as the agent is as it was at the start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from understudy.simulation.world import Complaints, People, SliceWorld, World

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
DAY_S: Final = 86_400.0
LOSS_MINOR: Final = 0.2
LOSS_MAJOR: Final = 0.5
DELAY_SPREAD: Final = 1.0
"""Standard deviation of the log of a review's delay: two thirds come within a factor of e of the median."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafts:
    """All drafts of a slice in their order; one number of each array belongs to one draft.

    `at_s`: seconds from the start. `loss`, `is_severe`: the truth. `draw`: the audit's coin, in [0, 1). `label_*`: what
    a review would say, and when, if there is one; `reviewer` −1 where it comes too late, and so counts as bad.
    """

    at_s: Floats
    confidence: Floats
    loss: Floats
    is_severe: Flags
    draw: Floats
    label_at_s: Floats
    label_loss: Floats
    label_is_severe: Flags
    reviewer: NDArray[np.int64]
    is_complained_of: Flags

    @property
    def is_bad(self) -> Flags:
        return self.loss > 0.0


def drawn(of: SliceWorld, world: World, judged_within: timedelta, dice: np.random.Generator) -> Drafts:
    """Draw the drafts of all days; drafts that nobody judged within `judged_within` count as bad."""
    count = int(dice.poisson(of.per_day * world.days))
    at_s = np.sort(dice.random(count)) * (world.days * DAY_S)
    is_bad, confidence = _quality(of, at_s, dice)
    loss, is_severe = _losses(of, is_bad, dice)
    return Drafts(
        at_s=at_s,
        confidence=confidence,
        loss=loss,
        is_severe=is_severe,
        draw=dice.random(count),
        is_complained_of=_complaints(world.complaints, is_bad, dice),
        **_labels(world.people, at_s, loss, is_severe, judged_within.total_seconds(), dice),
    )


def true_risk(of: SliceWorld, threshold: float, *, at_day: float) -> tuple[float, float]:
    """The mean loss and the share of severe ones among drafts from this confidence on, as the agent is on that day.

    0 where no draft reaches the threshold.
    """
    worse = of.regression if of.regression is not None and at_day >= of.regression.day else None
    is_seen = worse is not None and worse.is_visible
    share = of.bad * worse.times if worse is not None and is_seen else of.bad
    bad, good = share * _reach(of, threshold, of_good=False), (1.0 - share) * _reach(of, threshold, of_good=True)
    if bad + good <= 0.0:
        return 0.0, 0.0
    risk = bad / (bad + good)
    if worse is not None and not is_seen:
        risk += (1.0 - risk) * _turned(of)
    return risk * of.loss_of_bad, risk * of.severe_of_bad


def _quality(of: SliceWorld, at_s: Floats, dice: np.random.Generator) -> tuple[Flags, Floats]:
    """Which drafts are bad, and the confidence of each."""
    worse = of.regression
    is_late = np.zeros(at_s.size, dtype=np.bool_) if worse is None else at_s >= worse.day * DAY_S
    share = np.where(is_late, of.bad * worse.times, of.bad) if worse is not None and worse.is_visible else of.bad
    shows_bad = dice.random(at_s.size) < share
    latent = dice.standard_normal(at_s.size) + np.where(shows_bad, 0.0, _shift(of))
    log_odds = math.log((1.0 - of.bad) / of.bad) + _shift(of) * (latent - _shift(of) / 2)
    confidence = 1.0 / (1.0 + np.exp(-log_odds))
    turned = dice.random(at_s.size)
    if worse is None or worse.is_visible:
        return shows_bad, confidence
    return shows_bad | (is_late & (turned < _turned(of))), confidence


def _losses(of: SliceWorld, is_bad: Flags, dice: np.random.Generator) -> tuple[Floats, Flags]:
    kind, harm = dice.random(is_bad.size), dice.random(is_bad.size)
    graded = np.where(kind < of.minor, LOSS_MINOR, np.where(kind < of.minor + of.major, LOSS_MAJOR, 1.0))
    loss = np.where(is_bad, graded, 0.0)
    return loss, (loss == 1.0) & (harm < of.severe)


def _labels(
    people: People, at_s: Floats, loss: Floats, is_severe: Flags, within_s: float, dice: np.random.Generator
) -> dict[str, Any]:
    count, is_bad = at_s.size, loss > 0.0
    reviewer = dice.integers(people.count, size=count)
    passes = (dice.random(count) < people.missed) | (reviewer < people.lazy)
    median_s = people.delay_h * 3600.0 * np.where(is_bad, people.bad_delay, 1.0)
    delay_s = median_s * np.exp(DELAY_SPREAD * dice.standard_normal(count))
    is_late = (delay_s > within_s) | (dice.random(count) < people.unjudged)
    return {
        "label_at_s": at_s + np.where(is_late, within_s, delay_s),
        "label_loss": np.where(is_late, 1.0, np.where(passes, 0.0, loss)),
        "label_is_severe": is_severe & ~passes & ~is_late,
        "reviewer": np.where(is_late, -1, reviewer),
    }


def _complaints(of: Complaints, is_bad: Flags, dice: np.random.Generator) -> Flags:
    complains: Flags = dice.random(is_bad.size) < np.where(is_bad, of.bad, of.good)
    return complains


def _shift(of: SliceWorld) -> float:
    """How far the latent number of good drafts is above that of bad ones: √2 Φ⁻¹(AUROC)."""
    return math.sqrt(2.0) * float(ndtri(of.sharpness))


def _turned(of: SliceWorld) -> float:
    """The share of good drafts that an unseen regression turns bad."""
    return 0.0 if of.regression is None else of.bad * (of.regression.times - 1.0) / (1.0 - of.bad)


def _reach(of: SliceWorld, threshold: float, *, of_good: bool) -> float:
    """The share of good, or of bad, drafts whose confidence reaches the threshold."""
    shift = _shift(of)
    if threshold <= 0.0 or threshold >= 1.0:
        return float(threshold <= 0.0)
    wanted = math.log(threshold / (1.0 - threshold)) - math.log((1.0 - of.bad) / of.bad)
    if shift == 0.0:
        return float(wanted <= 1e-12)  # all have the same confidence
    return float(ndtr(-(wanted / shift + shift / 2 - (shift if of_good else 0.0))))
