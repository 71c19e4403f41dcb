"""Tickets, and what systems' answers looked like, as parts of the store's port; it asks and opens nothing."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from understudy.records.facts import About
from understudy.records.review import Hold
from understudy.records.systems import Contract
from understudy.records.tickets import StepState, Ticket, TicketState, TicketStep


class Tickets(Protocol):
    """Tickets of hand-offs."""

    def missing(self, system: str, *, limit: int) -> list[Hold]:
        """Open hand-offs for which no ticket was ordered in a system, the oldest first; none of a conversation whose ticket
        of an earlier hand-off is not over."""
        ...

    def add(self, ticket: Ticket) -> None: ...

    def get(self, ticket_id: str) -> Ticket:
        """Read one; raises `NotFound`."""
        ...

    def of_conversation(self, conversation_id: str) -> list[Ticket]:
        """The tickets of a conversation, the oldest first."""
        ...

    def due(self, system: str, now: datetime, *, limit: int) -> list[Ticket]:
        """Pending ones of a system that are due, and those being opened whose lease lapsed."""
        ...

    def listed(self, states: Collection[TicketState], *, limit: int) -> list[Ticket]:
        """Tickets in one of these states, the oldest first."""
        ...

    def change(self, ticket: Ticket, *, attempts: int) -> None:
        """Write one whose stored `attempts` is as given; raises `StepSuperseded` where it is not."""
        ...

    def to_tell(self, system: str, *, when_handed_back: bool, since: datetime, limit: int) -> list[Ticket]:
        """Open tickets ordered since then of which there is news: somebody else has the conversation, or it is over: no
        hand-off of the conversation waits, and the agent answers again or, unless `when_handed_back`, a person did."""
        ...

    def is_over(self, ticket_id: str, *, when_handed_back: bool) -> bool:
        """Whether that is so of an open ticket's hand-off."""
        ...


class TicketSteps(Protocol):
    """What open tickets are told."""

    def add(self, step: TicketStep) -> None: ...

    def get(self, step_id: str) -> TicketStep:
        """Read one; raises `NotFound`."""
        ...

    def of_ticket(self, ticket_id: str) -> list[TicketStep]:
        """The steps of a ticket, in their order."""
        ...

    def due(self, system: str, now: datetime, *, limit: int) -> list[TicketStep]:
        """Pending ones of a system that are due and those under way whose lease lapsed, as far as no earlier one of their ticket is to
        be done."""
        ...

    def listed(self, states: Collection[StepState], *, limit: int) -> list[TicketStep]:
        """Steps in one of these states, the oldest first."""
        ...

    def change(self, step: TicketStep, *, attempts: int) -> None:
        """Write one whose stored `attempts` is as given; raises `StepSuperseded` where it is not."""
        ...


class Contracts(Protocol):
    """What the answers of systems of record looked like; no news, so no ledger entry is needed for a change."""

    def all(self) -> list[Contract]: ...

    def get(self, system: str, about: About) -> Contract | None: ...

    def put(self, contract: Contract) -> None:
        """Write one, in place of the one before."""
        ...
