"""Take a slice's new labels up to the watermark, and make true what follows: propose, promote, audit more, demote.

The arithmetic is done between two transactions and kept under the epoch's version, so that nothing heavy runs in the
writer. A crash at any point leaves the labels; the next look counts them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from understudy.assessment.confidence import calibrator_under, score_name
from understudy.effects.holds import close_holds
from understudy.effects.labelling import announce_learning, label, slice_of_key
from understudy.effects.stirring import burst
from understudy.errors import StaleVersion
from understudy.learning import epochs
from understudy.learning.calibrating import scores_under
from understudy.learning.inheriting import has_to_earn, inherited, is_unheard
from understudy.learning.ladder import SCORES_MIN, Progress
from understudy.learning.looking import look
from understudy.learning.promotion import ALONE, Finding, Why, level_after, level_in_force
from understudy.learning.sensitivity import is_refuted
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import AutonomyMoved, Telemetry
from understudy.records.autonomy import EVERY, Candidate, Epoch, Outcome, Targets, Terms
from understudy.records.codec import dump, load
from understudy.records.review import HoldKind
from understudy.records.rulebook import Level, Rules, calibrator_in, configured_grant
from understudy.stats.severity import Severity
from understudy.stats.watermark import TIMED_OUT_LOSS

BATCH = 2_000
"""How many drafts one look takes."""
SCORES_MAX = 5_000
EXPIRY_LOOK = timedelta(minutes=1)
SWEEP_MAX = 500

OfSlice = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A slice and release as it stood: its epoch, drafts not counted yet, and its topic's epoch on all channels.

    `is_of_another_score`: the configuration has changed what makes the confidence since the epoch began.
    """

    epoch: Epoch
    waiting: list[Candidate]
    parent: tuple[Epoch, Progress] | None
    has_siblings: bool
    is_of_another_score: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """What is to be written for an epoch."""

    epoch: Epoch
    progress: Progress
    consumed: int
    finding: Finding
    is_more: bool


class Learning:
    """See the module. `targets_of` says what is promised for a topic, `rules` what the configuration grants."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        rules: Callable[[], Rules],
        *,
        targets_of: Callable[[str], Targets],
        terms: Terms,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._rules = rules
        self._ground = epochs.Ground(rules=rules, targets_of=targets_of, seeds_min=terms.seeds_min)
        self._terms = terms
        self._expiry_look_at: datetime | None = None

    async def look(self, key: str) -> None:
        """Count the new labels of a slice and release (`slice_key`), then those of its topic on all channels."""
        topic, channel, release = slice_of_key(key)
        has_siblings = await self._look(topic, channel, release)
        if has_siblings and channel != EVERY and await self._look(topic, EVERY, release) is not None:
            await self._look(topic, channel, release)  # it may rest on what the topic has now

    async def sweep(self) -> int:
        """Close what was waited for in vain: labels that did not come, second reviews, certificates that expired."""
        now = self._clock.now()

        def close_overdue(tx: Transaction) -> int:
            overdue = tx.candidates.overdue(now, limit=SWEEP_MAX)
            for candidate in overdue:
                self._close_overdue(tx, candidate)
            return len(overdue)

        closed = await self._store.write(close_overdue)
        if self._expiry_look_at is None or self._expiry_look_at <= now:
            self._expiry_look_at = now + EXPIRY_LOOK
            await self._end_what_no_longer_holds(now)
        return closed

    async def _end_what_no_longer_holds(self, now: datetime) -> None:
        """Certificates that expired, and evidence that counts on more attentive reviewers than there are."""
        open_now, seeds = await self._store.read(lambda tx: (tx.epochs.all_open(), tx.seeds.count()))
        for epoch in open_now:
            of_slice = (epoch.topic, epoch.channel, epoch.release)
            if is_refuted(epoch.targets, seeds, seeds_min=self._terms.seeds_min):
                await self._begin_anew(of_slice, Why.REVIEWERS, "expired", self._is_refuted)
            elif epoch.expires_at is not None and epoch.expires_at <= now:
                await self._look(*of_slice)

    def _close_overdue(self, tx: Transaction, candidate: Candidate) -> None:
        if candidate.label is None:
            said = Severity(loss=TIMED_OUT_LOSS, is_severe=False)
            label(tx, self._clock, candidate, outcome=Outcome.TIMEOUT, said=said, by=None)
            if candidate.redraft_of is not None:
                close_holds(tx, self._clock, candidate.turn_id, HoldKind.REDRAFT)
            return
        tx.candidates.judge(candidate, candidate.label)
        close_holds(tx, self._clock, candidate.turn_id, HoldKind.SECOND)
        tx.ledger.append(
            "review.second_missed", at=self._clock.now(), turn_id=candidate.turn_id, candidate=candidate.seq
        )
        announce_learning(tx, candidate)

    async def _look(self, topic: str, channel: str, release: str) -> bool | None:
        """Returns whether the topic has other channels; None where there is no epoch yet."""
        of_slice = (topic, channel, release)
        while True:
            seen = await self._store.read(lambda tx: self._see(tx, of_slice))
            try:
                if seen is None:
                    if not await self._begin(of_slice):
                        return None
                    continue
                if seen.is_of_another_score:
                    await self._begin_anew(of_slice, Why.CALIBRATOR, "calibrated", self._is_of_another_score)
                    continue
                counted = self._count(seen)
                await self._make_true(seen, counted)
            except StaleVersion:
                continue  # somebody else moved it; look again
            if not counted.is_more:
                return seen.has_siblings

    def _see(self, tx: Transaction, of_slice: OfSlice) -> _Seen | None:
        topic, channel, release = of_slice
        epoch = tx.epochs.current(*of_slice)
        if epoch is None:
            return None
        parent = None if channel == EVERY else tx.epochs.current(topic, EVERY, release)
        others = [one for one in tx.epochs.of_topic(topic, release) if one.channel not in (EVERY, channel)]
        return _Seen(
            epoch=epoch,
            waiting=tx.candidates.following(*of_slice, after=epoch.consumed, limit=BATCH),
            parent=None if parent is None else (parent, load(Progress, parent.progress)),
            has_siblings=bool(others),
            is_of_another_score=self._is_of_another_score(tx, epoch),
        )

    async def _begin(self, of_slice: OfSlice) -> bool:
        """Begin a slice's first epoch once enough drafts have a score; False where they are still too few.

        That of a new release begins where its baseline's is, if its gate let it through; else in assist.
        """

        def step(tx: Transaction) -> bool:
            if tx.epochs.current(*of_slice) is not None:
                return True
            if is_unheard(tx, of_slice[2]):
                return False
            scores, has_harm = self._past(tx, of_slice)
            lent = None if has_harm else inherited(tx, self._rules(), of_slice, self._terms)
            if lent is not None:
                topic, channel, _ = of_slice
                scores = scores if len(scores) >= SCORES_MIN else self._past(tx, (topic, channel, lent.by))[0]
                epochs.begin(tx, self._clock, self._ground, of_slice, scores, lent=lent)
                return True
            if len(scores) < SCORES_MIN and not has_harm:
                return False
            earned = Level.ASSIST if has_to_earn(tx, of_slice[2]) else None
            epochs.begin(tx, self._clock, self._ground, of_slice, scores, has_harm=has_harm, earned=earned)
            return True

        return await self._store.write(step)

    def _past(self, tx: Transaction, of_slice: OfSlice) -> tuple[list[float], bool]:
        """The scores of a slice's past drafts under the calibrator in force, and whether harm was done."""
        past = tx.candidates.latest_of(*of_slice, limit=SCORES_MAX)
        harm = any(one.is_delivered and one.label is not None and one.label.is_severe for one in past)
        return scores_under(past, calibrator_under(self._rules(), tx.calibrators.latest())), harm

    def _count(self, seen: _Seen) -> _Counted:
        epoch = seen.epoch
        found = look(
            epoch,
            load(Progress, epoch.progress),
            seen.waiting,
            level=self.level_of(epoch),
            terms=self._terms,
            now=self._clock.now(),
            parent=seen.parent,
        )
        return _Counted(
            epoch=epoch,
            progress=found.progress,
            consumed=seen.waiting[found.taken - 1].seq if found.taken else epoch.consumed,
            finding=found.finding,
            is_more=found.taken == BATCH and found.finding.fall is None,
        )

    def level_of(self, epoch: Epoch) -> Level:
        """The level in force for an epoch's slice, stops aside."""
        return level_in_force(epoch, configured_grant(self._rules(), epoch.topic, epoch.channel))

    async def _make_true(self, seen: _Seen, counted: _Counted) -> None:
        finding = counted.finding
        if counted.consumed == seen.epoch.consumed and finding == Finding():
            return

        def step(tx: Transaction) -> list[AutonomyMoved]:
            epoch = counted.epoch
            if counted.consumed != epoch.consumed:
                text = dump(counted.progress)
                epoch = epochs.advanced(tx, self._clock, epoch, consumed=counted.consumed, progress=text)
            if finding.fall is not None:
                return [self._fall(tx, epoch, finding)]
            if finding.burst:
                epoch = burst(tx, self._clock, epoch, replies=finding.burst, why="detector")
            if finding.proposal is None:
                return []
            epoch = epochs.proposed(tx, self._clock, replace(epoch, proposal=finding.proposal))
            if not self._terms.is_automatic:
                return [moved(epoch, "proposed", finding.proposal.level, finding.proposal.threshold)]
            epoch = epochs.promoted(tx, self._clock, epoch, self._terms, by="system")
            return [moved(epoch, "promoted", finding.proposal.level, epoch.threshold)]

        for event in await self._store.write(step):
            self._telemetry.emit(event)

    def _fall(self, tx: Transaction, epoch: Epoch, finding: Finding) -> AutonomyMoved:
        assert finding.fall is not None, "something made it fall"
        of_slice = (epoch.topic, epoch.channel, epoch.release)
        level = level_after(finding.fall)
        scores, _ = self._past(tx, of_slice)
        epochs.ended(tx, self._clock, self._ground, epoch, finding.fall, scores, earned=level)
        return moved(epoch, "demoted" if level is Level.DEMOTED else "expired", level, None, why=finding.fall.value)

    async def _begin_anew(
        self, of_slice: OfSlice, why: Why, what: str, is_over: Callable[[Transaction, Epoch], bool]
    ) -> None:
        """What was shown does not hold any more: of the score that the configuration makes now, or with the reviewers
        that there are. Nothing leaves by itself until it is shown again."""

        def step(tx: Transaction) -> AutonomyMoved | None:
            epoch = tx.epochs.current(*of_slice)
            if epoch is None or not is_over(tx, epoch):
                return None
            level = Level.ASSIST if epoch.earned in ALONE else epoch.earned
            scores, _ = self._past(tx, of_slice)
            begun = epochs.ended(tx, self._clock, self._ground, epoch, why, scores, earned=level)
            return moved(begun, what, level or Level.ASSIST, None, why=why.value)

        event = await self._store.write(step)
        if event is not None:
            self._telemetry.emit(event)

    def _is_refuted(self, tx: Transaction, epoch: Epoch) -> bool:
        return is_refuted(epoch.targets, tx.seeds.count(), seeds_min=self._terms.seeds_min)

    def _is_of_another_score(self, tx: Transaction, epoch: Epoch) -> bool:
        kept = tx.calibrators.get(calibrator_in(epoch.calibrator))
        return epoch.calibrator != score_name(self._rules(), kept)


def moved(
    epoch: Epoch, what: str, level: Level, threshold: float | None, *, why: str | None = None, by: str | None = None
) -> AutonomyMoved:
    """The event that tells of a change of autonomy; emit it after the commit."""
    return AutonomyMoved(
        topic=epoch.topic,
        channel=epoch.channel,
        release=epoch.release,
        what=what,
        level=level.value,
        threshold=threshold,
        why=why,
        by=by,
    )
