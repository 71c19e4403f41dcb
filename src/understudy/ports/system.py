"""A system of record as a port: it says what it knows of a customer, and opens, notes, assigns and closes tickets; it judges nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from understudy.ports.channel import Reached
from understudy.records.facts import About, FactItem, Unknown
from understudy.records.outbox import SendResult
from understudy.records.systems import Known, Order, Write


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a look-up found: all there is, or the first of more. `as_of`: when the system says it was so."""

    items: tuple[FactItem, ...] = ()
    has_more: bool = False
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """A look-up that told nothing. `after_s`: how long the system asks to be left alone."""

    why: Unknown
    says: str
    after_s: float | None = None


Witness = Callable[[str, About, Any], None]
"""Is shown what a system answered to a look-up, before anything is read of it: the system's name, what was asked, the JSON."""


class System(Protocol):
    """Anything that keeps the business's records."""

    @property
    def name(self) -> str:
        """The system's name in the configuration."""
        ...

    def can_look_up(self, about: About) -> bool:
        """Whether it can be asked for this."""
        ...

    def wants(self, about: About) -> Collection[str]:
        """Of what a look-up makes use: `email`, `phone`, `phone_digits`, `external_id`, `contact_id`."""
        ...

    async def look_up(self, about: About, known: Known, *, deadline_s: float) -> Found | Untold:
        """Look something up of a customer; raises nothing for what the system or the network does.

        Only things of that customer come back: what carries another address than a vouched one is left out.
        """
        ...

    def can_write(self, what: Write) -> bool:
        """Whether it can be told this."""
        ...

    def honours_keys(self, what: Write) -> bool:
        """Whether the same order again changes nothing."""
        ...

    def can_find(self, what: Write) -> bool:
        """Whether it can be asked if an order was carried out."""
        ...

    async def write(self, order: Order) -> SendResult:
        """Carry an order out under its key. Never raises for what the system answers; an exception that escapes counts
        as *unknown*."""
        ...

    async def find(self, order: Order) -> SendResult:
        """See what became of an order: `Accepted` with the ticket, `Retry` where it was certainly not carried out,
        `Unknown` where it cannot tell."""
        ...

    async def check(self) -> Reached:
        """Ask whether it lets us in; raises `ConfigurationError` with what it said where it does not."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
