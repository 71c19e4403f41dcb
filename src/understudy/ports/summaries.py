"""What models write of hand-offs, as a part of the store's port; it asks none."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from understudy.records.review import Hold
from understudy.records.summary import WrittenSummary


class Summaries(Protocol):
    """One for each hand-off that a model was asked about. Every change has a ledger entry, which the caller writes."""

    def missing(self, since: datetime, now: datetime, *, limit: int) -> list[Hold]:
        """Open hand-offs that began after `since`, of which nothing came yet and which nobody asks about, the oldest first; none of
        rehearsals."""
        ...

    def put(self, summary: WrittenSummary) -> None: ...

    def of_hold(self, hold_id: str) -> WrittenSummary | None: ...

    def latest_of(self, conversation_id: str) -> WrittenSummary | None:
        """What was written, or asked for, last in a conversation."""
        ...
