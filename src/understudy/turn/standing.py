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
from understudy.records.rulebook import Calibrator, Grant, Level, Rulebook, Rules, calibrator_in, configured_grant


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
    if must_be_reviewed(tx, evidence, epoch):
        start = configured_grant(rules, topic, channel) or Grant(topic=topic, channel=channel, level=Level.ASSIST)
        level = start.level if start.level is Level.SHADOW else Level.ASSIST
        is_stopped = _is_stopped(tx, topic, channel)
        return replace(start, topic=topic, channel=channel, level=level, on_hold=is_stopped)
    if epoch is not None and epoch.earned is not None and epoch.calibrator != score_name(rules, _kept(tx, epoch)):
        epoch = replace(epoch, earned=Level.ASSIST)
    is_stopped = _is_stopped(tx, topic, channel)
    return grant_of(topic, channel, configured_grant(rules, topic, channel), epoch, is_stopped=is_stopped)


def _is_stopped(tx: Transaction, topic: str, channel: str) -> bool:
    return any(stop.topic in (EVERY, topic) and stop.channel in (EVERY, channel) for stop in tx.stops.all())


def must_be_reviewed(tx: Transaction, evidence: Evidence, epoch: Epoch | None) -> bool:
    """Whether a person decides on a draft because of the release it comes from: one that was taken back or never let out,
    a content that nobody released, or one that has earned nothing in this slice and is not its agent's first."""
    roster = tx.releases.roster()
    if not roster.releases:
        return False
    name = release_of(evidence)
    if is_unreleased(name):
        return True
    release = roster.recorded_as(name)
    if release is None or (release.is_first and release.stage in ANSWERS):
        return False
    return release.stage not in ANSWERS or epoch is None or epoch.earned is None


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
