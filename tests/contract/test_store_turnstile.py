"""Who writes beside a busy server: another process gets its turn, and one that came to harm in it stops nobody."""

from __future__ import annotations

import fcntl
import itertools
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from understudy.adapters.stores import turnstile
from understudy.adapters.stores.engine import open_engine
from understudy.adapters.stores.migrate import Migrations
from understudy.adapters.stores.sql_store import SqlStore
from understudy.ports.store import Transaction

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)

STEPS_BETWEEN_MAX = 50
"""How many steps of a busy process another may have to wait for."""


def note(tx: Transaction, event: str = "test.step") -> None:
    tx.ledger.append(event, at=NOW)


def test_another_process_gets_its_turn_however_busy_this_one_is(store: SqlStore, url: str) -> None:
    """A stop on the command line, say, while a server writes without a pause."""
    over = threading.Event()
    taken = itertools.count()
    last = 0

    def take_long(tx: Transaction) -> None:
        nonlocal last
        time.sleep(0.02)
        note(tx)
        last = next(taken)

    def keep_busy() -> None:
        while not over.is_set():
            store.write_now(take_long)

    busy = [threading.Thread(target=keep_busy) for _ in range(4)]
    other = SqlStore(url)
    for thread in busy:
        thread.start()
    try:
        waits = []
        for _ in range(5):
            began = last
            other.write_now(lambda tx: note(tx, "test.other"))
            waits.append(last - began)
    finally:
        over.set()
        for thread in busy:
            thread.join()
        other.close_now()
    assert max(waits) < STEPS_BETWEEN_MAX, waits


def test_who_stands_in_the_turnstile_for_ever_stops_nobody(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turnstile, "PATIENCE_S", 0.05)
    path = tmp_path / "store.db"
    path.write_bytes(sqlite_template.read_bytes())
    store = SqlStore(f"sqlite:///{path}")
    with Path(f"{path}.turnstile").open("w") as standing:
        fcntl.flock(standing, fcntl.LOCK_EX)
        store.write_now(note)
    store.close_now()


def test_where_no_turnstile_can_be_made_the_store_writes_all_the_same(sqlite_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(sqlite_template.read_bytes())
    Path(f"{path}.turnstile").mkdir()
    store = SqlStore(f"sqlite:///{path}")
    store.write_now(note)
    store.close_now()


def test_a_program_that_starts_beside_a_busy_server_waits_for_no_lock_to_see_that_the_schema_fits(
    store: SqlStore, url: str
) -> None:
    engine = open_engine(url)
    gate, holds, is_held = threading.Event(), threading.Event(), threading.Event()
    is_held.set()

    def hold(tx: Transaction) -> None:
        note(tx)
        holds.set()
        gate.wait(60)
        is_held.clear()

    writing = threading.Thread(target=lambda: store.write_now(hold))
    writing.start()
    holds.wait(60)
    try:
        Migrations(engine).prepare()
        was_held = is_held.is_set()
    finally:
        gate.set()
        writing.join()
        engine.dispose()
    assert was_held, "it waited until the other's step was over"
