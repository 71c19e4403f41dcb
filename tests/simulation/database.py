"""A SQLite database in memory and the store of one process on it: `ports.store.Store` without a thread.

The steps run in the product's own transactions; only the threads and the disk are left out. Each process remembers what
it saw and leaves marks for the others, as beside each other on PostgreSQL. Each write takes time before its commit and
after it, and in between its process may die, the database may refuse, or its answer may be lost.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from simulation.memory import mistaken
from understudy.adapters.stores.hot import Hot
from understudy.adapters.stores.marks import Mark
from understudy.adapters.stores.migrate import upgrade
from understudy.adapters.stores.transaction import SqlTransaction
from understudy.errors import StoreError
from understudy.ports.store import Committed, Transaction

if TYPE_CHECKING:
    from simulation.process import Process

T = TypeVar("T")


class Database:
    """One database in memory, used by one world after the other."""

    def __init__(self) -> None:
        engine = create_engine("sqlite://", poolclass=StaticPool)
        upgrade(engine)
        self._connection = engine.connect()
        raw: Any = self._connection.connection.driver_connection
        self.raw: sqlite3.Connection = raw
        self.raw.isolation_level = None
        self._empty = self.raw.serialize()

    def begin_anew(self) -> None:
        """Forget everything."""
        self.raw.deserialize(self._empty)
        self.raw.execute("PRAGMA foreign_keys=ON")

    def write(self, step: Callable[[Transaction], T], hot: Hot, *, runs_again: bool) -> tuple[T, Committed]:
        """Run a step and commit it; a step that raises changes nothing. `runs_again`: once for nothing before."""
        if runs_again:
            self.try_out(step, hot)
        return self._attempt(step, hot, commits=True)

    def try_out(self, step: Callable[[Transaction], T], hot: Hot | None = None) -> T:
        """Run a step and roll it back."""
        return self._attempt(step, hot or Hot(scenes_max=0), commits=False)[0]

    def mistaken(self, hot: Hot) -> str | None:
        """What a process would begin its next step with and is not so."""
        self.raw.execute("BEGIN IMMEDIATE")
        try:
            SqlTransaction(self.raw, self._connection.dialect, hot, mark=Mark()).begin(hot)
            return mistaken(hot, SqlTransaction(self.raw, self._connection.dialect))
        finally:
            self.raw.execute("ROLLBACK")

    def _attempt(self, step: Callable[[Transaction], T], hot: Hot, *, commits: bool) -> tuple[T, Committed]:
        self.raw.execute("BEGIN IMMEDIATE")
        try:
            transaction = SqlTransaction(self.raw, self._connection.dialect, hot, mark=Mark())
            transaction.begin(hot)
            result = step(transaction)
            if transaction.session.changed and not transaction.ledger.pending:
                raise AssertionError("a step changed a record without a ledger entry")
            committed = transaction.write()
        except BaseException:
            self.raw.execute("ROLLBACK")
            hot.clear()
            raise
        self.raw.execute("COMMIT" if commits else "ROLLBACK")
        if commits:
            hot.close(transaction.ledger.head())
        else:
            hot.clear()
        return result, committed

    def read(self, query: Callable[[Transaction], T]) -> T:
        """Run a query."""
        transaction = SqlTransaction(self.raw, self._connection.dialect)
        result = query(transaction)
        assert not transaction.session.changed, "a query must not write"
        return result

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run plain SQL: what the inspector sees does not go through the product's own reading."""
        return self.raw.execute(sql, values).fetchall()


@cache
def database() -> Database:
    """The one database of this operating system process; migrating it anew for each world would cost the most."""
    return Database()


class SimulatedStore:
    """The store as one process sees it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._world = process.world
        self._hot = Hot()
        self._listeners: list[Callable[[Committed], None]] = []

    def write(self, step: Callable[[Transaction], T]) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self._world.loop.create_future()
        self._process.later(lambda: self._commit(step, future))
        return future

    def _commit(self, step: Callable[[Transaction], Any], future: asyncio.Future[Any]) -> None:
        weather = self._world.weather
        if self._process.dies("before a commit"):
            return
        if weather.strikes("store_refuses"):
            self._answer(future, StoreError("the database is locked"))
            return
        try:
            self._world.inspector.remembers(self._process.name, self._world.database.mistaken(self._hot))
            runs_again = weather.strikes("step_runs_again")
            result, committed = self._world.database.write(step, self._hot, runs_again=runs_again)
        except BaseException as error:  # noqa: BLE001 - whatever it was, it belongs to the caller
            self._world.inspector.refused(self._process.name, error)
            self._answer(future, error)
            return
        self._world.inspector.committed(self._process.name, committed.entries)
        for listener in self._listeners:
            listener(committed)
        if self._process.dies("after a commit"):
            return
        forgets = weather.strikes("store_forgets")
        self._answer(future, StoreError("the connection broke during the commit") if forgets else None, result)

    def read(self, query: Callable[[Transaction], T]) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self._world.loop.create_future()
        self._process.later(lambda: self._query(query, future))
        return future

    def _query(self, query: Callable[[Transaction], Any], future: asyncio.Future[Any]) -> None:
        if self._process.dies("at a read"):
            return
        if self._world.weather.strikes("store_refuses"):
            self._answer(future, StoreError("the database could not be read"))
            return
        try:
            self._answer(future, None, self._world.database.read(query))
        except BaseException as error:  # noqa: BLE001 - whatever it was, it belongs to the caller
            self._answer(future, error)

    def _answer(self, future: asyncio.Future[Any], error: BaseException | None, result: Any = None) -> None:
        def arrive() -> None:
            if future.done():
                return  # The caller went away; what is committed stays.
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

        self._process.later(arrive)

    def subscribe(self, listener: Callable[[Committed], None]) -> None:
        self._listeners.append(listener)

    async def close(self) -> None:
        """There is nothing to let go of: the database outlives its processes."""
