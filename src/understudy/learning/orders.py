"""What people order: stop and resume, confirm or decline a promotion, begin a slice anew. It counts no labels."""

from __future__ import annotations

from collections.abc import Callable

from understudy.assessment.confidence import calibrator_under
from understudy.errors import Conflict, NotFound
from understudy.learning import epochs
from understudy.learning.calibrating import scores_under
from understudy.learning.flow import SCORES_MAX, moved
from understudy.learning.promotion import Why
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import AutonomyMoved, Telemetry
from understudy.records.autonomy import EVERY, Epoch, Slice, Stop, Targets, Terms
from understudy.records.rulebook import Level, Rules


class Orders:
    """See the module. Each order is one transaction and holds for every decision made after its commit."""

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
        self._ground = epochs.Ground(rules=rules, targets_of=targets_of, seeds_min=terms.seeds_min)
        self._terms = terms

    async def stop(self, of: Slice, *, by: str, why: str = "") -> Stop:
        """Let nothing leave by itself here until somebody resumes; drafts are held for people meanwhile."""
        stop = Stop(topic=of.topic, channel=of.channel, by=by, at=self._clock.now(), why=why)

        def step(tx: Transaction) -> None:
            tx.stops.put(stop)
            tx.ledger.append("autonomy.stopped", at=stop.at, actor=by, topic=stop.topic, channel=stop.channel, why=why)

        await self._store.write(step)
        self._say("stopped", of, by=by, why=why or None)
        return stop

    async def resume(self, of: Slice, *, by: str) -> None:
        """Take a stop back; raises `NotFound` where there is none of exactly this slice."""

        def step(tx: Transaction) -> None:
            if not tx.stops.lift(of.topic, of.channel):
                there = ", ".join(f"{stop.topic}×{stop.channel}" for stop in tx.stops.all()) or "none"
                raise NotFound(f"{of.topic}×{of.channel} is not on hold; on hold: {there}")
            tx.ledger.append("autonomy.resumed", at=self._clock.now(), actor=by, topic=of.topic, channel=of.channel)

        await self._store.write(step)
        self._say("resumed", of, by=by)

    async def confirm(self, of: Slice, *, by: str, threshold: float | None = None) -> list[Epoch]:
        """Grant the promotions proposed here; raises `Conflict` where none is. With `threshold`, as whoever orders saw it,
        also where one is proposed from another: what nobody has read is not granted."""

        def step(tx: Transaction) -> list[Epoch]:
            found = self._proposals(tx, of)
            for epoch in found:
                assert epoch.proposal is not None, "only those with one are found"
                if threshold is not None and epoch.proposal.threshold != threshold:
                    raise Conflict(
                        f"what is proposed on {of} is another promotion by now, from confidence "
                        f"{epoch.proposal.threshold:.3f} on and not from {threshold:.3f}; look again"
                    )
            return [epochs.promoted(tx, self._clock, epoch, self._terms, by=by) for epoch in found]

        granted = await self._store.write(step)
        for epoch in granted:
            self._telemetry.emit(moved(epoch, "promoted", epoch.earned or Level.ASSIST, epoch.threshold, by=by))
        return granted

    async def decline(self, of: Slice, *, by: str) -> list[Epoch]:
        """Turn the promotions proposed here down; raises `Conflict` where none is."""

        def step(tx: Transaction) -> list[Epoch]:
            return [epochs.declined(tx, self._clock, epoch, by=by) for epoch in self._proposals(tx, of)]

        return await self._store.write(step)

    async def restart(self, of: Slice, *, by: str) -> list[Epoch]:
        """Begin anew, in assist and from no evidence; raises `NotFound` where no epoch is."""

        def step(tx: Transaction) -> list[Epoch]:
            found = [epoch for epoch in tx.epochs.all_open() if of.covers(epoch)]
            if not found:
                raise NotFound(f"nothing was earned on {of} yet, so there is nothing to begin anew")
            return [self._begin_anew(tx, epoch, by) for epoch in found]

        begun = await self._store.write(step)
        for epoch in begun:
            self._telemetry.emit(moved(epoch, "restarted", Level.ASSIST, None, by=by))
        return begun

    def _begin_anew(self, tx: Transaction, epoch: Epoch, by: str) -> Epoch:
        past = tx.candidates.latest_of(epoch.topic, epoch.channel, epoch.release, limit=SCORES_MAX)
        scores = scores_under(past, calibrator_under(self._ground.rules(), tx.calibrators.latest()))
        return epochs.ended(tx, self._clock, self._ground, epoch, Why.RESTARTED, scores, earned=Level.ASSIST, by=by)

    def _proposals(self, tx: Transaction, of: Slice) -> list[Epoch]:
        found = [epoch for epoch in tx.epochs.all_open() if epoch.proposal is not None and of.covers(epoch)]
        if not found:
            raise Conflict(f"no promotion is proposed on {of}; `understudy autonomy status` shows what is")
        return found

    def _say(self, what: str, of: Slice, *, by: str, why: str | None = None) -> None:
        self._telemetry.emit(
            AutonomyMoved(
                topic=of.topic,
                channel=of.channel,
                release=of.release or EVERY,
                what=what,
                level=None,
                threshold=None,
                why=why,
                by=by,
            )
        )
