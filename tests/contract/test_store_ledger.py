"""The ledger: one unbroken chain, whoever writes, however many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

from sqlalchemy import text

from understudy.adapters.stores.sql_store import SqlStore
from understudy.ports.store import Transaction
from understudy.records.ledger import GENESIS, LedgerEntry, chain

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)


def entries(store: SqlStore) -> list[LedgerEntry]:
    return store.read_now(lambda tx: tx.ledger.entries(limit=100_000))


def links_to(entry: LedgerEntry, previous: str) -> bool:
    values = {field.name: getattr(entry, field.name) for field in fields(entry) if field.name != "hash"}
    return entry.previous == previous and entry.hash == chain(**values)


def is_chained(found: Sequence[LedgerEntry]) -> bool:
    before = [GENESIS, *(entry.hash for entry in found)]
    return all(links_to(entry, previous) for entry, previous in zip(found, before, strict=False))


def test_the_first_entry_is_number_one_after_the_genesis(store: SqlStore) -> None:
    entry = store.write_now(lambda tx: tx.ledger.append("a", at=NOW))
    assert (entry.seq, entry.previous) == (1, GENESIS)


def test_an_entry_comes_back_as_it_was_appended(store: SqlStore) -> None:
    appended = store.write_now(
        lambda tx: tx.ledger.append(
            "a", at=NOW, turn_id="t", conversation_id="c", actor="r-1", zahl=1.5, wort="grüße 🎉", liste=["x", None]
        )
    )
    assert entries(store) == [appended]


def test_the_body_is_canonical_json(store: SqlStore) -> None:
    appended = store.write_now(lambda tx: tx.ledger.append("a", at=NOW, b=1, a=["é"]))
    assert appended.body == '{"a":["é"],"b":1}'


def test_a_moment_in_another_zone_does_not_break_the_chain(store: SqlStore) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    store.write_now(lambda tx: tx.ledger.append("a", at=elsewhere))
    assert is_chained(entries(store))


def test_entries_are_chained_without_a_gap_under_fifty_parallel_writers(store: SqlStore) -> None:
    async def scene() -> None:
        def step(number: int, tx: Transaction) -> None:
            tx.ledger.append("a", at=NOW, number=number)
            if number % 7 == 0:
                raise LookupError  # what fails must leave no gap
            tx.ledger.append("b", at=NOW, number=number)

        async def writer(number: int) -> None:
            for nth in range(10):
                try:
                    await store.write(partial(step, number * 10 + nth))
                except LookupError:
                    continue

        await asyncio.gather(*(writer(number) for number in range(50)))

    asyncio.run(scene())
    found = entries(store)
    kept = sum(1 for number in range(500) if number % 7)
    assert [entry.seq for entry in found] == list(range(1, 2 * kept + 1))
    assert is_chained(found)


def test_entries_of_several_processes_are_one_chain(store: SqlStore, url: str) -> None:
    stores = [store, SqlStore(url), SqlStore(url)]

    def write_many(one: SqlStore) -> None:
        for _ in range(30):
            one.write_now(lambda tx: tx.ledger.append("a", at=NOW))

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(write_many, stores))
    for other in stores[1:]:
        other.close_now()
    found = entries(store)
    assert [entry.seq for entry in found] == list(range(1, 91))
    assert is_chained(found)


def test_entries_after_a_number_begin_with_the_next(store: SqlStore) -> None:
    for _ in range(5):
        store.write_now(lambda tx: tx.ledger.append("a", at=NOW))
    assert [entry.seq for entry in store.read_now(lambda tx: tx.ledger.entries(after=2, limit=2))] == [3, 4]


def test_a_step_reads_its_own_entries(store: SqlStore) -> None:
    def step(tx: Transaction) -> list[str]:
        tx.ledger.append("b", at=NOW)
        return [entry.event for entry in tx.ledger.entries()]

    store.write_now(lambda tx: tx.ledger.append("a", at=NOW))
    assert store.write_now(step) == ["a", "b"]


def test_the_head_is_the_number_of_the_latest_entry(store: SqlStore) -> None:
    heads = [store.read_now(lambda tx: tx.ledger.head_seq())]
    store.write_now(lambda tx: [tx.ledger.append("a", at=NOW), tx.ledger.append("b", at=NOW)])
    heads.append(store.read_now(lambda tx: tx.ledger.head_seq()))
    assert heads == [0, 2]


def test_a_changed_row_is_found(store: SqlStore) -> None:
    for _ in range(3):
        store.write_now(lambda tx: tx.ledger.append("a", at=NOW, amount=1))
    with store.engine.connect() as connection, connection.begin():
        connection.execute(text("UPDATE ledger SET body = '{}' WHERE seq = 2"))
    assert not is_chained(entries(store))


def test_a_removed_row_is_found(store: SqlStore) -> None:
    for _ in range(3):
        store.write_now(lambda tx: tx.ledger.append("a", at=NOW))
    with store.engine.connect() as connection, connection.begin():
        connection.execute(text("DELETE FROM ledger WHERE seq = 2"))
    assert not is_chained(entries(store))


def test_what_became_of_levels_is_found_the_latest_first_and_without_mere_counting(store: SqlStore) -> None:
    events = (
        "autonomy.began",
        "autonomy.advanced",
        "turn.decided",
        "autonomy.promoted",
        "autonomy.stopped",
        "release.moved",
    )
    for event in events:
        store.write_now(lambda tx, event=event: tx.ledger.append(event, at=NOW))  # type: ignore[misc]

    def found(tx: Transaction) -> list[tuple[int, str]]:
        tx.ledger.append("autonomy.resumed", at=NOW)
        return [(entry.seq, entry.event) for entry in tx.ledger.of_autonomy(limit=3)]

    assert store.write_now(found) == [(7, "autonomy.resumed"), (5, "autonomy.stopped"), (4, "autonomy.promoted")]
    assert [entry.seq for entry in store.read_now(lambda tx: tx.ledger.of_autonomy(limit=9))] == [7, 5, 4, 1]
