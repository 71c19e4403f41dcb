"""Which rulebook judges a turn: the configured one, with what its slice has earned, lost, or was told to stop."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from understudy.assessment.confidence import score_name
from understudy.ports.store import Transaction
from understudy.records.autonomy import EVERY, UNVERSIONED, Epoch
from understudy.records.codec import digest, dump
from understudy.records.evidence import Evidence
from understudy.records.release import ANSWERS, is_unreleased
from understudy.records.rulebook import (
    Calibrator,
    Grant,
    Level,
    ReleaseBar,
    Rulebook,
    Rules,
    calibrator_in,
    configured_grant,
)


def in_force(tx: Transaction, rulebook: Rulebook, evidence: Evidence) -> Rulebook:
    """The rulebook for a turn of this slice and release, as autonomy stands now."""
    earned, calibrator = earned_grant(tx, rulebook.rules, evidence), _calibrator(tx, evidence)
    return rulebook if earned is None and calibrator is None else _with(rulebook, earned, calibrator)


def earned_grant(tx: Transaction, rules: Rules, evidence: Evidence) -> Grant | None:
    """What the slice earned, lost or was told; None where only the configuration speaks.

    What the configuration keeps in shadow stays there whatever was earned. What was earned with another score, before
    the configuration changed what makes it, is no grant: people decide until learning has begun anew. So do they on
    every draft of a release that may not answer, or that has earned nothing yet: what the configuration grants was said
    of another.
    """
    topic, channel = evidence.topic, evidence.channel
    epoch = current_epoch(tx, evidence)
    bar = barred_by(tx, evidence, epoch)
    if bar is not None:
        start = configured_grant(rules, topic, channel) or Grant(topic=topic, channel=channel, level=Level.ASSIST)
        level = start.level if start.level is Level.SHADOW else Level.ASSIST
        is_stopped = _is_stopped(tx, topic, channel)
        own = replace(start, topic=topic, channel=channel, level=level, on_hold=is_stopped)
        return _with_bar(tx, rules, evidence, own, bar)
    if epoch is not None and epoch.earned is not None and epoch.calibrator != score_name(rules, _kept(tx, epoch)):
        epoch = replace(epoch, earned=Level.ASSIST)
    is_stopped = _is_stopped(tx, topic, channel)
    grant = grant_of(topic, channel, configured_grant(rules, topic, channel), epoch, is_stopped=is_stopped)
    if grant is None or grant.level is not Level.ASSIST or not _is_later(tx, evidence):
        return grant
    return _with_bar(tx, rules, evidence, grant, ReleaseBar.UNEARNED)


def _is_stopped(tx: Transaction, topic: str, channel: str) -> bool:
    return any(stop.topic in (EVERY, topic) and stop.channel in (EVERY, channel) for stop in tx.stops.all())


def barred_by(tx: Transaction, evidence: Evidence, epoch: Epoch | None) -> ReleaseBar | None:
    """Whether a person decides on a draft because of the release it comes from, and why: one that was taken back or never
    let out, a content that nobody released, or one that has earned nothing in this slice and is not its agent's first."""
    roster = tx.releases.roster()
    if not roster.releases:
        return None
    name = release_of(evidence)
    if is_unreleased(name):
        return ReleaseBar.UNRELEASED
    release = roster.recorded_as(name)
    if release is None:
        return None
    if release.stage not in ANSWERS:
        return ReleaseBar.NOT_OUT
    is_new = not release.is_first and (epoch is None or epoch.earned is None)
    return ReleaseBar.UNEARNED if is_new else None


def _is_later(tx: Transaction, evidence: Evidence) -> bool:
    """Whether a draft comes from a release that is not its agent's first."""
    roster = tx.releases.roster()
    release = roster.recorded_as(release_of(evidence)) if roster.releases else None
    return release is not None and not release.is_first


def _with_bar(tx: Transaction, rules: Rules, evidence: Evidence, own: Grant, bar: ReleaseBar) -> Grant:
    """The grant with what stands against it; what was not earned does only where something else would answer alone."""
    is_in_the_way = bar is not ReleaseBar.UNEARNED or _answers_alone_else(tx, rules, evidence)
    return replace(own, bar=bar) if is_in_the_way else own


def _answers_alone_else(tx: Transaction, rules: Rules, evidence: Evidence) -> bool:
    """Whether the configuration, or the release beside or before this one, answers alone in this slice."""
    topic, channel = evidence.topic, evidence.channel
    configured = configured_grant(rules, topic, channel)
    if configured is not None and configured.level in (Level.PROBATION, Level.AUTO):
        return True
    roster = tx.releases.roster()
    release = roster.recorded_as(release_of(evidence))
    other = None if release is None else roster.full(release.agent)
    if other is not None and release is not None and other.id == release.id:
        other = None if release.replaces is None else roster.get(release.replaces)
    earned = None if other is None else grant_of(topic, channel, None, tx.epochs.current(topic, channel, other.key))
    return earned is not None and earned.level in (Level.PROBATION, Level.AUTO)


def grant_of(
    topic: str, channel: str, configured: Grant | None, epoch: Epoch | None, *, is_stopped: bool = False
) -> Grant | None:
    """The same of what was read: what the configuration grants, the slice's open epoch, and whether it was stopped."""
    start = configured or Grant(topic=topic, channel=channel, level=Level.ASSIST)
    own = replace(start, topic=topic, channel=channel, on_hold=is_stopped)
    if epoch is None or (epoch.earned is None and not epoch.burst_left):
        return own if is_stopped else None
    if epoch.earned is not None and start.level is not Level.SHADOW:
        threshold = 1.0 if epoch.threshold is None else epoch.threshold
        own = replace(own, level=epoch.earned, threshold=threshold, audit_rate=epoch.audit_rate, epoch=epoch.id)
    return replace(own, audit_rate=1.0) if epoch.burst_left else own


def release_of(evidence: Evidence) -> str:
    """The agent version whose evidence this turn is."""
    version = None if evidence.draft is None else evidence.draft.agent_version
    return version or UNVERSIONED


def current_epoch(tx: Transaction, evidence: Evidence) -> Epoch | None:
    """The open epoch of the turn's slice and release."""
    return tx.epochs.current(evidence.topic, evidence.channel, release_of(evidence))


def _calibrator(tx: Transaction, evidence: Evidence) -> Calibrator | None:
    epoch = current_epoch(tx, evidence)
    return tx.calibrators.latest() if epoch is None else _kept(tx, epoch)


def _kept(tx: Transaction, epoch: Epoch) -> Calibrator | None:
    """The calibrator that an epoch was begun with; None is the one that ships."""
    return tx.calibrators.get(calibrator_in(epoch.calibrator))


@lru_cache(maxsize=4096)
def _with(rulebook: Rulebook, earned: Grant | None, calibrator: Calibrator | None) -> Rulebook:
    rules = replace(rulebook.rules, earned=earned, calibrator=calibrator)
    return Rulebook(id=digest(dump(rules)), rules=rules)
