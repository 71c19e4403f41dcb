"""Feedback on a reply, told from outside: by a help desk, a button, a program. What follows from it is in `effects/`."""

from __future__ import annotations

from understudy.effects.feedback import take_feedback
from understudy.effects.holds import hold_opened
from understudy.errors import Conflict
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import Telemetry
from understudy.records.feedback import Feedback, FeedbackKind, FeedbackTerms
from understudy.records.review import Hold


class FeedbackDesk:
    """Takes feedback."""

    def __init__(self, store: Store, clock: Clock, telemetry: Telemetry, *, terms: FeedbackTerms) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._terms = terms

    async def give(self, turn_id: str, kind: FeedbackKind, *, by: str) -> Feedback:
        """Take one kind of feedback on the reply to a turn; a second of the same kind changes nothing.

        Raises `NotFound`, and `Conflict` where nothing was sent for the turn.
        """

        def step(tx: Transaction) -> tuple[Feedback, Hold | None]:
            turn = tx.turns.get(turn_id)
            if not tx.outbox.of_turn(turn_id):
                raise Conflict(f"nothing was sent for turn {turn_id}, so there is nothing to say of it yet")
            hold = take_feedback(tx, self._clock, turn, kind, by=by, terms=self._terms)
            (kept,) = (one for one in tx.feedback.of_turn(turn_id) if one.kind is kind)
            return kept, hold

        kept, hold = await self._store.write(step)
        if hold is not None:
            self._telemetry.emit(hold_opened(hold))
        return kept
