"""Tickets to be opened in a system of record, and what became of them; it opens none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from understudy.records.systems import Order


class TicketState(StrEnum):
    """Where a ticket stands.

    *unknown*: it may or may not have been opened, and a person must look; *dead*: given up; *dropped*: somebody answered
    before it was opened, or a person decided that it is not opened.
    """

    PENDING = "pending"
    SENDING = "sending"
    OPENED = "opened"
    UNKNOWN = "unknown"
    DEAD = "dead"
    DROPPED = "dropped"


UNSETTLED = (TicketState.UNKNOWN, TicketState.DEAD)
"""States in which nothing more happens unless a person says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket for a hand-off. `id` is the key under which it is opened; `attempts` counts the tries begun so far.

    `number` is the system's name for it, once it is open.
    """

    id: str
    system: str
    hold_id: str
    turn_id: str
    conversation_id: str
    state: TicketState
    attempts: int
    due_at: datetime | None
    tried_at: datetime | None
    number: str | None
    last_error: str | None
    ordered: Order
    created_at: datetime
