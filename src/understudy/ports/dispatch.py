"""Who works on what, as a port: jobs are hints to look at a key; the tables are the truth."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from understudy.records.turn import Job

Handler = Callable[[str], Awaitable[None]]
"""Looks at one key and does what is due; may be called too often, and for keys with nothing to do."""


class Dispatcher(Protocol):
    """Runs handlers for hinted jobs: never two at once for one job, at most a fixed number in all."""

    def hint(self, job: Job, *, at: datetime | None = None) -> None:
        """Ask for a look at `job.key`, now or not before `at`. May be called from any thread."""
        ...

    def start(self, handlers: dict[str, Handler]) -> None:
        """Begin to work; `handlers` by job kind."""
        ...

    async def stop(self, *, grace_s: float) -> None:
        """Take no new job, wait up to `grace_s` for those under way, then cancel them."""
        ...
