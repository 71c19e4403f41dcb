"""What one worker has of an entry that it sends, and what a send can also come to; it sends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from understudy.ports.store import Transaction
from understudy.records.conversation import Author
from understudy.records.outbox import OutboxEntry, Rejected, Retry, SendResult


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeToRepeat(Retry):
    """Nobody can tell whether it was sent, and the channel takes a repeated key for the same message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """An entry that is this worker's to send, until `ends` if it is renewed.

    `was_interrupted`: somebody began to send it before. `text`: what is sent, where that is kept nowhere. `barred`: what is
    to be recorded of it without sending it.
    """

    entry: OutboxEntry
    ends: datetime
    was_interrupted: bool
    text: str | None = None
    barred: SendResult | None = None

    def left_s(self, now: datetime) -> float:
        """Seconds until it ends, however often it is renewed."""
        return (self.ends - now).total_seconds()

    def is_stale(self, now: datetime, lease_s: float) -> bool:
        """Whether half of the lease's first term went by without a byte being sent."""
        assert self.entry.due_at is not None, f"outbox entry {self.entry.id} is leased"
        term = lease_s - (self.ends - self.entry.due_at).total_seconds()
        return (self.entry.due_at - now).total_seconds() < term / 2


class OptedOut(Rejected):
    """Refused by us: the customer wants no messages there."""


def is_nobodys(tx: Transaction, entry: OutboxEntry) -> bool:
    """Whether nobody is asked where it fails: a text that goes out by rule beside all turns, for which nobody waits, or one of
    a conversation that began with a STOP and so has no turn to ask under."""
    if entry.turn_id is not None:
        return False
    return entry.author is Author.SAFE_REPLY or tx.turns.latest_of(entry.conversation_id) is None
