"""The dispatcher of many processes, on a real PostgreSQL: what one process leaves, another does; nothing stands still."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from understudy.adapters.dispatch.pgqueuer import PgQueuerDispatcher
from understudy.adapters.dispatch.pgqueuer_queue import QUEUE, Line, Queue, put_jobs
from understudy.adapters.stores.sql_store import SqlStore
from understudy.adapters.system_clock import SystemClock
from understudy.ports.store import Committed
from understudy.ports.telemetry import Event, StepFailed
from understudy.records.ledger import GENESIS, LedgerEntry
from understudy.records.turn import Job
from understudy.web.feed import EVERYTHING, Feed

pytestmark = pytest.mark.postgres

WITHIN_S = 60.0
NOW = datetime(2026, 1, 1, tzinfo=UTC)


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


def waiting(connection: psycopg.Connection[Any]) -> list[str]:
    """What waits in the queue, or is being done."""
    return [
        str(name) for (name,) in connection.execute(f"SELECT convert_from(payload, 'UTF8') FROM {QUEUE} ORDER BY 1")
    ]


def play(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scene())


def test_what_a_web_process_asks_for_a_worker_does(database: str, elsewhere: Any) -> None:
    web, worker = Process(database, works=False), Process(database)

    async def scene() -> None:
        async with started(web, worker):
            with elsewhere.transaction():
                assert web.share(elsewhere, "a", "b") == []
            await until(lambda: sorted(worker.looks) == ["a", "b"])
            await until(lambda: not waiting(elsewhere))
        assert web.looks == []

    play(scene)


def test_a_process_that_is_alone_keeps_everything(database: str, elsewhere: Any) -> None:
    only = Process(database, share_above=1)

    async def scene() -> None:
        async with started(only):
            assert only.share(elsewhere, "a", "b", "c") == ["a", "b", "c"]
            assert waiting(elsewhere) == []

    play(scene)


def test_beyond_its_share_a_worker_leaves_jobs_to_the_others(database: str, elsewhere: Any) -> None:
    busy, idle = Process(database, share_above=2), Process(database)
    gate = asyncio.Event()

    async def wait(key: str) -> None:
        busy.looks.append(key)
        await gate.wait()

    busy.handler = wait

    async def scene() -> None:
        async with started(busy, idle):
            kept = busy.share(elsewhere, "a", "b", "c", "d")
            assert kept == ["a", "b"]
            for key in kept:
                busy.dispatcher.hint(Job(kind="turn", key=key))
            await until(lambda: busy.looks[:2] == ["a", "b"])
            assert busy.share(elsewhere, "e") == []
            assert busy.share(elsewhere, "a") == ["a"], "it is at work on this one already"
            gate.set()
            await until(lambda: len(busy.looks) + len(idle.looks) == 5)

    play(scene)


def test_a_rolled_back_transaction_asks_for_nothing(database: str, elsewhere: Any) -> None:
    web, worker = Process(database, works=False), Process(database)

    async def scene() -> None:
        async with started(web, worker):
            with elsewhere.transaction(force_rollback=True):
                web.share(elsewhere, "void")
            with elsewhere.transaction():
                web.share(elsewhere, "real")
            await until(lambda: worker.looks == ["real"])

    play(scene)


def test_hints_for_a_waiting_job_do_not_pile_up(database: str, elsewhere: Any) -> None:
    web = Process(database, works=False)

    async def scene() -> None:
        async with started(web):
            for _ in range(5):
                with elsewhere.transaction():
                    web.share(elsewhere, "a", "a", "b")
            assert waiting(elsewhere) == ["turn:a", "turn:b"]

    play(scene)


def test_a_hint_during_a_look_leads_to_another_look(database: str, elsewhere: Any) -> None:
    web, worker = Process(database, works=False), Process(database)
    gate = asyncio.Event()

    async def look(key: str) -> None:
        worker.looks.append(key)
        await gate.wait()

    worker.handler = look

    async def scene() -> None:
        async with started(web, worker):
            with elsewhere.transaction():
                web.share(elsewhere, "a")
            await until(lambda: worker.looks == ["a"])
            with elsewhere.transaction():
                web.share(elsewhere, "a")
            gate.set()
            await until(lambda: worker.looks == ["a", "a"])

    play(scene)


def test_a_waiting_job_is_not_taken_before_the_step_that_asks_again_is_committed(database: str, elsewhere: Any) -> None:
    worker = Process(database)

    async def scene() -> None:
        line = await Line.open(database, session_idle_s_max=None)
        await Queue(line).bring_up_to_date()
        await line.close()
        put_jobs(elsewhere, [Job(kind="turn", key="a")], "")
        with psycopg.connect(database) as writer:
            put_jobs(writer, [Job(kind="turn", key="a"), Job(kind="turn", key="b")], "")
            async with started(worker):
                put_jobs(elsewhere, [Job(kind="turn", key="c")], "")
                await until(lambda: worker.looks == ["c"])
                writer.commit()
                await until(lambda: sorted(worker.looks) == ["a", "b", "c"])

    play(scene)


def test_a_dead_workers_job_is_taken_by_another(database: str, elsewhere: Any) -> None:
    worker = Process(database)

    async def scene() -> None:
        async with started(worker):
            elsewhere.execute(
                f"INSERT INTO {QUEUE} (priority, entrypoint, payload, status, heartbeat, queue_manager_id)"
                " VALUES (0, 'look', 'turn:a', 'picked', now() - interval '7 seconds', gen_random_uuid())"
            )
            await until(lambda: worker.looks == ["a"])

    play(scene)


def test_a_later_moment_waits_in_the_process_and_not_in_the_queue(database: str, elsewhere: Any) -> None:
    web, worker = Process(database, works=False), Process(database)

    async def scene() -> None:
        async with started(web, worker):
            at = datetime.now(UTC) + timedelta(seconds=0.3)
            job = Job(kind="turn", key="a")
            left = web.dispatcher.share(elsewhere, Committed(entries=(), jobs=((job, at),)))
            assert list(left.jobs) == [(job, at)]
            assert waiting(elsewhere) == []
            web.dispatcher.hint(job, at=at)
            await until(lambda: worker.looks == ["a"])
            assert datetime.now(UTC) >= at

    play(scene)


def test_a_broken_connection_is_made_again(database: str, elsewhere: Any) -> None:
    web, worker = Process(database, works=False), Process(database)

    async def scene() -> None:
        async with started(web, worker):
            elsewhere.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'understudy dispatch'"
            )
            with elsewhere.transaction():
                web.share(elsewhere, "a")
            await until(lambda: worker.looks == ["a"])
            assert {event.flow for event in worker.events if isinstance(event, StepFailed)} == {"dispatch"}

    play(scene)


def test_one_process_sweeps_and_another_after_it(database: str) -> None:
    first, second, web = Process(database), Process(database), Process(database, works=False)

    async def scene() -> None:
        async with started(second, web):
            async with started(first):
                assert [await p.dispatcher.may_sweep() for p in (first, second, web)] == [True, False, False]
                first.dispatcher.drain()
                assert not await first.dispatcher.may_sweep()
            async with asyncio.timeout(WITHIN_S):  # PostgreSQL lets go a moment after the session's end
                while not await second.dispatcher.may_sweep():  # noqa: ASYNC110 - the same
                    await asyncio.sleep(0.01)

    play(scene)


def test_a_process_about_to_stop_leaves_everything_to_the_others(database: str, elsewhere: Any) -> None:
    stopping, other = Process(database), Process(database)

    async def scene() -> None:
        async with started(stopping, other):
            stopping.dispatcher.drain()
            with elsewhere.transaction():
                assert stopping.share(elsewhere, "a") == []
            stopping.dispatcher.hint(Job(kind="turn", key="b"))
            await until(lambda: sorted(other.looks) == ["a", "b"])
        assert stopping.looks == []

    play(scene)


def test_a_job_that_was_taken_but_not_begun_goes_back_at_a_stop(database: str, elsewhere: Any) -> None:
    full = Process(database, concurrency=64)
    gate = asyncio.Event()

    async def wait(key: str) -> None:
        full.looks.append(key)
        await gate.wait()

    full.handler = wait

    async def scene() -> None:
        await full.start()
        for number in range(64):
            full.dispatcher.hint(Job(kind="turn", key=f"here-{number}"))
        await until(lambda: len(full.looks) == 64)
        put_jobs(elsewhere, [Job(kind="turn", key="a")], "")
        await until(lambda: full.dispatcher._inner.load == 65)
        stopping = asyncio.ensure_future(full.stop())
        await asyncio.sleep(0.05)
        gate.set()
        await stopping
        assert "a" not in full.looks
        assert waiting(elsewhere) == ["turn:a"]

    play(scene)


def test_the_others_hear_what_changed(database: str, elsewhere: Any) -> None:
    one, other = Process(database), Process(database, works=False)

    async def scene() -> None:
        async with started(one, other):
            one.dispatcher.share(elsewhere, Committed(entries=(entry("turn-1", "conv-1"),), jobs=()))
            await until(lambda: other.news == [{"turn-1", "conv-1"}])
            many = [entry(f"turn-{number:06}", None) for number in range(1000)]
            one.dispatcher.share(elsewhere, Committed(entries=many, jobs=()))
            await until(lambda: other.news[1:] == [set()])
        assert one.news == []

    play(scene)


def test_where_nobody_hears_nobody_is_told(database: str, elsewhere: Any) -> None:
    one, deaf = Process(database), Process(database, hears=False)

    async def scene() -> None:
        async with started(one, deaf):
            with psycopg.connect(database, autocommit=True) as listening:
                listening.execute("LISTEN understudy_news")
                one.dispatcher.share(elsewhere, Committed(entries=(entry("turn-1", None),), jobs=()))
                deaf.dispatcher.share(elsewhere, Committed(entries=(entry("turn-2", None),), jobs=()))
                heard = [told.payload for told in listening.notifies(timeout=WITHIN_S, stop_after=1)]
        assert ["turn-2" in payload for payload in heard] == [True]
        assert (one.news, deaf.news) == ([{"turn-2"}], [])

    play(scene)


def test_who_waits_in_one_process_hears_what_another_commits(
    database: str, elsewhere: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.web.feed.POLL_S", math.inf)
    worker, web, feed = Process(database), Process(database, works=False, hears=False), Feed()
    web.dispatcher.subscribe(feed.heard_elsewhere)

    async def scene() -> None:
        feed.open()
        async with started(worker, web):
            many = [entry(f"turn-{number:06}", None) for number in range(1000)]
            for entries in ([entry("turn-1", "conv-1")], many):  # of the second it is only said that there is news
                with feed.watch("turn-1") as watch, feed.watch(EVERYTHING) as all_of_it:
                    worker.dispatcher.share(elsewhere, Committed(entries=entries, jobs=()))
                    async with asyncio.timeout(WITHIN_S):
                        await asyncio.gather(watch.next(), all_of_it.next())

    play(scene)


def entry(turn_id: str | None, conversation_id: str | None) -> LedgerEntry:
    rest: dict[str, Any] = {"event": "test.step", "actor": "test", "body": "{}", "previous": GENESIS, "hash": GENESIS}
    return LedgerEntry(seq=1, at=NOW, turn_id=turn_id, conversation_id=conversation_id, **rest)


def test_the_log_is_emptied(database: str, elsewhere: Any) -> None:
    worker = Process(database)

    async def scene() -> None:
        async with started(worker):
            put_jobs(elsewhere, [Job(kind="turn", key="a")], "")
            await until(lambda: worker.looks == ["a"] and not waiting(elsewhere))
            assert elsewhere.execute(f"SELECT 1 FROM {QUEUE}_log").fetchone()
            await asked(worker).trim()
            assert not elsewhere.execute(f"SELECT 1 FROM {QUEUE}_log").fetchone()

    play(scene)


def test_a_queue_that_refuses_does_not_keep_steps_from_being_committed(postgres: Any) -> None:
    url = postgres.emptied()
    web = Process(url, works=False)
    store = SqlStore(url)
    store.share_by(web.dispatcher.share)

    def step(tx: Any) -> None:
        tx.announce(Job(kind="turn", key="a"))
        tx.ledger.append("test.step", at=NOW)

    async def scene() -> None:
        async with started(web):
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"ALTER TABLE {QUEUE} RENAME TO {QUEUE}_away")
                try:
                    outcomes = await asyncio.gather(*(store.write(step) for _ in range(3)), return_exceptions=True)
                    await store.write(step)
                finally:
                    connection.execute(f"ALTER TABLE {QUEUE}_away RENAME TO {QUEUE}")
            assert sum(outcome is not None for outcome in outcomes) <= 1

    play(scene)
    store.close_now()


def test_processes_that_start_at_once_install_the_queue_once(database: str) -> None:
    processes = [Process(database) for _ in range(4)]

    async def scene() -> None:
        await asyncio.gather(*(process.start() for process in processes))
        await asyncio.gather(*(process.stop() for process in processes))
        assert [process.events for process in processes] == [[], [], [], []]

    play(scene)
