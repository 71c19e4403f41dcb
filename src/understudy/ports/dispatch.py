"""Who works on what, as a port: jobs are hints to look at a key; the tables are the truth."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

from understudy.records.turn import Job

Handler = Callable[[str], Awaitable[None]]
"""Looks at one key and does what is due; may be called too often, and for keys with nothing to do."""


class Dispatcher(Protocol):
    """Runs handlers for hinted jobs: never two at once for one job, at most a fixed number of a kind."""

    def hint(self, job: Job, *, at: datetime | None = None) -> None:
        """Ask for a look at `job.key`, now or not before `at`. May be called from any thread."""
        ...

    def hint_all(self, jobs: Sequence[tuple[Job, datetime | None]]) -> None:
        """Do the same for several jobs, each with its moment; it costs less than one by one."""
        ...

    def go_on(self, job: Job) -> None:
        """Look at `job.key` in this process, which has begun with it. To be called from an event loop, whichever."""
        ...

    def has_room(self, kind: str) -> bool:
        """Whether a job of this kind would begin here at once. May be asked from any thread."""
        ...

    def start(self, handlers: dict[str, Handler]) -> None:
        """Begin to work; `handlers` by job kind."""
        ...

    async def may_sweep(self) -> bool:
        """Whether this process is the one that sweeps, among all that work on the same store."""
        ...

    def subscribe(self, listener: Callable[[set[str]], None]) -> None:
        """Call `listener` in the event loop with the ids of the turns and conversations that another process changed.

        An empty set: there is news, too much of it to be named. To be called before `start`.
        """
        ...

    def drain(self) -> None:
        """Leave what comes up from now on to other processes, where there are any; what runs goes on."""
        ...

    async def stop(self, *, grace_s: float) -> None:
        """Take no new job, wait up to `grace_s` for those under way, then cancel them."""
        ...
