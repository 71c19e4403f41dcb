"""The part of the store that auditors and the health page look up, newest first and a bounded stretch at a time; it serves no turn."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from understudy.records.ledger import LedgerEntry
from understudy.records.outbox import OutboxEntry
from understudy.records.review import Hold
from understudy.records.reviewing import SecondReview
from understudy.records.trail import Process, Sizes, TurnSeen
from understudy.records.turn import Turn


class Trail(Protocol):
    """What happened, found backwards. `before` None: from the latest."""

    def turns(self, *, before: int | None = None, limit: int) -> list[Turn]:
        """Turns with `position` < `before`, the latest first."""
        ...

    def turns_seen(self, *, before: int | None = None, limit: int) -> list[TurnSeen]:
        """The same as a list shows them."""
        ...

    def turns_of(self, conversation_id: str, *, before: int | None = None, limit: int) -> list[TurnSeen]:
        """Those of one conversation."""
        ...

    def texts(self, *, after: int, until: int) -> Mapping[int, Sequence[str]]:
        """All that was said, or was to be said, in the turns with `after` < `position` <= `until`, by position."""
        ...

    def position_before(self, moment: datetime) -> int:
        """The position of the latest turn that began before a moment, as far as turns are in order; 0 where none is."""
        ...

    def entries(
        self,
        *,
        before: int | None = None,
        after: int = 0,
        event: str | None = None,
        actor: str | None = None,
        conversation_id: str | None = None,
        limit: int,
    ) -> list[LedgerEntry]:
        """Entries with `after` < `seq` < `before`, the latest first; looks at all of them, so keep the stretch short."""
        ...

    def entries_of(self, turn_id: str, *, limit: int) -> list[LedgerEntry]:
        """The entries of a turn, in order."""
        ...

    def seq_before(self, moment: datetime) -> int:
        """The `seq` of the latest entry before a moment, as far as entries are in order; 0 where none is."""
        ...

    def holds_of(self, turn_id: str) -> list[Hold]:
        """Everything that ever waited for a person because of a turn, oldest first."""
        ...

    def second_of(self, hold_id: str) -> SecondReview | None:
        """What came of a second review."""
        ...

    def dead(self, *, limit: int) -> list[OutboxEntry]:
        """Messages that were given up, oldest first."""
        ...

    def documents(self, turn_ids: Collection[str], kind: str) -> list[str]:
        """The documents of a kind that these turns have."""
        ...

    def sizes(self, now: datetime) -> Sizes:
        """Count what is under way."""
        ...


class Processes(Protocol):
    """Processes at work, each as it told last. They are no news, so no ledger entry tells of them."""

    def put(self, process: Process, *, forget_before: datetime) -> None:
        """Write one as it is now, and forget those that were silent since a moment."""
        ...

    def all(self) -> list[Process]:
        """Every one, the longest at work first."""
        ...

    def end(self, process_id: str) -> None:
        """Say that one is over."""
        ...
