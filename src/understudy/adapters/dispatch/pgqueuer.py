"""The dispatcher of many processes: PgQueuer carries hints between them; what this one takes it runs as an embedded one.

Who does a job: the process that committed the step asking for it goes on with it, until it has `share_above` jobs and
there are other workers. Everything beyond that, and everything asked for by a process that only serves the web or is
about to stop, is put into PgQueuer's queue in the same transaction, and any worker takes it. So a lone turn waits for
no queue, and a busy or stopping process leaves its work to the others. A hint that a crash swallows is found by the
sweep, which one process does for all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job as QueuedJob
from psycopg import Connection, Error, OperationalError

from understudy.adapters.dispatch.embedded import AHEAD_S_MAX, CONCURRENCY, EmbeddedDispatcher
from understudy.adapters.dispatch.pgqueuer_queue import (
    ENTRYPOINT,
    NEWS_CHANNEL,
    SETTINGS,
    Line,
    Others,
    Queue,
    job_of,
    news_of,
    put_jobs,
    read_news,
)
from understudy.ports.clock import Clock
from understudy.ports.dispatch import Handler
from understudy.ports.store import Committed
from understudy.ports.telemetry import StepFailed, Telemetry
from understudy.records.turn import Job

SHARE_ABOVE = 64
"""Jobs in this process beyond which further ones are for whoever is free."""

JOBS_MAX = 1_000_000
"""Where no other worker is, this process keeps all there is; what is accepted at all, `limits.backlog_max` bounds."""

BATCH = 32
HEARTBEAT_TIMEOUT = timedelta(seconds=6)
"""A job whose worker has been silent for this long is taken by another; PgQueuer's heartbeats come twice as often."""

POLL = timedelta(seconds=10)
POLL_AGAIN = timedelta(milliseconds=10)
"""PgQueuer looks again after this where a notification may have been missed."""

PULSE_S = 2.0
SESSION_IDLE_S_MAX = 6.0
"""PostgreSQL ends the session of a process that hangs, so that it cannot stay the one that sweeps."""

NOBODY_WORKS = "no process works on turns: messages are kept, and nobody answers; start `understudy work`"

TRIM_EVERY_PULSES = 15
RECONNECT_AFTER_S = 1.0


class PgQueuerDispatcher:
    """`ports.dispatch.Dispatcher` for any number of processes on one PostgreSQL.

    `works` False: this process takes no job, its hints are for the others. `share` belongs into the transaction that
    announces jobs; without it hints stay in this process.
    """

    def __init__(
        self,
        clock: Clock,
        telemetry: Telemetry,
        *,
        conninfo: str,
        works: bool = True,
        concurrency: int = CONCURRENCY,
        share_above: int = SHARE_ABOVE,
    ) -> None:
        self._clock = clock
        self._telemetry = telemetry
        self._conninfo = conninfo
        self._works = works
        self._concurrency = concurrency
        self._share_above = share_above
        self._name = clock.new_id("proc")
        self._inner = EmbeddedDispatcher(clock, telemetry, concurrency=concurrency)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._serving: asyncio.Task[None] | None = None
        self._queue: Queue | None = None
        self._manager: QueueManager | None = None
        self._others = Others(hearing=1, workers=1)
        self._is_sharing = False
        self._is_draining = False
        self._is_over = asyncio.Event()
        self._to_put: set[Job] = set()
        self._putting: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[set[str]], None]] = []

    # What the store's thread asks --------------------------------------------------------------------------------

    def share(self, connection: Connection[Any], committed: Committed) -> Committed:
        """Put into the queue, in the open transaction, what is for others; returns what is left for this process.

        Raises what the database raises, and then shares nothing more until the queue has been looked at.
        """
        if not self._is_sharing:
            return committed
        now = self._clock.now()
        room = self._room()
        kept: list[tuple[Job, datetime | None]] = []
        shared: list[Job] = []
        for job, at in committed.jobs:
            if at is not None and at > now:
                kept.append((job, at))  # its timer runs here; should this process end, the sweep finds it
            elif room > 0 or self._goes_on(job):
                kept.append((job, None))
                room -= 1
            else:
                shared.append(job)
        news = ""
        if self._others.hearing:
            keys = {key for entry in committed.entries for key in (entry.turn_id, entry.conversation_id) if key}
            news = news_of(self._name, keys)
        try:
            put_jobs(connection, shared, news)
        except Error:
            self._is_sharing = False
            raise
        return replace(committed, jobs=tuple(kept))

    def hint(self, job: Job, *, at: datetime | None = None) -> None:
        self.hint_all([(job, at)])

    def hint_all(self, jobs: Sequence[tuple[Job, datetime | None]]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take_hints, jobs)

    def has_room(self, kind: str) -> bool:
        return self._room() > 0 and self._inner.has_room(kind)

    # The rest runs in the event loop -----------------------------------------------------------------------------

    def go_on(self, job: Job) -> None:
        self._inner.go_on(job)

    def subscribe(self, listener: Callable[[set[str]], None]) -> None:
        """Call `listener` with the turns and conversations that another process changed; none = too many to name.

        Before the start: who hears nothing is told nothing, and each commit of a busy system costs every hearer a wake-up.
        """
        self._listeners.append(listener)

    def start(self, handlers: dict[str, Handler]) -> None:
        self._loop = asyncio.get_running_loop()
        self._inner.start(handlers)
        self._serving = asyncio.ensure_future(self._serve_for_ever())

    async def may_sweep(self) -> bool:
        """Whether this is the one process that sweeps; while the queue cannot be asked, nobody else may be it either."""
        if not self._works or self._is_draining:
            return False
        try:
            return self._queue is None or await self._queue.become_sweeper()
        except Error:
            return True

    def drain(self) -> None:
        """Take nothing new from now on; what comes up is for the others."""
        self._is_draining = True
        if self._manager is not None:
            self._manager.shutdown.set()

    async def stop(self, *, grace_s: float) -> None:
        self.drain()
        await self._inner.stop(grace_s=grace_s)
        self._is_over.set()
        if self._serving is not None:
            _, late = await asyncio.wait({self._serving}, timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)

    def _room(self) -> int:
        """How many more jobs this process takes before it leaves them to others."""
        if not self._works or self._is_draining:
            return 0
        return (self._share_above if self._others.workers else JOBS_MAX) - self._inner.load

    def _goes_on(self, job: Job) -> bool:
        """Whether this process is at work on the same conversation or hold: then it goes on with it, busy or not."""
        return self._works and not self._is_draining and self._inner.works_on(job.key)

    def _take_hints(self, jobs: Sequence[tuple[Job, datetime | None]]) -> None:
        for job, at in jobs:
            self._take_hint(job, at)

    def _take_hint(self, job: Job, at: datetime | None) -> None:
        assert self._loop is not None, "hints are taken once the dispatcher was started"
        delay_s = 0.0 if at is None else (at - self._clock.now()).total_seconds()
        if delay_s > AHEAD_S_MAX:
            return
        if delay_s > 0:
            self._loop.call_later(delay_s, self._take_hint, job, None)
        elif self._room() > 0 or self._goes_on(job) or (self._works and not self._is_sharing):
            self._inner.hint(job)
        else:
            self._to_put.add(job)
            if self._putting is None or self._putting.done():
                self._putting = asyncio.ensure_future(self._put())

    async def _put(self) -> None:
        while self._to_put and self._queue is not None:
            jobs, self._to_put = list(self._to_put), set()
            with suppress(Error):  # the sweep finds them
                await self._queue.put(jobs)
        self._to_put.clear()

    # The connection to the queue, for as long as it lasts --------------------------------------------------------

    async def _serve_for_ever(self) -> None:
        while not self._is_over.is_set():
            try:
                await self._serve()
            except Exception as error:  # noqa: BLE001 - whatever broke, the store works on and the next try may succeed
                self._telemetry.emit(
                    StepFailed(flow="dispatch", key="queue", error=f"{type(error).__name__}: {error}".strip())
                )
                await self._clock.sleep(RECONNECT_AFTER_S)

    async def _serve(self) -> None:
        """Connect, and dispatch until told to stop; raises where the connection or the queue breaks."""
        line = await Line.open(self._conninfo, session_idle_s_max=SESSION_IDLE_S_MAX)
        queue = Queue(line)
        try:
            await queue.bring_up_to_date()
            async with line:
                if self._listeners:
                    await line.add_listener(NEWS_CHANNEL, self._hear)
                # PgQueuer probes its channel before it listens to it, and would take the silence for a broken line.
                await line.add_listener(SETTINGS.channel, lambda _payload: None)
                await queue.join(works=self._works, hears=bool(self._listeners))
                self._others = await queue.others()
                self._queue, self._is_sharing = queue, True
                await self._until_first(self._attend(queue, line), self._work(queue))
        finally:
            self._queue = None
            await line.close()

    async def _until_first(self, attending: Any, working: Any) -> None:
        """Run both until one ends; what it raised is raised."""
        tasks = {asyncio.ensure_future(attending), asyncio.ensure_future(working)}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _attend(self, queue: Queue, line: Line) -> None:
        """Notice a broken connection, and that nobody works; keep the queue's log empty."""
        pulses, was_worked = 0, True
        while True:
            await self._clock.sleep(PULSE_S)
            self._others = await queue.others()
            is_worked = self._works or self._others.workers > 0
            if was_worked and not is_worked:
                self._telemetry.emit(StepFailed(flow="dispatch", key="workers", error=NOBODY_WORKS))
            was_worked = is_worked
            if line.is_deaf:
                raise OperationalError("the connection that listens was closed")
            pulses += 1
            if pulses % TRIM_EVERY_PULSES == 0 and self._works and await queue.become_sweeper():
                await queue.trim()

    async def _work(self, queue: Queue) -> None:
        if not self._works:
            await self._is_over.wait()
            return
        manager = self._manager = QueueManager(queue, SETTINGS.channel)
        manager.min_dequeue_poll_interval = POLL_AGAIN
        manager.entrypoint(ENTRYPOINT)(self._look)
        if self._is_draining:
            manager.shutdown.set()
        await manager.run(
            batch_size=BATCH,
            max_concurrent_tasks=self._concurrency,
            dequeue_timeout=POLL,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            log_aggregation_interval=timedelta(0),
            shutdown_on_listener_failure=True,
        )
        await self._is_over.wait()

    async def _look(self, queued: QueuedJob) -> None:
        if not await self._inner.look(job_of(queued.payload)):
            raise RetryRequested(timedelta(0), reason="this process stops")

    def _hear(self, payload: str | bytes | bytearray) -> None:
        name, keys = read_news(str(payload))
        if name != self._name:
            for listener in self._listeners:
                listener(keys)
