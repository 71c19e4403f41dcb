"""Dispatchers as several processes have them on one database, for tests; no server and no store is in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest

from understudy.adapters.dispatch.pgqueuer import PgQueuerDispatcher
from understudy.adapters.dispatch.pgqueuer_queue import Queue
from understudy.adapters.system_clock import SystemClock
from understudy.ports.store import Committed
from understudy.ports.telemetry import Event
from understudy.records.turn import Job

WITHIN_S = 60.0


class Process:
    """A dispatcher as one process has it; `looks` holds the keys it looked at."""

    def __init__(self, url: str, *, hears: bool = True, **options: Any) -> None:
        self.events: list[Event] = []
        self.looks: list[str] = []
        self.news: list[set[str]] = []
        self.handler: Callable[[str], Awaitable[None]] = self.note
        self.dispatcher = PgQueuerDispatcher(SystemClock(), self, conninfo=url, **options)
        if hears:
            self.dispatcher.subscribe(self.news.append)

    def emit(self, event: Event) -> None:
        self.events.append(event)

    async def note(self, key: str) -> None:
        self.looks.append(key)

    async def start(self) -> None:
        self.dispatcher.start({"turn": self.handler})
        await until(lambda: self.dispatcher._queue is not None)

    async def stop(self) -> None:
        await self.dispatcher.stop(grace_s=2)

    def share(self, connection: psycopg.Connection[Any], *keys: str) -> list[str]:
        """Announce jobs in the open transaction, as the store does; returns the keys that stay in this process."""
        committed = Committed(entries=(), jobs=tuple((Job(kind="turn", key=key), None) for key in keys))
        return [job.key for job, _ in self.dispatcher.share(connection, committed).jobs]


async def until(holds: Callable[[], Any], *, within_s: float = WITHIN_S) -> None:
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in the code under test
            await asyncio.sleep(0.005)


@asynccontextmanager
async def started(*processes: Process) -> AsyncIterator[None]:
    for process in processes:
        await process.start()
    for process in processes:  # each has seen the others
        process.dispatcher._others = await asked(process).others()
    try:
        yield
    finally:
        for process in processes:
            await process.stop()


def asked(process: Process) -> Queue:
    assert process.dispatcher._queue is not None
    return process.dispatcher._queue


@pytest.fixture
def database(postgres: Any) -> str:
    """A database of this test's own, without tables."""
    url: str = postgres.create()
    return url


@pytest.fixture
def elsewhere(database: str) -> Any:
    """A connection on which the test itself looks and writes."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


def play(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scene())
