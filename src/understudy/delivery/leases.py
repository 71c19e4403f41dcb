"""What a worker holds of an outbox entry while it sends it, and the answer that only the worker gives; it sends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from understudy.records.outbox import OutboxEntry, Retry, SendResult


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
