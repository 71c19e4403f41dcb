"""Watch audited replies for a risk above the target; what to audit and when to demote stands in `learning/`.

A Shiryaev–Roberts e-detector: at every delivered reply a new bet starts that the risk has just risen, and all of them
grow or shrink with each audited loss. While the mean loss is at most the target, the expected sum of all bets is at most
the sum of the audit rates, so an alarm at 1,000 comes on average no sooner than after 1,000 audits, whatever rule
chooses the rates, as long as each rate is fixed before its reply is looked at.

Sources: J. Shin, A. Ramdas, A. Rinaldo, "E-detectors: a nonparametric framework for sequential change detection",
arXiv 2203.03532; M. Pollak, "Average run lengths of an optimal method of detecting a change in distribution", Ann.
Statist. 15, 1987.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from understudy.stats.betting import Floats, checked_target, from_stored

CHANCE_OF_COMPLAINTS: Final = 1.2
"""The complaint rate that is still as usual, as a multiple of the historical one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """What is fixed while a slice is watched.

    `target`: the mean loss, in (0, 1), that is still allowed. `multiples`: risks to bet on, as multiples of it, > 1; one
    that would pass halfway between target and 1 is bet on there. `alarm`: the statistic that means *demote*, and the
    least mean number of audits to a false alarm. `stir`: the statistic that starts a burst of audits. Raises
    `ValueError`.
    """

    target: float
    multiples: tuple[float, ...] = (1.5, 2.0, 3.0, 5.0)
    alarm: float = 1000.0
    stir: float = 150.0

    def __post_init__(self) -> None:
        checked_target(self.target)
        if not self.multiples or any(multiple <= 1.0 for multiple in self.multiples):
            raise ValueError(f"multiples of the target must be above 1, got {self.multiples}")
        if not 1.0 < self.stir <= self.alarm:
            raise ValueError(f"needed: 1 < stir <= alarm, got {self.stir} and {self.alarm}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """All that the detector knows; plain finite numbers, so JSON carries it exactly.

    `log_mass`: for each risk bet on, the log of its bets' sum, `None` before the first. `audited`: losses seen.
    `expected`: the sum of audit rates so far, the clock of the guarantee.
    """

    log_mass: tuple[float | None, ...]
    delivered: int = 0
    audited: int = 0
    loss_sum: float = 0.0
    expected: float = 0.0

    @property
    def statistic(self) -> float:
        """log of the detector's value; −inf before the first reply. Compare with log(alarm)."""
        return float(statistic(from_stored(self.log_mass)))


def complaint_detector(historical_rate: float, *, alarm: float = 2e4) -> Detector:
    """A detector of complaints per delivered reply above 1.2 × `historical_rate` (in (0, 0.8)).

    Every reply counts as audited: feed it with rate 1 and loss 1 for a reply that was complained of. It only starts
    bursts; after it fired it starts anew. `alarm`: replies between false bursts, at the least on average.
    """
    return Detector(target=CHANCE_OF_COMPLAINTS * historical_rate, alarm=alarm, stir=alarm)


def unstirred(detector: Detector) -> Watch:
    """The watch before the first delivered reply."""
    return Watch(log_mass=(None,) * len(detector.multiples))


def after(detector: Detector, watch: Watch, *, rate: float, loss: float | None) -> Watch:
    """The watch after one delivered reply that was to be audited with probability `rate`; `loss` is `None` if it was not.

    Raises `ValueError` for a rate outside [0, 1], or a loss where the rate was 0: for-cause reviews stay outside.
    """
    return after_all(detector, watch, ((rate, loss),))


def after_all(detector: Detector, watch: Watch, replies: Iterable[tuple[float, float | None]]) -> Watch:
    """The watch after several (rate, loss or `None`), in order: the same, bit for bit, as one by one.

    Plain floats, because four of them are done before numpy has begun; `step` and `log_ratios` are the same for arrays.
    """
    mass = [-math.inf if value is None else value for value in watch.log_mass]
    audited, loss_sum, expected = watch.audited, watch.loss_sum, watch.expected
    exp, log1p = math.exp, math.log1p
    count = 0
    for rate, loss in replies:
        if not 0.0 <= rate <= 1.0 or (loss is not None and rate == 0.0):
            raise ValueError(f"an audited reply needs an audit rate in (0, 1], got {rate}")
        if rate > 0.0:
            new = math.log(rate)
            mass = [new + log1p(exp(old - new)) if old < new else old + log1p(exp(new - old)) for old in mass]
        if loss is not None:
            mass = [value + ratio for value, ratio in zip(mass, _ratios(loss, detector), strict=True)]
            audited, loss_sum = audited + 1, loss_sum + loss
        count, expected = count + 1, expected + rate
    return Watch(
        log_mass=tuple(value if value > -math.inf else None for value in mass),
        delivered=watch.delivered + count,
        audited=audited,
        loss_sum=loss_sum,
        expected=expected,
    )


def cusum(detector: Detector, watch: Watch, losses: Iterable[float]) -> Watch:
    """The watch after further losses, all seen, that keeps for each risk only its best bet instead of the sum of all.

    Never above the sum. While all is well the sum settles at some tens, so that only high alarms say anything; this
    stays near 1, and 20 is strong evidence. Source: E. Page, "Continuous inspection schemes", Biometrika 41, 1954.
    """
    mass = [-math.inf if value is None else value for value in watch.log_mass]
    count, loss_sum = 0, watch.loss_sum
    for loss in losses:
        mass = [max(value, 0.0) + ratio for value, ratio in zip(mass, _ratios(loss, detector), strict=True)]
        count, loss_sum = count + 1, loss_sum + loss
    return replace(
        watch,
        log_mass=tuple(value if value > -math.inf else None for value in mass),
        delivered=watch.delivered + count,
        audited=watch.audited + count,
        loss_sum=loss_sum,
        expected=watch.expected + count,
    )


@lru_cache(maxsize=1024)
def _ratios(loss: float, detector: Detector) -> tuple[float, ...]:
    return tuple(log_ratios(loss, detector).tolist())


def is_alarmed(detector: Detector, watch: Watch) -> bool:
    """Whether the slice has to be demoted."""
    return watch.statistic >= math.log(detector.alarm)


def risks(detector: Detector) -> tuple[float, ...]:
    """The mean losses bet on, in (target, 1)."""
    return tuple(min(multiple * detector.target, (1.0 + detector.target) / 2) for multiple in detector.multiples)


def log_ratios(losses: ArrayLike, detector: Detector) -> Floats:
    """What each audited loss in [0, 1] adds to the log-mass of each bet; the last axis has one column per bet.

    log(1 + stake × (loss − target)), stake (q − target)/(target(1 − target)): for losses of 0 and 1 the likelihood
    ratio of risk q against the target. Raises `ValueError` for a loss outside [0, 1].
    """
    loss, target = np.asarray(losses, dtype=np.float64), detector.target
    if not np.all((loss >= 0.0) & (loss <= 1.0)):
        raise ValueError(f"losses must be in [0, 1], got {losses!r}")
    stakes = (np.array(risks(detector)) - target) / (target * (1.0 - target))
    ratios: Floats = np.log1p(stakes * (loss[..., None] - target))
    return ratios


def step(log_mass: Floats, rates: ArrayLike) -> Floats:
    """Start a new bet at each delivered reply, worth its audit rate; `log_mass` (..., bets), `rates` (...)."""
    with np.errstate(divide="ignore"):
        started: Floats = np.logaddexp(log_mass, np.log(np.asarray(rates, dtype=np.float64))[..., None])
    return started


def statistic(log_mass: Floats) -> Floats:
    """log of the mean mass over the last axis."""
    total: Floats = np.logaddexp.reduce(log_mass, axis=-1) - math.log(log_mass.shape[-1])
    return total
