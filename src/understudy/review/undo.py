"""Put a verdict aside for as long as it may be taken back, and take it back; carrying it out is `verdicts.py`'s work.

What was decided stands in the ledger from the start, under `review.`, where only auditors read: who may still judge the
same draft must not learn it. Everybody hears that the hold is decided on, or open again, by `hold.deciding` and
`hold.reopened`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from understudy.effects.waiting import open_again
from understudy.errors import Forbidden, TooLate
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.review import Hold, Verdict, WaitingVerdict
from understudy.records.turn import VERDICT_JOB, Job
from understudy.review.telling import tell_verdict


def put_waiting(tx: Transaction, hold: Hold, verdict: Verdict, *, due_at: datetime) -> None:
    """Keep a verdict until it is due, and the hold from everybody else meanwhile."""
    since = hold.claimed_at if hold.claimed_by == verdict.reviewer else None
    kept = replace(
        hold,
        version=hold.version + 1,
        claimed_by=verdict.reviewer,
        claimed_until=due_at,
        claimed_at=since,
        undo_until=due_at,
    )
    tx.holds.change(kept, was=hold.version)
    tx.waiting_verdicts.add(WaitingVerdict(hold_id=hold.id, reviewer=verdict.reviewer, due_at=due_at, verdict=verdict))
    tx.ledger.append(
        "hold.deciding",
        at=verdict.at,
        turn_id=hold.turn_id,
        conversation_id=hold.conversation_id,
        actor=verdict.reviewer,
        hold=hold.id,
        until=due_at.isoformat(),
    )
    tell_verdict(tx, "review.verdict_waiting", hold, verdict, at=verdict.at)
    tx.announce(Job(kind=VERDICT_JOB, key=hold.id), at=due_at)


def reopen(
    tx: Transaction, clock: Clock, hold_id: str, reviewer: str, *, claimed_until: datetime
) -> tuple[Hold, Verdict]:
    """Take a verdict back: as if it had not been given, but for the hold's version and the ledger."""
    hold = tx.holds.get(hold_id)
    waiting = tx.waiting_verdicts.get(hold_id)
    if waiting is None:
        raise TooLate(f"no verdict on hold {hold_id} can be taken back: it was carried out, is void or was never given")
    if waiting.reviewer != reviewer:
        raise Forbidden(f"{waiting.reviewer} gave the verdict on hold {hold_id}, so only they can take it back")
    tx.waiting_verdicts.remove(hold_id)
    kept = replace(hold, claimed_until=claimed_until, claimed_at=hold.claimed_at or clock.now())
    opened = open_again(tx, kept, waiting.verdict, now=clock.now())
    tx.ledger.append(
        "review.verdict_taken_back",
        at=clock.now(),
        turn_id=hold.turn_id,
        conversation_id=hold.conversation_id,
        actor=reviewer,
        hold=hold.id,
        verdict=waiting.verdict.id,
    )
    return opened, waiting.verdict
