"""The outbox as a part of the store's port: entries, found by what is to be done with them, and their receipts; it sends nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from understudy.records.outbox import OutboxEntry, OutboxState, Receipt


class Outbox(Protocol):
    """What is to be sent, in order inside a conversation."""

    def add(self, entry: OutboxEntry) -> OutboxEntry:
        """Add one and return it with its `seq`."""
        ...

    def get(self, outbox_id: str) -> OutboxEntry:
        """Read one; raises `NotFound`."""
        ...

    def find(self, outbox_id: str) -> OutboxEntry | None:
        """Read one, if there is one of that name."""
        ...

    def taken_as(self, channel: str, provider_id: str) -> OutboxEntry | None:
        """Find the entry that a channel took under a name of its own; the latest, where it gave a name twice."""
        ...

    def head(self, conversation_id: str) -> OutboxEntry | None:
        """The oldest entry of a conversation that waits or is under way: the only one that may be sent."""
        ...

    def open_of(self, conversation_id: str) -> list[OutboxEntry]:
        """The entries of a conversation that wait or are under way, in the order in which they leave."""
        ...

    def of_turn(self, turn_id: str) -> list[OutboxEntry]: ...

    def change(self, entry: OutboxEntry, *, attempts: int) -> None:
        """Write an entry whose stored `attempts` is as given; raises `StepSuperseded` where it is not."""
        ...

    def readdress(self, entry: OutboxEntry) -> None:
        """Write channel, address and external id of an entry that is not settled; `change` writes neither."""
        ...

    def renew(self, entry: OutboxEntry, *, until: datetime) -> None:
        """Move `due_at` of an entry that is being sent under these `attempts`, or do nothing; no ledger entry."""
        ...

    def due(self, now: datetime, *, limit: int) -> list[OutboxEntry]:
        """Pending entries that are due, and sending ones whose lease lapsed."""
        ...

    def listed(
        self, states: Collection[OutboxState], *, channel: str | None = None, after: int = 0, limit: int
    ) -> list[OutboxEntry]:
        """Entries in one of these states with `seq` > `after`, of one channel or of all, in the order of `seq`."""
        ...

    def count(self, states: Collection[OutboxState], *, channel: str | None = None) -> Mapping[OutboxState, int]:
        """Count the entries in each of these states; a state without any counts 0."""
        ...

    def add_receipt(self, receipt: Receipt) -> None: ...

    def receipts(self, outbox_id: str) -> list[Receipt]: ...
