"""Take a person's word on a message of which nobody knew whether it arrived; it sends none."""

from __future__ import annotations

from dataclasses import replace

from understudy.effects.sending import settle_sent
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.outbox import OutboxState
from understudy.records.pledges import PledgeTerms
from understudy.records.review import Verdict, VerdictKind
from understudy.records.turn import OUTBOX_JOB, Job, Turn


def settle_unsure_send(tx: Transaction, clock: Clock, turn: Turn, verdict: Verdict, pledges: PledgeTerms) -> None:
    """*reject* says that it arrived, *approve* that it did not and is sent again."""
    # What waits for this verdict stands before everything else in the conversation; it may belong to no turn.
    entry = tx.outbox.head(turn.conversation_id)
    if entry is not None and entry.state is OutboxState.UNKNOWN:
        arrived = verdict.kind is VerdictKind.REJECT
        state = OutboxState.SENT if arrived else OutboxState.PENDING
        tx.outbox.change(replace(entry, state=state, due_at=None if arrived else verdict.at), attempts=entry.attempts)
        if arrived:
            settle_sent(tx, clock, entry, None if entry.turn_id is None else tx.turns.get(entry.turn_id), pledges)
    tx.announce(Job(kind=OUTBOX_JOB, key=turn.conversation_id))
