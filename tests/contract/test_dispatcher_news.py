"""Who hears of what another process commits, on a real PostgreSQL: who waits for it, at once, and nobody who did not ask."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from queue_processes import WITHIN_S, Process, play, started, until
from understudy.adapters.dispatch import pgqueuer
from understudy.ports.store import Committed
from understudy.ports.telemetry import StepFailed
from understudy.records.ledger import GENESIS, LedgerEntry
from understudy.web.feed import EVERYTHING, Feed

pytestmark = pytest.mark.postgres

NOW = datetime(2026, 1, 1, tzinfo=UTC)


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


def test_a_process_that_leaves_the_work_to_others_says_when_there_are_none(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pgqueuer, "PULSE_S", 0.05)
    web, worker = Process(database, works=False), Process(database)

    def told() -> int:
        return sum(isinstance(one, StepFailed) and one.error == pgqueuer.NOBODY_WORKS for one in web.events)

    async def scene() -> None:
        await worker.start()
        await web.start()
        await until(lambda: web.dispatcher._others.workers == 1)
        assert told() == 0
        await worker.stop()
        await until(told)
        await asyncio.sleep(0.5)  # ten looks later it has not been said again
        assert told() == 1
        await web.stop()

    play(scene)


def entry(turn_id: str | None, conversation_id: str | None) -> LedgerEntry:
    rest: dict[str, Any] = {"event": "test.step", "actor": "test", "body": "{}", "previous": GENESIS, "hash": GENESIS}
    return LedgerEntry(seq=1, at=NOW, turn_id=turn_id, conversation_id=conversation_id, **rest)
