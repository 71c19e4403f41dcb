"""What share of bad drafts reviewers notice, as a certificate may assume it, and what that costs in labels. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from understudy.records.autonomy import Targets
from understudy.records.reviewing import SeedCount
from understudy.stats.betting import labels_needed, observed_target
from understudy.stats.binomial import sensitivity_lower, upper

LEAST: Final = 0.01
"""Where not even one planted draft was caught; no number of labels certifies much at that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """The share of bad drafts noticed, at least; `is_measured` by so many `seeds`, or else assumed."""

    share: float
    is_measured: bool
    seeds: SeedCount


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """How many labels a certificate takes at the least with reviewers as they are, and with such as notice everything."""

    labels: int
    labels_at_best: int


def sensitivity_of(seeds: SeedCount, *, assumed: float, seeds_min: int) -> Sensitivity:
    """What may be assumed: the lower bound that enough planted drafts give (97.5 % confidence), else `assumed`."""
    if seeds.judged < seeds_min:
        return Sensitivity(share=assumed, is_measured=False, seeds=seeds)
    bound = sensitivity_lower(seeds.caught, seeds.judged)
    return Sensitivity(share=max(bound, LEAST), is_measured=True, seeds=seeds)


def measured(targets: Targets, seeds: SeedCount, *, seeds_min: int) -> Targets:
    """The targets of an epoch that begins now."""
    found = sensitivity_of(seeds, assumed=targets.sensitivity, seeds_min=seeds_min)
    return replace(targets, sensitivity=found.share)


def is_refuted(targets: Targets, seeds: SeedCount, *, seeds_min: int) -> bool:
    """Whether enough planted drafts show (97.5 % confidence) that reviewers notice less than these targets count on."""
    return seeds.judged >= seeds_min and upper(seeds.caught, seeds.judged, delta=0.025) < targets.sensitivity


def cost(targets: Targets, *, bad: int = 0) -> Cost:
    """The fewest labels with `bad` bad ones among them that certify the mean loss on one threshold."""
    risk, delta = targets.risk_max, targets.delta
    return Cost(
        labels=labels_needed(bad, target=observed_target(risk, targets.sensitivity), delta=delta),
        labels_at_best=labels_needed(bad, target=risk, delta=delta),
    )
