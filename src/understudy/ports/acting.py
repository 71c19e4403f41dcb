"""Who carries actions out as a port, and the part of the store that keeps them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from understudy.records.acting import ActionEntry, ActionState, ReadBack
from understudy.records.action_rules import ActionUse
from understudy.records.outbox import SendResult


class Executor(Protocol):
    """Carries out the actions of one name. An exception that escapes counts as *unknown*: it may have been done."""

    @property
    def honours_keys(self) -> bool:
        """Whether a call repeated under the same key is done once."""
        ...

    @property
    def can_read_back(self) -> bool:
        """Whether it can be seen what became of an action."""
        ...

    @property
    def can_compensate(self) -> bool:
        """Whether it can be made up for."""
        ...

    @property
    def compensates_by_key(self) -> bool:
        """Whether a compensation repeated under the same key is done once."""
        ...

    async def call(self, entry: ActionEntry) -> SendResult:
        """Carry an action out under its id as idempotency key."""
        ...

    async def read_back(self, entry: ActionEntry) -> ReadBack:
        """See what became of it; changes nothing."""
        ...

    async def compensate(self, entry: ActionEntry) -> SendResult:
        """Make up for it, under a key of its own."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Actions(Protocol):
    """Actions that were proposed; every change is a compare-and-set on the attempt number."""

    def add(self, entry: ActionEntry) -> ActionEntry:
        """Add one and return it with its `seq`, which orders actions inside a conversation."""
        ...

    def get(self, action_id: str) -> ActionEntry:
        """Read one; raises `NotFound`."""
        ...

    def of_turn(self, turn_id: str) -> list[ActionEntry]:
        """Those of a turn, in the order of the draft."""
        ...

    def of_conversation(self, conversation_id: str, *, limit: int) -> list[ActionEntry]:
        """The last ones of a conversation, oldest first."""
        ...

    def head(self, conversation_id: str) -> ActionEntry | None:
        """The oldest that was let through and is not settled; no other of the conversation may be carried out."""
        ...

    def change(self, entry: ActionEntry, *, attempts: int) -> None:
        """Write one whose stored number is `attempts`; raises `StepSuperseded` where it is not, and `ValueError` for a way
        that an action cannot go."""
        ...

    def due(self, now: datetime, *, limit: int) -> list[ActionEntry]:
        """Those let through or under way whose `due_at` has passed, the longest waiting first."""
        ...

    def uses(self, names: Iterable[str], contact_id: str, *, since: datetime) -> Mapping[str, ActionUse]:
        """How much of each was let through since then, for this contact and in all."""
        ...

    def listed(self, states: Collection[ActionState], *, name: str | None = None, limit: int) -> list[ActionEntry]:
        """Those in these states, oldest first."""
        ...

    def count(self, states: Collection[ActionState], *, name: str | None = None) -> dict[ActionState, int]:
        """How many there are of each state."""
        ...
