"""How far each slice is, for people to read: its level, its evidence, what is still missing. It changes nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from understudy.assessment.decision import audit_rate_of
from understudy.errors import NotFound
from understudy.learning.answering import answering
from understudy.learning.inheriting import has_to_earn
from understudy.learning.ladder import SCORES_MIN, Progress, certified, to_go
from understudy.learning.promotion import ALONE
from understudy.learning.rebuild import faults_of
from understudy.learning.sensitivity import cost, sensitivity_of
from understudy.learning.slice_story import (
    buckets_of,
    curve_of,
    days_of,
    evidence_of,
    in_order,
    leading,
    moves_of,
    rungs_of,
)
from understudy.ports.store import Store, Transaction
from understudy.records.autonomy import EVERY, Epoch, Stop, Targets, Terms
from understudy.records.codec import load
from understudy.records.rulebook import Grant, Level, Rules, configured_grant
from understudy.records.slice_story import SliceStory
from understudy.records.standing import Attention, SliceStatus, Standing
from understudy.stats.betting import labels_needed, observed_target

LATELY = 200
"""So many of a slice's latest drafts say which share of them leaves by itself now."""
DRAFTS_MAX = 5_000
"""So many of a slice's latest drafts are looked at for its curve and its labels over time."""
ENTRIES_MAX = 5_000
"""So many of the latest ledger entries on autonomy are looked through for what happened to a slice."""


class Status:
    """Answers how far every slice is. `rules` is what the configuration grants, `targets_of` what it promises."""

    def __init__(
        self, store: Store, rules: Callable[[], Rules], *, targets_of: Callable[[str], Targets], terms: Terms
    ) -> None:
        self._store = store
        self._rules = rules
        self._targets_of = targets_of
        self._terms = terms

    async def standing(self) -> Standing:
        """How every slice stands, and what is on hold."""
        return await self._store.read(
            lambda tx: standing(tx, self._rules(), self._targets_of, seeds_min=self._terms.seeds_min)
        )

    async def story(self, topic: str, channel: str, *, release: str | None = None) -> SliceStory:
        """All there is to see of one slice, and of one release in it (None: the leading one); raises `NotFound`."""
        return await self._store.read(lambda tx: self._story(tx, topic, channel, release))

    async def stops(self) -> tuple[Stop, ...]:
        """What is on hold."""
        return await self._store.read(lambda tx: tuple(tx.stops.all()))

    def _story(self, tx: Transaction, topic: str, channel: str, release: str | None) -> SliceStory:
        found = standing(tx, self._rules(), self._targets_of, seeds_min=self._terms.seeds_min, only=(topic, channel))
        own = found.slices
        if not own:
            raise NotFound(
                f"no draft of {topic}×{channel} has come that autonomy could let out; there is nothing to see yet"
            )
        status = leading(own) if release is None else next((one for one in own if one.release == release), None)
        if status is None:
            there = ", ".join(sorted(one.release for one in own))
            raise NotFound(f"{topic}×{channel} has no drafts of {release!r}; there are those of: {there}")
        epoch = tx.epochs.current(topic, channel, status.release)
        progress = None if epoch is None else load(Progress, epoch.progress)
        drafts = tx.candidates.latest_of(topic, channel, status.release, limit=DRAFTS_MAX)
        evidence = evidence_of(drafts, epoch)
        bucket_s, labels = buckets_of(drafts)
        entries = tx.ledger.of_autonomy(limit=ENTRIES_MAX)
        targets = status.targets
        return SliceStory(
            topic=topic,
            channel=channel,
            release=status.release,
            releases=in_order(own),
            risk_seen_max=observed_target(targets.risk_max, targets.sensitivity),
            severe_seen_max=observed_target(targets.severe_max, targets.sensitivity),
            curve=curve_of(evidence),
            curve_labels=len(evidence),
            rungs=() if progress is None else rungs_of(progress, targets),
            bucket_s=bucket_s,
            labels=labels,
            reviewers=len(progress.reviewers) if progress else 0,
            reviewers_min=self._terms.reviewers_min,
            days=days_of(progress),
            days_min=self._terms.days_min,
            probation_replies=self._terms.probation_replies,
            moves=moves_of(entries, topic, channel, tx.epochs.of_slice(topic, channel)),
            is_cut=len(entries) == ENTRIES_MAX,
        )

    async def verify(self) -> tuple[int, list[str]]:
        """Rebuild every epoch from the ledger: how many there are, and what is wrong with which."""
        return await self._store.read(faults_of)


def standing(
    tx: Transaction,
    rules: Rules,
    targets_of: Callable[[str], Targets],
    *,
    seeds_min: int,
    only: tuple[str, str] | None = None,
) -> Standing:
    """Read how every slice stands, or those of one topic and channel."""
    stops = tuple(tx.stops.all())
    counts = {
        (topic, channel, release): (count, waits) for topic, channel, release, count, waits in tx.candidates.slices()
    }
    epochs = {(epoch.topic, epoch.channel, epoch.release): epoch for epoch in tx.epochs.all_open()}
    owed = tx.candidates.audits_owed()
    wanted = [of_slice for of_slice in sorted({*counts, *epochs}) if only is None or of_slice[:2] == only]
    shares = answering(tx, wanted)
    found = []
    for of_slice in wanted:
        epoch, (drafts, awaiting) = epochs.get(of_slice), counts.get(of_slice, (0, 0))
        targets = targets_of(of_slice[0]) if epoch is None else epoch.targets
        is_new = has_to_earn(tx, of_slice[2])
        lately, alone = tx.candidates.lately(*of_slice, limit=LATELY)
        status = _status(of_slice, epoch, rules, stops, targets, drafts=drafts, awaiting=awaiting, is_new=is_new)
        release = tx.releases.roster().recorded_as(of_slice[2])
        stage = None if release is None else release.stage
        status = replace(status, lately=lately, lately_alone=alone, audits_owed=owed.get(of_slice, 0))
        found.append(replace(status, answers=shares[of_slice], stage=stage))
    return Standing(slices=tuple(found), stops=stops, attention=_attention(tx, targets_of(EVERY), seeds_min))


def _attention(tx: Transaction, usual: Targets, seeds_min: int) -> Attention:
    found = sensitivity_of(tx.seeds.count(), assumed=usual.sensitivity, seeds_min=seeds_min)
    labels = cost(replace(usual, sensitivity=found.share))
    return Attention(
        share=found.share,
        is_measured=found.is_measured,
        planted=found.seeds.judged,
        caught=found.seeds.caught,
        labels=labels.labels,
        labels_at_best=labels.labels_at_best,
    )


def _status(
    of_slice: tuple[str, str, str],
    epoch: Epoch | None,
    rules: Rules,
    stops: tuple[Stop, ...],
    targets: Targets,
    *,
    drafts: int,
    awaiting: int,
    is_new: bool,
) -> SliceStatus:
    topic, channel, release = of_slice
    configured = configured_grant(rules, topic, channel)
    level = Level.ASSIST if configured is None else configured.level
    if is_new and level is not Level.SHADOW:
        level = Level.ASSIST  # what the configuration grants, it granted another release
    has_earned = epoch is not None and epoch.earned is not None and level is not Level.SHADOW
    progress = None if epoch is None else load(Progress, epoch.progress)
    found = None if progress is None else certified(progress, targets)
    own_threshold = (
        epoch.threshold if epoch is not None and has_earned else (configured.threshold if configured else None)
    )
    in_force = epoch.earned if epoch is not None and epoch.earned is not None and has_earned else level
    return SliceStatus(
        topic=topic,
        channel=channel,
        release=release,
        level=in_force,
        given_by="evidence" if has_earned else "configuration",
        on_hold=any(stop.topic in (EVERY, topic) and stop.channel in (EVERY, channel) for stop in stops),
        drafts=drafts,
        awaiting=awaiting,
        labels=progress.labels if progress else 0,
        loss_sum=progress.loss_sum if progress else 0.0,
        severe=progress.severe_count if progress else 0,
        timeouts=progress.timeouts if progress else 0,
        evidence=to_go(progress, targets) if progress else 0,
        labels_min=_labels_min(targets),
        threshold=own_threshold,
        certified=found,
        coverage=_coverage(progress, found),
        delivered=progress.delivered if progress else 0,
        audited=progress.watch.audited if progress else 0,
        audit_rate=audit_rate_now(epoch if has_earned else None, configured, in_force, rules),
        burst_left=epoch.burst_left if epoch else 0,
        alarm=_alarm(progress, targets),
        calibrator=epoch.calibrator if epoch else None,
        proposal=epoch.proposal if epoch else None,
        since=epoch.began_at if epoch else None,
        expires_at=epoch.expires_at if epoch else None,
        targets=targets,
        thresholds_wait_for=0 if epoch else max(0, SCORES_MIN - drafts),
        epoch=epoch.id if epoch else None,
    )


def audit_rate_now(earned: Epoch | None, configured: Grant | None, level: Level, rules: Rules) -> float | None:
    """The share of automatic replies that decisions draw for a review; None where no reply is automatic."""
    if level not in ALONE:
        return None
    if earned is not None and earned.audit_rate is not None:
        return earned.audit_rate
    return audit_rate_of(None if configured is None else replace(configured, level=level), rules)


def _labels_min(targets: Targets) -> int:
    """Labels without fault that certify, on one threshold with all of delta, the harder of the two promises."""
    return max(
        labels_needed(0, target=observed_target(target, targets.sensitivity), delta=targets.delta)
        for target in (targets.risk_max, targets.severe_max)
    )


def _coverage(progress: Progress | None, threshold: float | None) -> float | None:
    if progress is None or threshold is None or not progress.labels:
        return None
    return progress.mean.labels[progress.thresholds.index(threshold)] / progress.labels


def _alarm(progress: Progress | None, targets: Targets) -> int:
    """How far the detector is from its alarm, of 100; 0 also where no reply could be audited yet."""
    far = -math.inf if progress is None else progress.watch.statistic
    return math.floor(100 * min(max(far / math.log(targets.alarm), 0.0), 1.0))
