"""Begin, move and end epochs, each in the transaction it is given and with its ledger entry; when to is not known here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from understudy.assessment.confidence import score_name
from understudy.learning.ladder import begun
from understudy.learning.promotion import Why, granted
from understudy.learning.sensitivity import measured
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.autonomy import Epoch, Targets, Terms
from understudy.records.codec import digest, dump, plain
from understudy.records.rulebook import Level, Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What epochs begin on: the configuration's `rules`, what it promises for a topic, and how many planted drafts must
    have been judged before they say what reviewers notice."""

    rules: Callable[[], Rules]
    targets_of: Callable[[str], Targets]
    seeds_min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """Autonomy that a release has not earned itself: `by` is the release whose place it takes."""

    level: Level
    threshold: float
    audit_rate: float
    by: str


def begin(
    tx: Transaction,
    clock: Clock,
    ground: Ground,
    of_slice: tuple[str, str, str],
    scores: Sequence[float],
    *,
    after: int = 0,
    earned: Level | None = None,
    has_harm: bool = False,
    lent: Lent | None = None,
) -> Epoch:
    """Begin an epoch for a slice and release: drafts after `after` count, thresholds are placed among `scores`.

    What is `lent` holds until the epoch's own evidence says otherwise.
    """
    topic, channel, release = of_slice
    calibrator = tx.calibrators.latest()
    targets = measured(ground.targets_of(topic), tx.seeds.count(), seeds_min=ground.seeds_min)
    progress = begun(scores, targets)
    epoch = Epoch(
        id=clock.new_id("epoch"),
        version=1,
        topic=topic,
        channel=channel,
        release=release,
        calibrator=score_name(ground.rules(), calibrator),
        targets=targets,
        began_at=clock.now(),
        after=after if calibrator is None else max(after, calibrator.trained_until),
        consumed=after if calibrator is None else max(after, calibrator.trained_until),
        progress=dump(progress),
        earned=earned if lent is None else lent.level,
        threshold=None if lent is None else lent.threshold,
        audit_rate=None if lent is None else lent.audit_rate,
        has_harm=has_harm,
    )
    tx.epochs.add(epoch)
    tx.ledger.append(
        "autonomy.began",
        at=epoch.began_at,
        epoch=epoch.id,
        topic=topic,
        channel=channel,
        release=release,
        calibrator=epoch.calibrator,
        after=epoch.after,
        targets=plain(targets),
        thresholds=list(progress.thresholds),
        shares=list(progress.shares),
        level=None if epoch.earned is None else epoch.earned.value,
        threshold=epoch.threshold,
        audit_rate=epoch.audit_rate,
        lent_by=None if lent is None else lent.by,
    )
    return epoch


def advanced(tx: Transaction, clock: Clock, epoch: Epoch, *, consumed: int, progress: str) -> Epoch:
    """Keep what further labels have shown."""
    moved = replace(epoch, version=epoch.version + 1, consumed=consumed, progress=progress)
    tx.epochs.change(moved, was=epoch.version)
    tx.ledger.append("autonomy.advanced", at=clock.now(), epoch=epoch.id, consumed=consumed, progress=digest(progress))
    return moved


def proposed(tx: Transaction, clock: Clock, epoch: Epoch) -> Epoch:
    """Put a promotion, which stands in `epoch.proposal`, before a lead."""
    assert epoch.proposal is not None, "there is something to propose"
    tx.epochs.change(replace(epoch, version=epoch.version + 1), was=epoch.version)
    tx.ledger.append(
        "autonomy.proposed",
        at=clock.now(),
        epoch=epoch.id,
        level=epoch.proposal.level.value,
        threshold=epoch.proposal.threshold,
        basis=epoch.proposal.basis,
    )
    return replace(epoch, version=epoch.version + 1)


def promoted(tx: Transaction, clock: Clock, epoch: Epoch, terms: Terms, *, by: str) -> Epoch:
    """Grant what was proposed: every decision made after this commit may use it."""
    proposal = epoch.proposal
    assert proposal is not None, "only what was proposed is granted"
    now = clock.now()
    moved = granted(epoch, terms, now=now)
    tx.epochs.change(moved, was=epoch.version)
    tx.ledger.append(
        "autonomy.promoted",
        at=now,
        actor=by,
        epoch=epoch.id,
        topic=epoch.topic,
        channel=epoch.channel,
        release=epoch.release,
        level=proposal.level.value,
        threshold=proposal.threshold,
        audit_rate=moved.audit_rate,
        basis=proposal.basis,
    )
    return moved


def declined(tx: Transaction, clock: Clock, epoch: Epoch, *, by: str) -> Epoch:
    """Turn a proposal down; it is made again when the evidence allows something else."""
    moved = replace(epoch, version=epoch.version + 1, proposal=None)
    tx.epochs.change(moved, was=epoch.version)
    tx.ledger.append("autonomy.declined", at=clock.now(), actor=by, epoch=epoch.id)
    return moved


def ended(
    tx: Transaction,
    clock: Clock,
    ground: Ground,
    epoch: Epoch,
    why: Why,
    scores: Sequence[float],
    *,
    earned: Level | None,
    by: str = "system",
) -> Epoch:
    """End an epoch and begin the next one from nothing, at once and with level `earned`."""
    now = clock.now()
    entry = tx.ledger.append(
        "autonomy.ended",
        at=now,
        actor=by,
        epoch=epoch.id,
        topic=epoch.topic,
        channel=epoch.channel,
        release=epoch.release,
        why=why.value,
        level=None if earned is None else earned.value,
    )
    over = replace(epoch, version=epoch.version + 1, proposal=None, burst_left=0, ended_at=now, ended_why=why.value)
    tx.epochs.change(over, was=epoch.version)
    of_slice = (epoch.topic, epoch.channel, epoch.release)
    return begin(tx, clock, ground, of_slice, scores, after=entry.seq, earned=earned)
