"""The dispatcher of many processes, on a real PostgreSQL: what one process leaves, another does; nothing stands still."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from queue_processes import WITHIN_S, Process, asked, play, started, until
from understudy.adapters.dispatch.pgqueuer_queue import QUEUE, Line, Queue, put_jobs
from understudy.adapters.stores.sql_store import SqlStore
from understudy.ports.store import Committed
from understudy.ports.telemetry import StepFailed
from understudy.records.turn import Job

pytestmark = pytest.mark.postgres

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def waiting(connection: psycopg.Connection[Any]) -> list[str]:
    """What waits in the queue, or is being done."""
    return [
        str(name) for (name,) in connection.execute(f"SELECT convert_from(payload, 'UTF8') FROM {QUEUE} ORDER BY 1")
    ]


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
