"""Win-backs as a part of the store's port; it proposes and sends none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from understudy.records.trust import Cap, CapCause
from understudy.records.win_back import WinBack, WinBackState, WinBackTally


class WinBacks(Protocol):
    """What was made of what reached customers badly. Every change has a ledger entry, which the caller writes."""

    def missing(self, causes: Collection[CapCause], since: datetime, *, limit: int) -> list[Cap]:
        """Caps for one of these causes since then whose turn nobody looked at, the oldest first."""
        ...

    def put(self, win_back: WinBack) -> None: ...

    def of_hold(self, hold_id: str) -> WinBack | None: ...

    def of_contacts(self, contact_ids: Sequence[str], *, limit: int) -> list[WinBack]:
        """Those of any of these contacts, the latest first."""
        ...

    def listed(self, states: Collection[WinBackState], *, limit: int) -> list[WinBack]:
        """Those in one of these states, the oldest first."""
        ...

    def counted(self, since: datetime, until: datetime, *, within: timedelta, now: datetime) -> list[WinBackTally]:
        """Count those of a time that are settled by what followed `within` so long."""
        ...
