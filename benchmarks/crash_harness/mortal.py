"""The product's store in a process that may die at any commit by `kill -9`. The product knows nothing of it.

It uses the two public seams of the store: `share_by`, called with all of a transaction written and nothing committed,
and `subscribe`, called when the commit is on disk and nobody has been told yet.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import understudy.databases
from crash_harness.fuse import Fuse
from crash_harness.points import NAMED, NOTHING_WRITTEN, SAME_COMMIT, TOO_SELDOM
from understudy.adapters.stores.sql_store import SqlStore
from understudy.ports.store import Committed


class MortalStore(SqlStore):
    """A store whose process dies where its fuse says."""

    fuse: ClassVar[Fuse]

    def __init__(self, url: str, *, leaves_marks: bool | None = None) -> None:
        super().__init__(url, leaves_marks=leaves_marks)
        self.share_by(lambda _connection, committed: committed)
        self.subscribe(self._after)

    def share_by(self, share: Callable[[Any, Committed], Committed]) -> None:
        def shared(connection: Any, committed: Committed) -> Committed:
            left = share(connection, committed)
            self._pass(committed, is_after=False)
            return left

        super().share_by(shared)

    def _after(self, committed: Committed) -> None:
        self._pass(committed, is_after=True)

    def _pass(self, committed: Committed, *, is_after: bool) -> None:
        events = {entry.event for entry in committed.entries} or {NOTHING_WRITTEN}
        if not events & NAMED:
            self.fuse.note_unnamed(events - SAME_COMMIT - TOO_SELDOM)
        if self.fuse.is_time(events, is_after=is_after):
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(10)  # the signal is on its way


def put_in_place(fuse: Path) -> None:
    """Make every store that this process opens from now on a mortal one."""
    MortalStore.fuse = Fuse(fuse)
    understudy.databases.SqlStore = MortalStore  # type: ignore[attr-defined]
