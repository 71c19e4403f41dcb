"""What one worker has of an entry that it sends, and what a send can also come to; it sends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from understudy.records.conversation import Author
from understudy.records.outbox import OutboxEntry, Rejected, Retry


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeToRepeat(Retry):
    """Nobody can tell whether it was sent, and the channel takes a repeated key for the same message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """An entry that is this worker's to send, until `ends` if it is renewed.

    `was_interrupted`: somebody began to send it before.
    """

    entry: OutboxEntry
    ends: datetime
    was_interrupted: bool


class OptedOut(Rejected):
    """Refused by us: the customer wants no messages there."""


def is_notice(entry: OutboxEntry) -> bool:
    """Whether it is a text that goes out by rule beside all turns; nobody waits for it, so nobody is asked where it fails."""
    return entry.turn_id is None and entry.author is Author.SAFE_REPLY
