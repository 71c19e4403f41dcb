"""Whose hand-offs are and who is there, as a part of the store's port; it chooses nobody."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from understudy.records.review import Hold
from understudy.records.staffing import Assignment, Availability


class Assignments(Protocol):
    """Customers' waits for a person. One is live until it ended; a conversation has at most one that is live.

    Every change has a ledger entry, which the caller writes.
    """

    def unknown(self, *, limit: int) -> list[Hold]:
        """Open hand-off holds of conversations that have no live wait, the most urgent first, then the oldest."""
        ...

    def add(self, assignment: Assignment) -> None: ...

    def get(self, assignment_id: str) -> Assignment:
        """Read one; raises `NotFound`."""
        ...

    def of_hold(self, hold_id: str) -> Assignment | None:
        """The live one that waits with this hold."""
        ...

    def live(self, *, limit: int) -> list[Assignment]:
        """Those that wait, the most urgent first, then the longest waiting."""
        ...

    def with_people(self) -> list[Assignment]:
        """Live ones that are somebody's, in the same order."""
        ...

    def nobodys(self, *, limit: int) -> list[Assignment]:
        """Live ones that are nobody's, in the same order."""
        ...

    def loose(self, *, limit: int) -> list[Assignment]:
        """Live ones whose hold is open no more, the longest waiting first."""
        ...

    def due(self, now: datetime, *, limit: int) -> list[Assignment]:
        """Live ones that a step of the SLA is due for, the longest due first."""
        ...

    def load(self) -> dict[str, int]:
        """How many live ones each person has; who has none is not there."""
        ...

    def is_answered(self, conversation_id: str, *, since: datetime) -> bool:
        """Whether a person wrote in a conversation since then, wherever they did."""
        ...

    def change(self, assignment: Assignment, *, was: int) -> None:
        """Write one whose stored version is `was`; raises `StaleVersion` where it is not."""
        ...

    def availabilities(self) -> list[Availability]:
        """What people said of their being there, by name."""
        ...

    def put_availability(self, availability: Availability) -> None:
        """Write what somebody says of themselves, in place of what they said before."""
        ...
