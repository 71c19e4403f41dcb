"""Tickets to be opened in a system of record, what they are told afterwards, and what became of that; it tells nobody."""

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

    `number` is the system's name for it, once it is open. `is_over`: what it stands for is over here, and it was ordered that
    the ticket is told. `given_to`: of whom it was last taken note that they have the conversation.
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
    is_over: bool = False
    given_to: str | None = None


class StepState(StrEnum):
    """Where a step stands.

    *unknown*: it may or may not have been done, and a person must look; *dead*: given up; *dropped*: a person decided that
    it is not done.
    """

    PENDING = "pending"
    SENDING = "sending"
    DONE = "done"
    UNKNOWN = "unknown"
    DEAD = "dead"
    DROPPED = "dropped"


UNSETTLED_STEPS = (StepState.UNKNOWN, StepState.DEAD)
"""States in which nothing more happens unless a person says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketStep:
    """Something an open ticket is told: a note, whose it is, that it is closed. `id` is the key under which it is told.

    The steps of a ticket go in the order of `place`, from 1. `ordered.ticket` is the system's name for the ticket.
    """

    id: str
    ticket_id: str
    place: int
    system: str
    turn_id: str
    conversation_id: str
    state: StepState
    attempts: int
    due_at: datetime | None
    tried_at: datetime | None
    last_error: str | None
    ordered: Order
    created_at: datetime
