"""Which rulebook judges a turn: the configured one, with what its slice has earned, lost, or was told to stop."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from understudy.assessment.confidence import score_name
from understudy.ports.store import Transaction
from understudy.records.autonomy import EVERY, UNVERSIONED, Epoch
from understudy.records.codec import digest, dump
from understudy.records.evidence import Evidence
from understudy.records.rulebook import Calibrator, Grant, Level, Rulebook, Rules, calibrator_in, configured_grant


def in_force(tx: Transaction, rulebook: Rulebook, evidence: Evidence) -> Rulebook:
    """The rulebook for a turn of this slice and release, as autonomy stands now."""
    earned, calibrator = earned_grant(tx, rulebook.rules, evidence), _calibrator(tx, evidence)
    return rulebook if earned is None and calibrator is None else _with(rulebook, earned, calibrator)


def earned_grant(tx: Transaction, rules: Rules, evidence: Evidence) -> Grant | None:
    """What the slice earned, lost or was told; None where only the configuration speaks.

    What the configuration keeps in shadow stays there whatever was earned. What was earned with another score, before
    the configuration changed what makes it, is no grant: people decide until learning has begun anew.
    """
    topic, channel = evidence.topic, evidence.channel
    epoch = current_epoch(tx, evidence)
    if epoch is not None and epoch.earned is not None and epoch.calibrator != score_name(rules, _kept(tx, epoch)):
        epoch = replace(epoch, earned=Level.ASSIST)
    is_stopped = any(stop.topic in (EVERY, topic) and stop.channel in (EVERY, channel) for stop in tx.stops.all())
    return grant_of(topic, channel, configured_grant(rules, topic, channel), epoch, is_stopped=is_stopped)


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
