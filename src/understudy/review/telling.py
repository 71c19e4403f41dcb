"""What the ledger says of a verdict, whether it waits to be carried out or was given; words of people go in as digests."""

from __future__ import annotations

from datetime import datetime

from understudy.ports.store import Transaction
from understudy.records.codec import digest
from understudy.records.review import Hold, Verdict


def tell_verdict(tx: Transaction, event: str, hold: Hold, verdict: Verdict, *, at: datetime) -> None:
    """Say what somebody decided on a hold and why."""
    tx.ledger.append(
        event,
        at=at,
        turn_id=hold.turn_id,
        conversation_id=hold.conversation_id,
        actor=verdict.reviewer,
        hold=hold.id,
        verdict=verdict.id,
        kind=verdict.kind.value,
        severity=verdict.severity,
        reasons=list(verdict.reasons),
        topic=verdict.topic,
        text=None if verdict.text is None else digest(verdict.text),
        bulk=verdict.bulk,
        repeat=verdict.is_repeat,
    )
