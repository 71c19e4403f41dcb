"""The dispatcher of one process: hinted jobs run as asyncio tasks. It keeps nothing; the tables rebuild it.

Never two tasks at once for one job: a hint for a job that is running makes it run once more afterwards. At most
`concurrency` jobs of a kind run at once; the others wait in the order of their hints. So turns that wait for a slow
agent keep no reply from being sent.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from datetime import datetime

from understudy.ports.clock import Clock
from understudy.ports.dispatch import Handler
from understudy.ports.telemetry import StepFailed, Telemetry
from understudy.records.turn import Job

CONCURRENCY = 256
AHEAD_S_MAX = 60.0
"""Hints for later than this are left to the sweep, so that a waiting hold costs no timer."""

FAILURE_PAUSE_S = 1.0
"""Pause before a job that broke is looked at again; the sweep would find it too, later."""


class EmbeddedDispatcher:
    """`ports.dispatch.Dispatcher` in this process."""

    def __init__(self, clock: Clock, telemetry: Telemetry, *, concurrency: int = CONCURRENCY) -> None:
        self._clock = clock
        self._telemetry = telemetry
        self._concurrency = concurrency
        self._handlers: dict[str, Handler] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: defaultdict[str, deque[Job]] = defaultdict(deque)
        self._busy: Counter[str] = Counter()
        self._waiting_set: set[Job] = set()
        self._running: dict[Job, asyncio.Task[None]] = {}
        self._again: set[Job] = set()
        self._timers: dict[Job, tuple[datetime, asyncio.TimerHandle]] = {}
        self._watched: dict[Job, asyncio.Future[bool]] = {}
        self._is_stopping = False

    @property
    def load(self) -> int:
        """How many jobs run or wait to run; may be asked from any thread."""
        return len(self._running) + len(self._waiting_set)

    def works_on(self, key: str) -> bool:
        """Whether a job for this key runs now; may be asked from any thread."""
        return any(Job(kind=kind, key=key) in self._running for kind in self._handlers)

    def start(self, handlers: dict[str, Handler]) -> None:
        self._handlers = handlers
        self._loop = asyncio.get_running_loop()

    def hint(self, job: Job, *, at: datetime | None = None) -> None:
        self.hint_all([(job, at)])

    def hint_all(self, jobs: Sequence[tuple[Job, datetime | None]]) -> None:
        if self._loop is None or self._loop.is_closed():
            return  # Not started, or over: the tables remember, and the next start sweeps them.
        self._loop.call_soon_threadsafe(self._take_hints, jobs)

    def go_on(self, job: Job) -> None:
        assert self._loop is not None, "there is only room once the dispatcher was started"
        if asyncio.get_running_loop() is not self._loop:  # what is begun must not end with a caller's loop
            self._loop.call_soon_threadsafe(self._go_on, job)
        else:
            self._go_on(job)

    def _go_on(self, job: Job) -> None:
        if job in self._running:
            self._again.add(job)
        elif job not in self._waiting_set:
            self._start(job)  # a stop waits for it, as for all that was begun

    def has_room(self, kind: str) -> bool:
        if self._loop is None or self._is_stopping or kind not in self._handlers:
            return False
        return not self._waiting[kind] and self._busy[kind] < self._concurrency

    async def look(self, job: Job) -> bool:
        """Hint a job and wait until a look that began after this is over; False where a stop came before it began."""
        if self._is_stopping or self._loop is None:
            return False
        watched = self._watched.get(job)
        if watched is None:
            watched = self._watched[job] = self._loop.create_future()
        self._take_hint(job, None)
        return await asyncio.shield(watched)

    async def may_sweep(self) -> bool:
        return True  # the only process there is

    def subscribe(self, listener: Callable[[set[str]], None]) -> None:
        """Never call it: there is no other process."""

    def drain(self) -> None:
        """Go on: there is nobody to leave anything to."""

    async def stop(self, *, grace_s: float) -> None:
        self._is_stopping = True
        for job in self._waiting_set:
            self._settle(job, was_run=False)
        for _, timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        loop = asyncio.get_running_loop()
        ends = loop.time() + grace_s
        while self._running and (left_s := ends - loop.time()) > 0:
            await asyncio.wait(list(self._running.values()), timeout=left_s)
        late = list(self._running.values())
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _take_hints(self, jobs: Sequence[tuple[Job, datetime | None]]) -> None:
        for job, at in jobs:
            self._take_hint(job, at)

    def _take_hint(self, job: Job, at: datetime | None) -> None:
        if self._is_stopping or self._loop is None:
            return
        delay_s = 0.0 if at is None else (at - self._clock.now()).total_seconds()
        if delay_s > AHEAD_S_MAX:
            return
        if at is not None and delay_s > 0:
            known = self._timers.get(job)
            if known is not None:
                if known[0] <= at:
                    # The earlier look comes first and finds out by itself when the next is due.
                    self._loop.call_later(delay_s, self._take_hint, job, None)
                    return
                known[1].cancel()
            self._timers[job] = (at, self._loop.call_later(delay_s, self._timer_fired, job))
            return
        if job in self._running:
            self._again.add(job)
        elif job not in self._waiting_set:
            self._waiting[job.kind].append(job)
            self._waiting_set.add(job)
        self._start_waiting(job.kind)

    def _timer_fired(self, job: Job) -> None:
        self._timers.pop(job, None)
        self._take_hint(job, None)

    def _start_waiting(self, kind: str) -> None:
        waiting = self._waiting[kind]
        while waiting and self._busy[kind] < self._concurrency and not self._is_stopping:
            job = waiting.popleft()
            self._waiting_set.discard(job)
            self._start(job)

    def _start(self, job: Job) -> None:
        self._busy[job.kind] += 1
        task = asyncio.ensure_future(self._run(job))
        self._running[job] = task
        task.add_done_callback(lambda _task: self._done(job))

    def _done(self, job: Job) -> None:
        self._running.pop(job, None)
        self._busy[job.kind] -= 1
        is_wanted_again = job in self._again
        if is_wanted_again:
            self._again.discard(job)
            self._take_hint(job, None)
        if job not in self._waiting_set and job not in self._running:
            self._settle(job, was_run=not is_wanted_again)
        self._start_waiting(job.kind)

    def _settle(self, job: Job, *, was_run: bool) -> None:
        watched = self._watched.pop(job, None)
        if watched is not None:
            watched.set_result(was_run)

    async def _run(self, job: Job) -> None:
        try:
            await self._handlers[job.kind](job.key)
        except Exception as error:  # noqa: BLE001 - one broken job must not stop the others; it is reported and tried again
            self._telemetry.emit(StepFailed(flow=job.kind, key=job.key, error=f"{type(error).__name__}: {error}"))
            if self._loop is not None:
                self._loop.call_later(FAILURE_PAUSE_S, self._take_hint, job, None)
