"""Which turns of the past a new release drafts for once more: a uniformly random part of those that its baseline's open
epochs count. It asks no agent.

Source: the design's section on version updates. What a certificate may rest on is decided here, without regard to any
label: all drafts up to the watermark (of later ones only those that were quickly judged have a label, and those are the
good ones), each at most once for all releases, none that the score in force was learned from.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from understudy.learning.inheriting import answers_alone, baseline_of
from understudy.learning.ladder import SCORES_MIN
from understudy.ports.store import Transaction
from understudy.records.autonomy import EVERY, NOTHING_SAID, Candidate, Epoch
from understudy.records.redraft import RedraftPlan, RedraftTerms, shuffled
from understudy.records.release import CANDIDATE, Release
from understudy.records.rulebook import Rules, configured_grant

POOL_MAX: Final = 5_000
"""Of so many of the latest drafts a part is drawn."""


def slices_without_plan(tx: Transaction, rules: Rules, release: Release) -> list[Epoch]:
    """The baseline's open epochs of slices in which it answers alone and in which nothing was drawn for the release yet."""
    if release.stage not in CANDIDATE or not release.has_passed:
        return []
    baseline = baseline_of(tx, release)
    if baseline is None or baseline.id == release.id:
        return []
    return [
        epoch
        for epoch in tx.epochs.all_open()
        if epoch.release == baseline.key
        and epoch.channel != EVERY
        and answers_alone(epoch, configured_grant(rules, epoch.topic, epoch.channel), baseline)
        and tx.redrafts.get(release.id, epoch.topic, epoch.channel) is None
    ]


def pool_of(tx: Transaction, epoch: Epoch, terms: RedraftTerms, *, now: datetime) -> list[Candidate]:
    """The drafts to draw from, the last first."""
    calibrator = tx.calibrators.latest()
    found = tx.candidates.evidence_in(
        epoch.topic,
        epoch.channel,
        epoch.release,
        after=epoch.after if calibrator is None else max(epoch.after, calibrator.trained_until),
        until=epoch.consumed,
        since=now - terms.age,
        limit=POOL_MAX,
    )
    drawn_before = {seq for plan in tx.redrafts.of_slice(epoch.topic, epoch.channel) for seq in plan.drawn}
    return [one for one in found if _says_something(one, epoch) and one.seq not in drawn_before]


def plan_of(
    tx: Transaction,
    epoch: Epoch,
    release: Release,
    terms: RedraftTerms,
    *,
    seed: str,
    tuned_on: frozenset[str],
    now: datetime,
) -> RedraftPlan | None:
    """Draw; None where there are too few to draw from. `tuned_on` names the turns that are cases of the release's suites."""
    pool = pool_of(tx, epoch, terms, now=now)
    if len(pool) < SCORES_MIN:
        return None
    drawn = shuffled((one.seq for one in pool), seed)[: terms.per_slice_max]
    known = {one.seq for one in pool if one.turn_id in tuned_on}
    return RedraftPlan(
        release_id=release.id,
        topic=epoch.topic,
        channel=epoch.channel,
        version=1,
        baseline=epoch.release,
        epoch=epoch.id,
        seed=seed,
        pool=len(pool),
        drawn=drawn,
        tuned_on=tuple(seq for seq in drawn if seq in known),
        drawn_at=now,
    )


def is_wanted(tx: Transaction, plan: RedraftPlan, release: Release) -> bool:
    """Whether more redrafts would be evidence that is still asked for.

    Not where the release has a certificate of its own or one is proposed; and never again after an epoch of it ended: what
    took its autonomy away was seen in today's traffic, and yesterday's cannot speak against that.
    """
    if plan.done >= len(plan.drawn):
        return False
    own = [one for one in tx.epochs.of_slice(plan.topic, plan.channel) if one.release == release.key]
    return not any(one.ended_at or one.certified_at or one.proposal for one in own)


def _says_something(one: Candidate, epoch: Epoch) -> bool:
    return one.calibrator == epoch.calibrator and one.label is not None and one.label.outcome not in NOTHING_SAID
