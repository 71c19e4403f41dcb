"""What the store promises of every step: all or nothing, alone in its group, on disk before it is announced."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import NotFound, StoreError
from understudy.ports.store import Committed, Transaction
from understudy.records.ledger import LedgerEntry
from understudy.records.turn import Job

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
JOB = Job(kind="turn", key="c-1")


def note(tx: Transaction, event: str = "test.step") -> LedgerEntry:
    return tx.ledger.append(event, at=NOW)


def events(store: SqlStore) -> list[str]:
    return [entry.event for entry in store.read_now(lambda tx: tx.ledger.entries())]


class Listener:
    """Keeps what was committed."""

    def __init__(self, store: SqlStore) -> None:
        self.heard: list[Committed] = []
        store.subscribe(self.heard.append)

    @property
    def jobs(self) -> list[tuple[Job, datetime | None]]:
        return [job for committed in self.heard for job in committed.jobs]

    @property
    def events(self) -> list[str]:
        return [entry.event for committed in self.heard for entry in committed.entries]


def together(store: SqlStore, *steps: Callable[[Transaction], Any]) -> list[Any]:
    """Write all steps in one group: the writer is kept busy until all of them wait."""

    async def scene() -> list[Any]:
        busy, gate = threading.Event(), threading.Event()

        def wait(_tx: Transaction) -> None:
            busy.set()
            gate.wait(60)

        first = store.write(wait)
        busy.wait(60)  # else the writer could take some of the steps along with this one
        waiting = [store.write(step) for step in steps]
        gate.set()
        return (await asyncio.gather(first, *waiting, return_exceptions=True))[1:]

    return asyncio.run(scene())


def test_what_a_step_returns_comes_back(store: SqlStore) -> None:
    assert store.write_now(lambda tx: note(tx).seq) == 1


def test_a_step_that_raises_changes_nothing(store: SqlStore, make: Any) -> None:
    conversations: list[str] = []

    def step(tx: Transaction) -> None:
        conversations.append(make.conversation(tx).id)
        note(tx)
        raise LookupError("in the middle")

    with pytest.raises(LookupError, match="in the middle"):
        store.write_now(step)
    with pytest.raises(NotFound):
        store.read_now(lambda tx: tx.conversations.get(conversations[0]))


def test_a_step_that_raises_leaves_no_ledger_entry(store: SqlStore) -> None:
    def step(tx: Transaction) -> None:
        note(tx)
        raise LookupError

    with pytest.raises(LookupError):
        store.write_now(step)
    assert events(store) == []


def test_a_step_that_raises_announces_nothing(store: SqlStore) -> None:
    listener = Listener(store)

    def step(tx: Transaction) -> None:
        note(tx)
        tx.announce(JOB)
        raise LookupError

    with pytest.raises(LookupError):
        store.write_now(step)
    assert listener.jobs == []


def test_a_step_that_raises_takes_nothing_of_its_group_with_it(store: SqlStore, make: Any) -> None:
    listener = Listener(store)
    kept: list[str] = []

    def good(name: str) -> Callable[[Transaction], None]:
        def step(tx: Transaction) -> None:
            kept.append(make.conversation(tx, id=name).id)
            note(tx, name)
            tx.announce(Job(kind="turn", key=name))

        return step

    def bad(tx: Transaction) -> None:
        make.conversation(tx, id="bad")
        note(tx, "bad")
        tx.announce(Job(kind="turn", key="bad"))
        raise LookupError("only me")

    results = together(store, good("a"), bad, good("b"))
    assert [type(result) for result in results] == [type(None), LookupError, type(None)]
    assert [store.read_now(lambda tx, name=name: tx.conversations.get(name).id) for name in dict.fromkeys(kept)] == [
        "a",
        "b",
    ]  # a step may run again
    assert [job.key for job, _ in listener.jobs] == ["a", "b"]
    assert events(store) == ["a", "b"]


def test_a_step_the_database_refuses_takes_nothing_of_its_group_with_it(store: SqlStore, make: Any) -> None:
    def good(tx: Transaction) -> None:
        make.conversation(tx, id="a")
        note(tx, "good")

    results = together(store, good, good, lambda tx: note(tx, "other"))
    assert results[0] is None
    assert isinstance(results[1], StoreError)
    assert events(store) == ["good", "other"]


def test_a_ledger_entry_the_database_refuses_takes_nothing_of_its_group_with_it(store: SqlStore) -> None:
    naive = NOW.replace(tzinfo=None)
    bad = [lambda tx: tx.ledger.append("too long " * 100, at=NOW), lambda tx: tx.ledger.append("when?", at=naive)]
    for refused in bad:  # SQLite takes the first of them.
        results = together(store, lambda tx: note(tx, "a"), refused, lambda tx: note(tx, "b"))
        assert [isinstance(results[0], LedgerEntry), isinstance(results[2], LedgerEntry)] == [True, True]
    assert [event for event in events(store) if len(event) == 1] == ["a", "b", "a", "b"]
    assert "when?" not in events(store)


def test_a_group_whose_commit_was_cut_off_is_not_run_again(
    store: SqlStore, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit may have reached the disk although its answer was lost: a second run would do everything twice."""
    dialect = store.engine.dialect
    answered = dialect.do_commit

    def cut_off(connection: Any) -> None:
        answered(connection)
        monkeypatch.undo()
        raise OperationalError("COMMIT", {}, ConnectionError("the server closed the connection"))

    def step(tx: Transaction) -> None:
        make.conversation(tx)
        note(tx, "once")

    def begin(_tx: Transaction) -> None:
        monkeypatch.setattr(dialect, "do_commit", cut_off)

    results = together(store, begin, step, step)
    assert [type(result) for result in results] == [StoreError] * 3
    assert events(store) == ["once", "once"]


def test_a_step_that_changes_a_record_without_a_ledger_entry_is_refused(store: SqlStore, make: Any) -> None:
    with pytest.raises(AssertionError, match="ledger"):
        store.write_now(lambda tx: make.conversation(tx, id="silent"))
    with pytest.raises(NotFound):
        store.read_now(lambda tx: tx.conversations.get("silent"))


def test_a_neighbours_ledger_entry_does_not_vouch_for_a_silent_step(store: SqlStore, make: Any) -> None:
    results = together(store, note, lambda tx: make.conversation(tx, id="silent"))
    assert isinstance(results[1], AssertionError)


def test_a_step_that_changes_nothing_needs_no_ledger_entry(store: SqlStore) -> None:
    assert store.write_now(lambda tx: tx.turns.backlog()) == 0


def test_a_query_cannot_change_anything(store: SqlStore, make: Any) -> None:
    with pytest.raises((AssertionError, StoreError)):
        store.read_now(lambda tx: make.conversation(tx, id="by-reading"))
    with pytest.raises(NotFound):
        store.read_now(lambda tx: tx.conversations.get("by-reading"))


def test_a_step_sees_what_earlier_steps_of_its_group_did(store: SqlStore, make: Any) -> None:
    def first(tx: Transaction) -> None:
        make.conversation(tx, id="c")
        note(tx)

    assert together(store, first, lambda tx: tx.conversations.get("c").id) == [None, "c"]


def test_jobs_are_announced_only_after_the_commit(store: SqlStore, make: Any) -> None:
    seen: list[str] = []
    store.subscribe(lambda committed: seen.extend(_read_each(store, committed)))

    def step(tx: Transaction) -> None:
        conversation = make.conversation(tx, id="c")
        note(tx)
        tx.announce(Job(kind="turn", key=conversation.id))

    store.write_now(step)
    assert seen == ["c"]


def _read_each(store: SqlStore, committed: Committed) -> list[str]:
    """Read what the jobs speak of, as another connection sees it at this moment."""
    return [store.read_now(lambda tx, key=job.key: tx.conversations.get(key).id) for job, _ in committed.jobs]


def test_announced_jobs_keep_their_order_and_moment(store: SqlStore) -> None:
    listener = Listener(store)
    later = NOW + timedelta(seconds=3)
    other = Job(kind="hold", key="h")

    def step(tx: Transaction) -> None:
        tx.announce(JOB, at=later)
        tx.announce(other)

    store.write_now(step)
    assert listener.jobs == [(JOB, later), (other, None)]


def test_a_listener_hears_the_ledger_entries_of_a_commit_in_order(store: SqlStore) -> None:
    listener = Listener(store)
    together(store, lambda tx: note(tx, "a"), lambda tx: [note(tx, "b"), note(tx, "c")])
    assert listener.events == ["a", "b", "c"]


def test_a_listener_that_breaks_neither_undoes_the_commit_nor_silences_the_others(store: SqlStore) -> None:
    def broken(_committed: Committed) -> None:
        raise RuntimeError("listener")

    store.subscribe(broken)
    listener = Listener(store)
    store.write_now(lambda tx: note(tx, "kept"))
    assert listener.events == events(store) == ["kept"]


def test_a_caller_that_went_away_does_not_undo_its_step(store: SqlStore) -> None:
    async def scene() -> None:
        gate = threading.Event()

        def step(tx: Transaction) -> None:
            gate.wait(60)
            note(tx, "kept")

        task = asyncio.ensure_future(_awaited(store, step))
        await asyncio.sleep(0)
        task.cancel()
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        await store.write(lambda tx: note(tx, "next"))

    asyncio.run(scene())
    assert events(store) == ["kept", "next"]


async def _awaited(store: SqlStore, step: Callable[[Transaction], Any]) -> Any:
    return await store.write(step)


def test_a_read_sees_one_snapshot_while_others_write(store: SqlStore) -> None:
    note_committed = threading.Event()
    first_read = threading.Event()

    def query(tx: Transaction) -> tuple[int, int]:
        before = len(tx.ledger.entries())
        first_read.set()
        note_committed.wait(60)
        return before, len(tx.ledger.entries())

    async def scene() -> tuple[int, int]:
        reading = store.read(query)
        await asyncio.to_thread(first_read.wait, 10)
        await store.write(note)
        note_committed.set()
        return await reading

    assert asyncio.run(scene()) == (0, 0)


def test_a_read_after_a_write_sees_it(store: SqlStore) -> None:
    async def scene() -> list[int]:
        seen = []
        for _ in range(20):
            await store.write(note)
            seen.append(await store.read(lambda tx: len(tx.ledger.entries())))
        return seen

    assert asyncio.run(scene()) == list(range(1, 21))


def test_close_finishes_what_was_begun(url: str) -> None:
    store = SqlStore(url)

    async def scene() -> None:
        waiting = [store.write(note) for _ in range(300)]
        await store.close()
        await asyncio.gather(*waiting)

    asyncio.run(scene())
    again = SqlStore(url)
    assert len(events(again)) == 300
    again.close_now()


def test_a_closed_store_refuses_to_write(url: str) -> None:
    store = SqlStore(url)
    store.close_now()
    with pytest.raises(StoreError, match="closed"):
        store.write_now(note)


def test_a_closed_store_refuses_to_read(url: str) -> None:
    store = SqlStore(url)
    store.close_now()

    async def scene() -> None:
        await store.read(lambda tx: tx.turns.backlog())

    with pytest.raises(StoreError, match="closed"):
        asyncio.run(scene())


def test_close_may_be_called_twice(url: str) -> None:
    store = SqlStore(url)
    store.close_now()
    store.close_now()


def test_nobody_waits_for_ever_when_the_store_closes_under_many_writers(url: str) -> None:
    store = SqlStore(url)
    outcomes: list[str] = []

    def write_many() -> None:
        for _ in range(200):
            try:
                store.write_now(note)
                outcomes.append("written")
            except StoreError:
                outcomes.append("refused")

    threads = [threading.Thread(target=write_many, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    store.close_now()
    for thread in threads:
        thread.join(60)
    assert len(outcomes) == 8 * 200


def test_two_stores_over_one_database_see_each_others_commits(store: SqlStore, url: str) -> None:
    other = SqlStore(url)
    for number in range(10):
        (store if number % 2 else other).write_now(note)
    assert len(events(store)) == len(events(other)) == 10
    other.close_now()
