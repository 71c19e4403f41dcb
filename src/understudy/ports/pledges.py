"""Pledges as parts of the store's port; it neither finds nor chases one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from understudy.records.pledges import Pledge, PledgeState


class Pledges(Protocol):
    """What the business owes its customers. Every change has a ledger entry, which the caller writes."""

    def add(self, pledge: Pledge) -> None: ...

    def get(self, pledge_id: str) -> Pledge:
        """Read one; raises `NotFound`."""
        ...

    def of_contacts(self, contact_ids: Sequence[str], *, limit: int) -> list[Pledge]:
        """Those made to any of these contacts: what still has to be kept, the next due first, then the rest, the latest first."""
        ...

    def owed_to(self, contact_ids: Sequence[str]) -> list[Pledge]:
        """Those made to any of these contacts that still have to be kept, the next due first; costs nothing where nothing is owed
        to anybody."""
        ...

    def of_conversation(self, conversation_id: str) -> list[Pledge]:
        """Those made in a conversation, the oldest first."""
        ...

    def listed(self, states: Collection[PledgeState], *, limit: int) -> list[Pledge]:
        """Those in one of these states, the next due first."""
        ...

    def due(self, now: datetime, *, limit: int) -> list[Pledge]:
        """Open ones of which people are to be told by now, or whose deadline has passed; the next due first."""
        ...

    def change(self, pledge: Pledge, *, was: int) -> None:
        """Write one whose stored version is `was`; raises `StaleVersion` where it is not."""
        ...
