"""One sink, the systems that are running, and what can be measured of them; it compares nothing and prints nothing."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from turns_harness.books import Books
from turns_harness.http import listen
from turns_harness.postgres import Postgres
from turns_harness.processes import cpu_s, family, memory_bytes, threads
from turns_harness.systems import Server, start_peer, start_understudy
from turns_harness.traffic import Traffic

WINDOW_REPLIES_MIN = 3
WINDOW_S_MAX = 20.0
SETTLE_S = 0.3
"""Pause between two measurements, for what the last one left in queues."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Of one window under saturation. `cpu_ms` is per turn, of the server and, with it, of PostgreSQL.

    `generator_busy` is the load generator's share of one core: near 1 it, not the system, is what was measured.
    """

    turns_per_s: float
    cpu_ms: float
    reply_ms_p50: float
    generator_busy: float
    faults: dict[str, int]


class Stage:
    """Use as `async with`; every server started through it is stopped at the end."""

    def __init__(self, folder: Path, *, postgres: Postgres | None, langgraph_python: Path | None) -> None:
        self.folder = folder
        self.postgres = postgres
        self._langgraph_python = langgraph_python
        self._books: dict[str, Books] = {}
        self.servers: dict[str, Server] = {}
        self._measurements = itertools.count()

    async def __aenter__(self) -> Stage:
        self._listening, self._port = await listen(self._took)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self.servers):
            self.stop(name)
        self._listening.close()

    async def start(
        self, name: str, *, python: Path, store: str | None = None, arguments: tuple[str, ...] = ()
    ) -> Server:
        """Start the system `STORE_SYSTEM`, e.g. `sqlite_bare`; a suffix after a dash makes another of its kind."""
        kind, _, system = name.partition("-")[0].partition("_")
        if store is None:
            store = self._new_store(name, kind, system)
        sink = f"http://127.0.0.1:{self._port}/{name}"
        if system.startswith("understudy"):
            server = await asyncio.to_thread(
                lambda: start_understudy(
                    name,
                    self.folder,
                    store=store,
                    sink=sink,
                    with_checks=system.endswith("checks"),
                    arguments=arguments,
                )
            )
        else:
            module = "langgraph_graph" if system == "langgraph" else f"bare_{kind}"
            interpreter = self._langgraph_python if system == "langgraph" else python
            assert interpreter is not None
            server = await asyncio.to_thread(
                lambda: start_peer(name, self.folder, python=interpreter, module=module, store=store, sink=sink)
            )
        self.servers[name] = server
        return server

    def stop(self, name: str) -> None:
        self.servers.pop(name).stop()

    def traffic(self, name: str) -> tuple[Traffic, Books]:
        """Open new books on a system; replies that belong to older ones count as alien."""
        books = Books(f"{name}-{next(self._measurements)}")
        self._books[name] = books
        return Traffic(self.servers[name].address, books), books

    async def throughput(
        self, name: str, *, customers: int, warm_up_s: float, seconds: float, beside: Sequence[int] = ()
    ) -> Throughput:
        """Load a system and count the replies that arrive within a window; `beside` are its further processes.

        The window opens once every customer has had a reply on the average, and stays open until it has seen some
        more of each: a slow system is not measured by the burst at its start.
        """
        await asyncio.sleep(SETTLE_S)
        traffic, books = self.traffic(name)
        pids = [*self._pids(name), *(pid for one in beside for pid in family(one))]
        over = asyncio.Event()
        loading = asyncio.create_task(traffic.saturate(customers=customers, until=over))
        await wait_for(loading, books, seconds=warm_up_s, replies=customers)
        began, cpu, own = time.perf_counter(), cpu_s(pids), time.process_time()
        await wait_for(loading, books, seconds=seconds, replies=WINDOW_REPLIES_MIN * customers)
        ends, cpu, own = time.perf_counter(), cpu_s(pids) - cpu, time.process_time() - own
        over.set()
        await loading
        traffic.close()
        done = sum(began <= at < ends for at in books.replied_at)
        waits = [
            (one.replied_at - one.sent_at) * 1000
            for one in books.questions.values()
            if one.replied_at is not None and one.is_automatic
        ]
        return Throughput(
            turns_per_s=done / (ends - began),
            cpu_ms=cpu * 1000 / max(done, 1),
            reply_ms_p50=statistics.median(waits or [0.0]),
            generator_busy=own / (ends - began),
            faults=books.close(),
        )

    async def added_ms(self, name: str, *, per_s: float, seconds: float) -> tuple[list[float], dict[str, int]]:
        """From sending a message to having its reply, at low load with an agent of 0 ms, in milliseconds each."""
        await asyncio.sleep(SETTLE_S)
        traffic, books = self.traffic(name)
        await traffic.trickle(per_s=per_s, seconds=seconds)
        traffic.close()
        replied = [one for one in books.questions.values() if one.replied_at is not None]
        return [(one.replied_at - one.sent_at) * 1000 for one in replied if one.replied_at], books.close()

    async def holds(self, name: str, *, count: int, customers: int) -> dict[str, float]:
        """Let so many drafts wait for people; what they cost in memory and on disk, and how fast they are released."""
        server = self.servers[name]
        traffic, books = self.traffic(name)
        await traffic.pile_up(count // 10, customers=customers)  # what grows once, grows now
        await self._quiet(name)
        memory, disk, running = memory_bytes(server.process.pid), self.disk_bytes(name), threads(server.process.pid)
        await traffic.pile_up(count, customers=customers)
        await self._quiet(name)
        grown, taken = memory_bytes(server.process.pid) - memory, self.disk_bytes(name) - disk
        more_threads = threads(server.process.pid) - running
        began = asyncio.get_running_loop().time()
        await traffic.release()
        release_s = asyncio.get_running_loop().time() - began
        traffic.close()
        return {
            "kb_per_hold": max(grown, 0) / count / 1000,
            "disk_kb_per_hold": taken / count / 1000,
            "threads_more": float(more_threads),
            "release_per_s": (count + count // 10) / release_s,
            **{kind: float(number) for kind, number in books.close().items()},
        }

    def url(self, name: str) -> str:
        """Where an Understudy keeps its turns."""
        if name.startswith("postgres"):
            assert self.postgres is not None
            return self.postgres.url(name.replace("-", "_"))
        return f"sqlite:///{self.folder / name / 'turns.db'}"

    def disk_bytes(self, name: str) -> int:
        """How much a system's store takes on disk."""
        if name.startswith("postgres"):
            assert self.postgres is not None
            return self.postgres.bytes(name.replace("-", "_"))
        return sum(path.stat().st_size for path in (self.folder / name).glob("turns.db*"))

    def _new_store(self, name: str, kind: str, system: str) -> str:
        if kind == "postgres":
            assert self.postgres is not None
            return self.postgres.database(name.replace("-", "_"))
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        return self.url(name) if system.startswith("understudy") else str(self.folder / name / "turns.db")

    def _pids(self, name: str) -> list[int]:
        pids = family(self.servers[name].process.pid)
        if name.startswith("postgres") and self.postgres is not None:
            pids += family(self.postgres.pid)
        return pids

    async def _quiet(self, name: str) -> None:
        """Wait until a server has nothing more to do."""
        pids, last = self._pids(name), -1.0
        while (used := cpu_s(pids)) - last > 0.05:
            last = used
            await asyncio.sleep(1.0)

    def _took(self, path: str, body: bytes) -> None:
        books = self._books.get(path.removeprefix("/"))
        if books is not None:
            books.took(body)


async def wait_for(
    loading: asyncio.Task[None],
    books: Books,
    *,
    replies: int,
    seconds: float = 0.0,
    seconds_max: float = WINDOW_S_MAX,
) -> None:
    """Wait so long, and for so many replies, but not for ever."""
    began, had = time.perf_counter(), len(books.replied_at)
    while not loading.done():
        await asyncio.sleep(0.02)
        elapsed = time.perf_counter() - began
        if elapsed >= seconds_max or (elapsed >= seconds and len(books.replied_at) - had >= replies):
            break


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
