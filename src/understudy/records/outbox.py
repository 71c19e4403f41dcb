"""What is to be sent and what became of it: outbox entries, the four answers of a send, receipts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from understudy.records.conversation import Author, Origin
from understudy.records.disclosure import Disclosure, as_read


class OutboxState(StrEnum):
    """Where an entry stands.

    *unknown*: the send may or may not have happened and a person must say; *dead*: given up; *dropped*: a person
    decided that it shall not be sent.
    """

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    DEAD = "dead"
    DROPPED = "dropped"


OPEN_ENTRY = frozenset({OutboxState.PENDING, OutboxState.SENDING, OutboxState.UNKNOWN})
"""States of an entry that waits or is under way; only the oldest of a conversation may be sent."""
NOT_SENT = (OutboxState.PENDING, OutboxState.SENDING, OutboxState.UNKNOWN, OutboxState.DEAD)
"""States of an entry that did not certainly reach the customer and still may: what is listed, in this order, where
nobody asks for anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """One message to send. `id` is also the idempotency key; `attempts` counts the sends begun so far.

    `disclosure` is settled when its first send begins and is the same at every try; `text` is without it.
    """

    id: str
    seq: int
    turn_id: str | None
    conversation_id: str
    channel: str
    address: str
    external_id: str
    text: str
    author: Author
    author_name: str | None
    ai_generated: bool
    state: OutboxState
    attempts: int
    due_at: datetime | None
    last_error: str | None
    created_at: datetime
    origin: Origin | None = None
    disclosure: Disclosure | None = None

    def as_sent(self) -> OutboxEntry:
        """The entry as channels get it: its text is all that the customer shall read."""
        return replace(self, text=as_read(self.text, self.disclosure))


def origin_of(entry: OutboxEntry) -> str:
    """Whose work an entry is, for machines; of one from before that was kept, what is certain."""
    if entry.origin is not None:
        return entry.origin.value
    return (
        Origin.AI if entry.ai_generated else Origin.PERSON if entry.author is Author.REVIEWER else Origin.AUTOMATIC
    ).value


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The channel took the message; `provider_id` is its name for it, where it gives one."""

    provider_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The channel refuses this message for good."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Certainly not sent; try again, not before `after_s` seconds where the channel says so."""

    reason: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The bytes may have left: sent or not, nobody can tell from here."""

    reason: str


SendResult = Accepted | Rejected | Retry | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the channel said of one send attempt."""

    outbox_id: str
    attempt: int
    outcome: str
    provider_id: str | None
    detail: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a channel says, later and of its own accord, of a reply: that the customer has it, or will not get it.

    `key` is our own id of the entry where the channel carries it back, `provider_id` the channel's name for it.
    """

    key: str | None
    provider_id: str | None
    has_arrived: bool
    why: str | None = None
