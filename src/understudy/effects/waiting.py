"""A verdict that waits to be carried out: give up on it where the hold goes another way first. It carries none out."""

from __future__ import annotations

from dataclasses import replace

from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.review import Hold


def lapse(tx: Transaction, clock: Clock, hold: Hold, *, why: str) -> Hold:
    """Forget the verdict that waits on a hold, if one does: nothing of it was done. Returns the hold without it.

    Whoever calls writes the hold, in the same step.
    """
    if hold.undo_until is None:
        return hold
    waiting = tx.waiting_verdicts.get(hold.id)
    assert waiting is not None, f"hold {hold.id} has a verdict that waits and there is none"
    tx.waiting_verdicts.remove(hold.id)
    tx.ledger.append(
        "review.verdict_lapsed",
        at=clock.now(),
        turn_id=hold.turn_id,
        conversation_id=hold.conversation_id,
        actor=waiting.reviewer,
        hold=hold.id,
        verdict=waiting.verdict.id,
        why=why,
    )
    return replace(hold, undo_until=None)
