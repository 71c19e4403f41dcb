"""The part of the store that is the reviewers' desk: verdicts on their way, views, keys, canned replies, who is there."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from understudy.records.desk import CannedReply, Presence, View
from understudy.records.review import WaitingVerdict


class WaitingVerdicts(Protocol):
    """Verdicts that can still be taken back, at most one for a hold."""

    def add(self, waiting: WaitingVerdict) -> None: ...

    def get(self, hold_id: str) -> WaitingVerdict | None: ...

    def remove(self, hold_id: str) -> None: ...

    def due(self, now: datetime, *, limit: int) -> list[str]:
        """The holds whose verdict is to be carried out now, the longest due first."""
        ...

    def of_reviewer(self, reviewer: str) -> list[str]:
        """The holds on which a verdict of theirs waits, the longest due first."""
        ...


class Desk(Protocol):
    """What reviewers set up. `owner` is a caller's id."""

    def views(self, owner: str) -> list[View]:
        """Their own and those that are shared, oldest first."""
        ...

    def view(self, view_id: str) -> View | None: ...

    def put_view(self, view: View) -> None:
        """Add one, or write it anew."""
        ...

    def drop_view(self, view_id: str) -> None: ...

    def preferences(self, owner: str) -> str | None:
        """What somebody set for themselves, as canonical JSON."""
        ...

    def put_preferences(self, owner: str, body: str, *, now: datetime) -> None: ...

    def canned(self) -> list[CannedReply]:
        """All canned replies, by name."""
        ...

    def put_canned(self, reply: CannedReply) -> None:
        """Add one, or write it anew."""
        ...

    def drop_canned(self, reply_id: str) -> None: ...

    def look_in(self, presence: Presence, *, forget_before: datetime) -> None:
        """Note that somebody is there, and forget who was not seen since. It is no news, so it needs no ledger entry."""
        ...

    def present(self, *, since: datetime) -> list[Presence]:
        """Who was seen since a moment, by name."""
        ...

    def leave(self, owner: str) -> None:
        """Forget at once that somebody is there. It is no news, so it needs no ledger entry."""
        ...
