"""What a new release may do before it has earned anything: go on in its baseline's place, or nothing. It begins no epoch.

Source: the design's section on version updates. Old evidence never counts for the new release; what goes on is only the
threshold, at *probation*, with so many audits that a fresh detector notices soon.
"""

from __future__ import annotations

from understudy.assessment.confidence import score_name
from understudy.learning.epochs import Lent
from understudy.learning.promotion import ALONE, level_in_force
from understudy.ports.store import Transaction
from understudy.records.autonomy import EVERY, Epoch, Terms
from understudy.records.release import ANSWERS, CANDIDATE, Release, Stage, is_unreleased
from understudy.records.rulebook import Grant, Level, Rules, configured_grant

UNHEARD = frozenset({Stage.CREATED, Stage.GATED, Stage.SHADOW})
"""Stages of a release that no customer has heard yet."""


def has_to_earn(tx: Transaction, name: str) -> bool:
    """Whether drafts recorded under this name are of a content to which the configuration has granted nothing."""
    release = tx.releases.roster().recorded_as(name)
    return is_unreleased(name) or (release is not None and not release.is_first)


def is_unheard(tx: Transaction, name: str) -> bool:
    """Whether drafts recorded under this name are of a release that has not answered anybody yet: what it may do is settled
    when it does, by then with all that its redrafts have shown."""
    release = tx.releases.roster().recorded_as(name)
    return release is not None and not release.is_first and release.stage in UNHEARD


def inherited(tx: Transaction, rules: Rules, of_slice: tuple[str, str, str], terms: Terms) -> Lent | None:
    """What a release goes on with in a slice; None where its gate did not let it through, or its baseline does not answer
    alone there itself."""
    topic, channel, name = of_slice
    release = tx.releases.roster().recorded_as(name)
    if channel == EVERY or release is None or release.is_first or release.key != name:
        return None
    if not release.has_passed or release.stage not in ANSWERS:
        return None
    baseline = baseline_of(tx, release)
    if baseline is None:
        return None
    configured = configured_grant(rules, topic, channel)
    epoch = tx.epochs.current(topic, channel, baseline.key)
    if not answers_alone(epoch, configured, baseline):
        return None
    if epoch is not None and epoch.calibrator != score_name(rules, tx.calibrators.latest()):
        return None  # a threshold on another score says nothing of this one
    threshold = None if epoch is None else epoch.threshold
    if threshold is None:
        threshold = 1.0 if configured is None else configured.threshold
    return Lent(level=Level.PROBATION, threshold=threshold, audit_rate=terms.release_audit_rate, by=baseline.key)


def answers_alone(epoch: Epoch | None, configured: Grant | None, release: Release) -> bool:
    """Whether drafts of a release leave by themselves in the slice of its open epoch (None: it has none)."""
    if epoch is None or epoch.earned is None:  # what the configuration grants, it grants the first release
        return release.is_first and configured is not None and configured.level in ALONE
    return level_in_force(epoch, configured) in ALONE


def baseline_of(tx: Transaction, release: Release) -> Release | None:
    """The release with which one is compared, or whose place it took."""
    roster = tx.releases.roster()
    if release.stage in CANDIDATE:
        return roster.full(release.agent)
    return None if release.replaces is None else roster.get(release.replaces)
