"""What follows from an epoch's progress: a promotion to propose, a demotion, an end. Pure; the shell makes it true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from understudy.learning.ladder import Progress, certified, is_alarm, is_stirred, is_vetoed, watch_now
from understudy.records.autonomy import EVERY, Candidate, Epoch, Proposal, Terms
from understudy.records.rulebook import Grant, Level, Rules, calibrator_in, configured_grant

ALONE = frozenset({Level.PROBATION, Level.AUTO})
"""Levels at which drafts leave by themselves."""


class Why(StrEnum):
    """Why an epoch ends and the slice begins anew."""

    ALARM = "alarm"
    INCIDENT = "incident"
    EXPIRED = "expired"
    CALIBRATOR = "calibrator"
    RESTARTED = "restarted"
    REVIEWERS = "reviewers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is to be done about an epoch: at most one of the first two, and a burst beside either."""

    fall: Why | None = None
    proposal: Proposal | None = None
    burst: int = 0


def follows_calibrator(epoch: Epoch, calibrator: str, rules: Rules) -> bool:
    """Whether an open epoch of another calibrator gives way to this one.

    A slice that answers alone keeps the calibrator that its certificate speaks of until the certificate ends, and so
    does one whose promotion a lead has before them. A topic on all channels answers nothing by itself.
    """
    if calibrator_in(epoch.calibrator) == calibrator or epoch.proposal is not None:
        return False
    configured = configured_grant(rules, epoch.topic, epoch.channel)
    return epoch.channel == EVERY or level_in_force(epoch, configured) not in ALONE


def judge(
    epoch: Epoch,
    progress: Progress,
    *,
    level: Level,
    terms: Terms,
    now: datetime,
    unsettled: Sequence[Candidate] = (),
    parent: tuple[Epoch, Progress] | None = None,
) -> Finding:
    """Say what follows. `level` is the one in force; `unsettled` are drafts beyond the watermark; `parent` is the epoch
    of the topic on all channels."""
    stirs = False
    if level in ALONE:
        watch = watch_now(progress, epoch.targets, unsettled)
        if epoch.has_harm:
            return Finding(fall=Why.INCIDENT)
        if is_alarm(watch, epoch.targets):
            return Finding(fall=Why.ALARM)
        if epoch.expires_at is not None and epoch.expires_at <= now:
            return Finding(fall=Why.EXPIRED)
        stirs = not epoch.burst_left and is_stirred(watch, epoch.targets)
    proposal = _proposal(epoch, progress, level=level, terms=terms, now=now, parent=parent)
    return Finding(proposal=proposal, burst=terms.burst if stirs else 0)


def granted(epoch: Epoch, terms: Terms, *, now: datetime) -> Epoch:
    """The epoch with what it proposes granted; raises `AssertionError` where it proposes nothing."""
    proposal = epoch.proposal
    assert proposal is not None, "only what was proposed is granted"
    return replace(
        epoch,
        version=epoch.version + 1,
        earned=proposal.level,
        threshold=proposal.threshold,
        audit_rate=terms.probation_audit_rate if proposal.level is Level.PROBATION else terms.audit_rate,
        certified_at=now,
        expires_at=now + timedelta(days=terms.valid_days),
        proposal=None,
    )


def is_lent(epoch: Epoch) -> bool:
    """Whether an epoch goes on with what its baseline earned. A certificate of its own takes the place of that, be its
    threshold laxer or stricter."""
    return epoch.earned in ALONE and epoch.certified_at is None


def level_after(fall: Why) -> Level:
    """The level at which a slice goes on when its epoch ended for this: lost, or only over."""
    return Level.DEMOTED if fall in (Why.ALARM, Why.INCIDENT) else Level.ASSIST


def level_in_force(epoch: Epoch, configured: Grant | None) -> Level:
    """The level of an epoch's slice, stops aside. What the configuration keeps in shadow stays there."""
    level = Level.ASSIST if configured is None else configured.level
    return level if epoch.earned is None or level is Level.SHADOW else epoch.earned


def _proposal(
    epoch: Epoch,
    progress: Progress,
    *,
    level: Level,
    terms: Terms,
    now: datetime,
    parent: tuple[Epoch, Progress] | None,
) -> Proposal | None:
    """The next step up that the evidence allows; None where there is none, or where it is proposed already."""
    threshold, basis = certified(progress, epoch.targets), epoch.id
    if threshold is None and parent is not None and level not in ALONE:
        threshold, basis = _from_parent(epoch, progress, parent, terms), parent[0].id
    if threshold is None or level is Level.SHADOW or not _is_broad(progress, terms):
        return None
    if level not in ALONE:
        to = Level.PROBATION
    elif level is Level.PROBATION and progress.delivered >= terms.probation_replies:
        to = Level.AUTO
    elif is_lent(epoch) or (epoch.threshold is not None and threshold < epoch.threshold):
        to = level
    else:
        return None
    before = epoch.proposal
    if before is not None and (before.level, before.threshold, before.basis) == (to, threshold, basis):
        return None
    return Proposal(level=to, threshold=threshold, at=now, basis=basis)


def _is_broad(progress: Progress, terms: Terms) -> bool:
    """Whether the labels are from enough days and people."""
    if progress.first_at is None or progress.last_at is None or len(progress.reviewers) < terms.reviewers_min:
        return False
    return progress.last_at - progress.first_at >= timedelta(days=terms.days_min)


def _from_parent(epoch: Epoch, progress: Progress, parent: tuple[Epoch, Progress], terms: Terms) -> float | None:
    """The threshold of the topic's certificate, where the slice may rest on it; it is one of the same score."""
    if parent[0].calibrator != epoch.calibrator:
        return None
    if progress.labels < terms.child_labels_min or is_vetoed(progress, epoch.targets):
        return None
    return certified(parent[1], parent[0].targets)
