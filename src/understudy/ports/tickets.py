"""Tickets, and what systems' answers looked like, as parts of the store's port; it asks and opens nothing."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from understudy.records.facts import About
from understudy.records.review import Hold
from understudy.records.systems import Contract
from understudy.records.tickets import Ticket, TicketState


class Tickets(Protocol):
    """Tickets of hand-offs."""

    def missing(self, system: str, *, limit: int) -> list[Hold]:
        """Open hand-offs for which no ticket was ordered in a system, the oldest first."""
        ...

    def add(self, ticket: Ticket) -> None: ...

    def get(self, ticket_id: str) -> Ticket:
        """Read one; raises `NotFound`."""
        ...

    def of_conversation(self, conversation_id: str) -> list[Ticket]:
        """The tickets of a conversation, the oldest first."""
        ...

    def due(self, now: datetime, *, limit: int) -> list[Ticket]:
        """Pending ones that are due, and those being opened whose lease lapsed."""
        ...

    def listed(self, states: Collection[TicketState], *, limit: int) -> list[Ticket]:
        """Tickets in one of these states, the oldest first."""
        ...

    def change(self, ticket: Ticket, *, attempts: int) -> None:
        """Write one whose stored `attempts` is as given; raises `StepSuperseded` where it is not."""
        ...


class Contracts(Protocol):
    """What the answers of systems of record looked like; no news, so no ledger entry is needed for a change."""

    def all(self) -> list[Contract]: ...

    def get(self, system: str, about: About) -> Contract | None: ...

    def put(self, contract: Contract) -> None:
        """Write one, in place of the one before."""
        ...
