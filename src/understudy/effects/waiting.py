"""A verdict that waits to be carried out: give up on it, and put its hold before people again. It carries none out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from understudy.ports.store import Transaction
from understudy.records.review import Hold, Verdict
from understudy.records.turn import HOLD_JOB, Job


def lapse(tx: Transaction, hold: Hold, *, now: datetime, why: str) -> Hold:
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
        at=now,
        turn_id=hold.turn_id,
        conversation_id=hold.conversation_id,
        actor=waiting.reviewer,
        hold=hold.id,
        verdict=waiting.verdict.id,
        why=why,
    )
    return replace(hold, undo_until=None)


def reopen_refused(tx: Transaction, hold_id: str, *, now: datetime, why: str) -> None:
    """Put a hold before people again whose verdict cannot be carried out; it says why in the ledger."""
    waiting, hold = tx.waiting_verdicts.get(hold_id), tx.holds.get(hold_id)
    if waiting is not None:
        open_again(tx, lapse(tx, hold, now=now, why=why), waiting.verdict, now=now)


def reopen_all_of(tx: Transaction, reviewer: str, *, now: datetime, why: str) -> None:
    """Put before people again what somebody decided who must not decide any more; none of it was done yet."""
    for hold_id in tx.waiting_verdicts.of_reviewer(reviewer):
        reopen_refused(tx, hold_id, now=now, why=why)


def open_again(tx: Transaction, hold: Hold, verdict: Verdict, *, now: datetime) -> Hold:
    """Let a hold whose verdict is gone wait for one again; returns it at its new version."""
    opened = replace(hold, version=hold.version + 1, undo_until=None)
    tx.holds.change(opened, was=hold.version)
    tx.ledger.append(
        "hold.reopened",
        at=now,
        turn_id=hold.turn_id,
        conversation_id=hold.conversation_id,
        actor=verdict.reviewer,
        hold=hold.id,
    )
    if hold.expires_at is not None:
        tx.announce(Job(kind=HOLD_JOB, key=hold.id), at=max(now, hold.expires_at))
    return opened
