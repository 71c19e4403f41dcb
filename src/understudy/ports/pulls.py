"""The part of the store that knows what is fetched from channels: who may fetch, how far it is, and letters' envelopes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from understudy.records.pulls import Envelope, PullLease, PullState


class Pulls(Protocol):
    """Channels that are fetched from: each by one process at a time, under a token."""

    def lease(self, channel: str, *, now: datetime, until: datetime) -> PullLease | None:
        """Take a channel that is nobody's, under a new token; None while somebody has it. No ledger entry."""
        ...

    def move(self, lease: PullLease, cursor: str) -> None:
        """Write how far it is. Raises `StepSuperseded` where another process has taken the channel over; no ledger entry."""
        ...

    def renew(self, leases: Iterable[PullLease], *, until: datetime) -> None:
        """Move the end of leases that still hold; with the present moment they are anybody's. No ledger entry."""
        ...

    def free(self, *, now: datetime) -> None:
        """Let every lease end. Only for the start of a store's sole process: whoever had them is dead."""
        ...

    def state(self, channel: str, *, now: datetime) -> PullState | None:
        """How far a channel is; None where nobody ever fetched from it."""
        ...


class Envelopes(Protocol):
    """What came around messages that are letters."""

    def add(self, message_id: str, envelope: Envelope) -> None: ...

    def of_message(self, message_id: str) -> Envelope | None: ...

    def of_conversation(self, conversation_id: str) -> Mapping[str, Envelope]:
        """Those of a conversation's latest letters, at most 200, by message."""
        ...

    def latest(
        self, conversation_id: str, *, turn_id: str | None = None, until: datetime | None = None
    ) -> Envelope | None:
        """That of the last letter of a conversation, or of a turn of it; `until`: of those that came by then."""
        ...

    def count_from(self, channel: str, address: str, *, since: datetime) -> int:
        """How many messages came from an address since then, over all conversations."""
        ...
