"""What one epoch's labels have shown so far: thresholds certified, and whether the risk has risen since. Pure; it reads
no table, and what is to be done about it stands in `promotion.py`.

Labels are taken in the order of drafts up to the first that is still awaited (the watermark), never in the order in which
they came: bad drafts take longer, and counting the quick good ones first certifies what should not be. A conversation is
evidence once, by its first sampled draft, because its drafts stand or fall together; the later ones can only speak against.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache, reduce
from operator import add
from typing import Final

from understudy.records.autonomy import NOTHING_SAID, Candidate, Outcome, Targets
from understudy.stats.betting import observed_target, progress
from understudy.stats.detector import Detector, Watch, after_all, cusum, is_alarmed, unstirred
from understudy.stats.ladder import Ladder, Rungs, climb, foot, standing
from understudy.stats.ladder_design import coverage_of, shares_for, thresholds_at
from understudy.stats.watermark import before_watermark

SCORES_MIN: Final = 30
"""So many drafts must have a score before the thresholds are placed among them."""
PLAIN_THRESHOLDS: Final = (0.99, 0.97, 0.95, 0.9, 0.85, 0.8, 0.7, 0.5, 0.0)
"""Where there are fewer: these."""
REVIEWERS_KEPT: Final = 10
VETO_AT: Final = 20.0
"""A slice whose own labels speak that strongly against it does not profit from its topic's certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The state of an epoch's processes after so many labels; plain numbers, so that JSON carries it exactly.

    `thresholds` strict to lax and `shares` of delta were fixed before the first label. `mean` and `severe` are the
    evidence that the mean loss, and the share of severe ones, are below their targets; `watch` follows what left by
    itself, `veto` what people reviewed, a conversation's `repeats` included. `reviewers`: who gave the labels, the first few. `discounted` counts approvals
    that were no evidence because of who gave them.
    """

    thresholds: tuple[float, ...]
    shares: tuple[float, ...]
    mean: Rungs
    severe: Rungs
    watch: Watch
    veto: Watch
    labels: int = 0
    repeats: int = 0
    loss_sum: float = 0.0
    severe_count: int = 0
    timeouts: int = 0
    delivered: int = 0
    discounted: int = 0
    reviewers: tuple[str, ...] = ()
    first_at: datetime | None = None
    last_at: datetime | None = None


def begun(scores: Sequence[float], targets: Targets) -> Progress:
    """The progress before the first label, its thresholds placed among the scores of past drafts."""
    thresholds = thresholds_at(scores) if len(scores) >= SCORES_MIN else PLAIN_THRESHOLDS
    past = scores if len(scores) >= SCORES_MIN else thresholds
    return placed(thresholds, shares_for(coverage_of(thresholds, past), _predicted_coverage(past, targets)), targets)


def placed(thresholds: tuple[float, ...], shares: tuple[float, ...], targets: Targets) -> Progress:
    """The progress before the first label, with these thresholds, strict to lax, and shares of delta."""
    mean, severe = _ladders(thresholds, shares, targets)
    detector = _detector(targets)
    return Progress(
        thresholds=thresholds,
        shares=shares,
        mean=foot(mean),
        severe=foot(severe),
        watch=unstirred(detector),
        veto=unstirred(_veto(targets)),
    )


def settled(candidates: Iterable[Candidate], *, calibrator: str) -> list[Candidate]:
    """The drafts that may be counted: all up to the first whose label is still awaited.

    Drafts scored by another calibrator are passed over; those that need no label hold nothing up.
    """
    return before_watermark(
        candidates, lambda one: one.calibrator == calibrator and one.is_sampled and _is_awaited(one)
    )


def advance(before: Progress, candidates: Sequence[Candidate], targets: Targets, *, calibrator: str) -> Progress:
    """Count drafts in their order; they must be settled."""
    own = [candidate for candidate in candidates if candidate.calibrator == calibrator]
    heard = [candidate for candidate in own if _counts(candidate)]
    labelled = [candidate for candidate in heard if not candidate.is_repeat]
    labels = [candidate.label for candidate in labelled if candidate.label is not None]
    scores = [candidate.confidence for candidate in labelled]
    losses, severes = [label.loss for label in labels], [float(label.is_severe) for label in labels]
    mean, severe = _ladders(before.thresholds, before.shares, targets)
    by = dict.fromkeys([*before.reviewers, *(label.by for label in labels if label.by is not None)])
    first_at, last_at = _span(before, labelled)
    return replace(
        before,
        mean=climb(mean, before.mean, scores, losses) if scores else before.mean,
        severe=climb(severe, before.severe, scores, severes) if scores else before.severe,
        watch=_watched(before.watch, own, _detector(targets)),
        veto=_vetoed(before, heard, targets),
        labels=before.labels + len(labels),
        repeats=before.repeats + len(heard) - len(labelled),
        loss_sum=_added(before.loss_sum, losses),
        severe_count=before.severe_count + sum(label.is_severe for label in labels),
        timeouts=before.timeouts + sum(label.outcome is Outcome.TIMEOUT for label in labels),
        delivered=before.delivered + sum(candidate.is_delivered for candidate in own),
        discounted=before.discounted + sum(_is_discounted(candidate) for candidate in own),
        reviewers=tuple(by)[:REVIEWERS_KEPT],
        first_at=first_at,
        last_at=last_at,
    )


def certified(progress: Progress, targets: Targets) -> float | None:
    """The laxest threshold above which mean loss and severe share are both certified; None where there is none, or where
    what conversations went on with speaks against it."""
    both = [
        threshold
        for threshold, is_certified in zip(progress.thresholds, certified_at(progress, targets), strict=True)
        if is_certified
    ]
    return both[-1] if both else None


def certified_at(progress: Progress, targets: Targets) -> tuple[bool, ...]:
    """At which thresholds, strict to lax, mean loss and severe share are both certified; at none where what
    conversations went on with speaks against it."""
    if progress.repeats and is_vetoed(progress, targets):
        return (False,) * len(progress.thresholds)
    mean, severe = _ladders(progress.thresholds, progress.shares, targets)
    both = zip(standing(mean, progress.mean), standing(severe, progress.severe), strict=True)
    return tuple(is_mean and is_severe for is_mean, is_severe in both)


def to_go(done: Progress, targets: Targets) -> int:
    """How far the evidence of the better threshold is on its weaker constraint, of 100; 100 only where certified."""
    if certified(done, targets) is not None:
        return 100
    best = 0
    for share, mean, severe in zip(done.shares, done.mean.log_peaks, done.severe.log_peaks, strict=True):
        if share > 0.0:
            best = max(best, progress(min(mean, severe), share * targets.delta))
    return min(best, 99)


def watch_now(done: Progress, targets: Targets, unsettled: Iterable[Candidate] = ()) -> Watch:
    """The watch over what left by itself, by all audits so far.

    Labels beyond the watermark count as they came, and those still awaited as good: that can only delay an alarm.
    """
    return _watched(done.watch, unsettled, _detector(targets))


def is_alarm(watch: Watch, targets: Targets) -> bool:
    """Whether what left by itself is worse than promised."""
    return is_alarmed(_detector(targets), watch)


def is_stirred(watch: Watch, targets: Targets) -> bool:
    """Whether the detector is on its way up, so that more should be audited."""
    return watch.statistic >= math.log(_detector(targets).stir)


def is_vetoed(done: Progress, targets: Targets) -> bool:
    """Whether the slice's own labels speak against it."""
    return is_alarmed(_veto(targets), done.veto)


def _added(before: float, losses: Sequence[float]) -> float:
    """One after the other, so that a sum carried from call to call is the very same number."""
    return reduce(add, losses, before)


def _span(before: Progress, labelled: Sequence[Candidate]) -> tuple[datetime | None, datetime | None]:
    """From when to when the labelled drafts are: redrafts are in no order of time, so they can move either end."""
    live = [one.decided_at for one in labelled if one.redraft_of is None]
    first, last = before.first_at or (live[0] if live else None), live[-1] if live else before.last_at
    past = [one.decided_at for one in labelled if one.redraft_of is not None]
    if not past:
        return first, last
    return min([*past, *([first] if first else [])]), max([*past, *([last] if last else [])])


def _is_awaited(candidate: Candidate) -> bool:
    return candidate.label is None or candidate.awaits_second


def _counts(candidate: Candidate) -> bool:
    label = candidate.label
    return candidate.is_sampled and label is not None and label.outcome not in NOTHING_SAID


def _is_discounted(candidate: Candidate) -> bool:
    return candidate.is_sampled and candidate.label is not None and candidate.label.outcome is Outcome.DISCOUNTED


def _watched(watch: Watch, candidates: Iterable[Candidate], detector: Detector) -> Watch:
    return after_all(detector, watch, ((one.rate, _audited_loss(one)) for one in candidates if one.is_delivered))


def _audited_loss(candidate: Candidate) -> float | None:
    """What the audit of a reply found; good while it is awaited, None where there is none or it says nothing."""
    if not candidate.is_sampled or (candidate.label is not None and candidate.label.outcome in NOTHING_SAID):
        return None
    return 0.0 if candidate.label is None else candidate.label.loss


def _vetoed(before: Progress, heard: Sequence[Candidate], targets: Targets) -> Watch:
    main = before.thresholds[before.shares.index(max(before.shares))]
    losses = (one.label.loss for one in heard if one.label is not None and one.confidence >= main)
    return cusum(_veto(targets), before.veto, losses)


@lru_cache(maxsize=4096)
def _ladders(thresholds: tuple[float, ...], shares: tuple[float, ...], targets: Targets) -> tuple[Ladder, Ladder]:
    """For the mean loss and for the severe share. Both must hold, so each has the whole of delta."""
    mean, severe = (
        Ladder(
            thresholds=thresholds,
            shares=shares,
            target=observed_target(target, targets.sensitivity),
            delta=targets.delta,
        )
        for target in (targets.risk_max, targets.severe_max)
    )
    return mean, severe


@lru_cache(maxsize=256)
def _detector(targets: Targets) -> Detector:
    return Detector(target=observed_target(targets.risk_max, targets.sensitivity), alarm=targets.alarm)


@lru_cache(maxsize=256)
def _veto(targets: Targets) -> Detector:
    return Detector(target=observed_target(targets.risk_max, targets.sensitivity), alarm=VETO_AT, stir=VETO_AT)


def _predicted_coverage(scores: Sequence[float], targets: Targets) -> float:
    """What share of drafts should hold the target if the confidence is right: the most that can be taken from above."""
    risk, covered = 0.0, 0
    for count, score in enumerate(sorted(scores, reverse=True), start=1):
        risk += 1.0 - score
        if risk <= targets.risk_max * count:
            covered = count
    return covered / len(scores)
