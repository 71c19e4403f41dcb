"""Means over runs, with intervals, of what became of each slice and of all; one run has no interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from understudy.simulation.tally import Tally

OVERALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over `runs`, and the interval that holds it with 95 % confidence (Student's t); None where it is unknown."""

    mean: float | None
    low: float | None = None
    high: float | None = None
    runs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSummary:
    """One slice, or all together, over the runs.

    `automation`: share of drafts that left by themselves. `risk`: their mean loss in truth, whether seen or not. `promoted`:
    share of slices that ever were, `promoted_on` the day, of those. `bad_before_demotion`, `sent_before_demotion`:
    replies between a regression and the fall after it, where there was autonomy to lose, and `demoted` the share of those
    that fell at all. `false_promotions`, `falls_for_nothing`: how many a run. `fixed_*`: the plain threshold on the same
    drafts.
    """

    name: str
    risk_max: float | None
    drafts: Estimate
    automation: Estimate
    risk: Estimate
    promoted: Estimate
    promoted_on: Estimate
    bad_before_demotion: Estimate
    sent_before_demotion: Estimate
    demoted: Estimate
    reviews: Estimate
    audits: Estimate
    complaints: Estimate
    false_promotions: Estimate
    falls_for_nothing: Estimate
    fixed_automation: Estimate
    fixed_risk: Estimate
    fixed_bad_after: Estimate


def summarised(runs: Sequence[Sequence[Tally]]) -> tuple[SliceSummary, ...]:
    """Each slice in the order of the runs' tallies, then all of them together. At least one run."""
    by_slice = [list(tallies) for tallies in zip(*runs, strict=True)]
    slices = [_summary(own[0].name, own[0].risk_max, [[tally] for tally in own]) for own in by_slice]
    return (*slices, _summary(OVERALL, None, runs))


def estimate(values: Iterable[float | None]) -> Estimate:
    """The mean of those that are known, and its interval if there are two or more."""
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    if not known.size:
        return Estimate(mean=None)
    mean = float(known.mean())
    if known.size == 1:
        return Estimate(mean=mean, runs=1)
    half = float(stdtrit(known.size - 1, 0.975)) * float(known.std(ddof=1)) / math.sqrt(known.size)
    return Estimate(mean=mean, low=mean - half, high=mean + half, runs=int(known.size))


def _summary(name: str, risk_max: float | None, runs: Sequence[Sequence[Tally]]) -> SliceSummary:
    def over(value: Callable[[Sequence[Tally]], float | None]) -> Estimate:
        return estimate(value(tallies) for tallies in runs)

    def total(count: Callable[[Tally], float]) -> Estimate:
        return over(lambda tallies: sum(count(one) for one in tallies))

    def mean(value: Callable[[Tally], float | None]) -> Estimate:
        return over(lambda tallies: _mean(value(one) for one in tallies))

    return SliceSummary(
        name=name,
        risk_max=risk_max,
        drafts=total(lambda one: one.drafts),
        automation=over(lambda all_: _ratio(sum(one.automatic for one in all_), sum(one.drafts for one in all_))),
        risk=over(lambda all_: _ratio(sum(one.loss for one in all_), sum(one.automatic for one in all_))),
        promoted=mean(lambda one: float(one.promoted_on is not None)),
        promoted_on=mean(lambda one: one.promoted_on),
        bad_before_demotion=mean(lambda one: one.bad_after if one.alone_at_regression else None),
        sent_before_demotion=mean(lambda one: one.sent_after if one.alone_at_regression else None),
        demoted=mean(lambda one: float(one.caught_on is not None) if one.alone_at_regression else None),
        reviews=total(lambda one: one.reviews),
        audits=total(lambda one: one.audits),
        complaints=total(lambda one: one.complaints),
        false_promotions=total(lambda one: one.is_false),
        falls_for_nothing=total(lambda one: one.falls_for_nothing),
        fixed_automation=over(
            lambda all_: _ratio(sum(one.fixed_automatic for one in all_), sum(one.drafts for one in all_))
        ),
        fixed_risk=over(
            lambda all_: _ratio(sum(one.fixed_loss for one in all_), sum(one.fixed_automatic for one in all_))
        ),
        fixed_bad_after=mean(lambda one: one.fixed_bad_after if one.alone_at_regression else None),
    )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None
