"""Learn the calibrator anew in the background: read verdicts, try a new one on those it has not seen, adopt it if it is
better. It takes no place in a turn, and the arithmetic stands in `calibrating.py`.

Nothing heavy runs in the store's writer: what was computed beside it is written only if the calibrator it was compared
with is still in force. Slices follow one by one. A crash in between leaves each with one of the two calibrators, both
whole, and the next sweep goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from understudy.assessment.confidence import calibrator_of, calibrator_under
from understudy.errors import StaleVersion
from understudy.learning import epochs
from understudy.learning.calibrating import Trial, scores_under, tried
from understudy.learning.flow import SCORES_MAX, moved
from understudy.learning.promotion import Why, follows_calibrator
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import CalibratorAdopted, Telemetry
from understudy.records.autonomy import Candidate, Epoch, RefitTerms, Targets
from understudy.records.rulebook import SHIPPED, Calibrator, Level, Rules

VERDICTS_MAX = 20_000
"""A calibrator is learned from at most so many verdicts, the latest."""


class Refit:
    """See the module. `rules` says what is known before the verdicts, `targets_of` what is promised for a topic."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        rules: Callable[[], Rules],
        *,
        targets_of: Callable[[str], Targets],
        seeds_min: int,
        terms: RefitTerms,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._rules = rules
        self._ground = epochs.Ground(rules=rules, targets_of=targets_of, seeds_min=seeds_min)
        self._terms = terms
        self._tried_at: datetime | None = None
        self._seen = 0

    async def sweep(self) -> int:
        """Try a new calibrator where it is time; returns how many slices follow one that was adopted."""
        if await self._is_due(self._clock.now()):
            await self.refit()
        return await self._follow()

    async def _is_due(self, now: datetime) -> bool:
        new = await self._store.read(lambda tx: tx.candidates.count_judged(after=self._seen))
        if self._tried_at is None:
            return new >= self._terms.trial.verdicts_min
        return new >= self._terms.new_verdicts or (new > 0 and now >= self._tried_at + self._terms.every)

    async def refit(self) -> Trial | None:
        """Try a new calibrator now, and adopt it if it is better; None where there are too few verdicts."""
        rules = self._rules()
        known_before = calibrator_of(rules)

        def look(tx: Transaction) -> tuple[Calibrator | None, list[Candidate]]:
            return tx.calibrators.latest(), tx.candidates.latest_judged(limit=VERDICTS_MAX)

        stored, judged = await self._store.read(look)
        self._tried_at = self._clock.now()
        self._seen = judged[-1].seq if judged else 0
        trial = await asyncio.to_thread(
            tried, judged, in_force=stored or known_before, known_before=known_before, terms=self._terms.trial
        )
        if trial is not None and trial.is_better:
            await self._adopt(trial, SHIPPED if stored is None else stored.id)
        return trial

    async def _adopt(self, trial: Trial, was: str) -> None:
        """Put what was tried in force for every epoch that begins from now on; not where another came first."""

        def step(tx: Transaction) -> bool:
            now, in_force = self._clock.now(), tx.calibrators.latest()
            if was != (SHIPPED if in_force is None else in_force.id) or tx.calibrators.get(trial.calibrator.id):
                return False
            tx.calibrators.add(trial.calibrator, now=now)
            tx.ledger.append(
                "calibrator.adopted",
                at=now,
                calibrator=trial.calibrator.id,
                replaces=was,
                base_log_odds=trial.calibrator.base_log_odds,
                weights=dict(trial.calibrator.weights),
                labels=trial.calibrator.labels,
                trained_until=trial.calibrator.trained_until,
                unseen=trial.unseen,
                log_loss_before=trial.log_loss_before,
                log_loss_after=trial.log_loss_after,
                p_value=trial.p_value,
            )
            return True

        if await self._store.write(step):
            self._telemetry.emit(
                CalibratorAdopted(
                    calibrator=trial.calibrator.id,
                    replaces=was,
                    labels=trial.calibrator.labels,
                    unseen=trial.unseen,
                    log_loss_before=trial.log_loss_before,
                    log_loss_after=trial.log_loss_after,
                    p_value=trial.p_value,
                )
            )

    async def _follow(self) -> int:
        """Begin anew where people decide on every draft and evidence is still gathered under an older calibrator."""
        calibrator = await self._store.read(lambda tx: tx.calibrators.latest())
        if calibrator is None:
            return 0
        rules = self._rules()
        older = await self._store.read(
            lambda tx: [
                one
                for one in tx.epochs.open_under_others(calibrator.id)
                if follows_calibrator(one, calibrator.id, rules)
            ]
        )
        return sum([await self._begin_anew(epoch, calibrator) for epoch in older])

    async def _begin_anew(self, epoch: Epoch, calibrator: Calibrator) -> bool:
        of_slice = (epoch.topic, epoch.channel, epoch.release)
        past = await self._store.read(lambda tx: tx.candidates.latest_of(*of_slice, limit=SCORES_MAX))
        scores = await asyncio.to_thread(scores_under, past, calibrator_under(self._rules(), calibrator))

        def step(tx: Transaction) -> Epoch:
            in_force = tx.calibrators.latest()
            if in_force is None or in_force.id != calibrator.id:
                raise StaleVersion(f"calibrator {calibrator.id} is no longer in force")
            return epochs.ended(tx, self._clock, self._ground, epoch, Why.CALIBRATOR, scores, earned=epoch.earned)

        try:
            begun = await self._store.write(step)
        except StaleVersion:
            return False  # it moved meanwhile; the next sweep looks again
        self._telemetry.emit(moved(begun, "calibrated", begun.earned or Level.ASSIST, None, why=Why.CALIBRATOR.value))
        return True
