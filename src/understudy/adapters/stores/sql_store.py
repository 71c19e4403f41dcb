"""The store: one writer thread that commits steps in groups, a few readers beside it; the SQL is elsewhere.

While one group is being committed the next gathers in the queue: no timers, so a lone step waits for nobody, and many
steps share one fsync. Steps seldom fail, so they run without savepoints; where one does, the group is rolled back and
each of its steps runs again alone, so that only the failing one fails.
On SQLite the writer begins IMMEDIATE, with WAL and synchronous=FULL; on PostgreSQL groups of all processes are put in
order by one advisory lock, so the ledger has one head and sequence numbers appear in commit order.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from understudy.adapters.stores.engine import is_sqlite, open_engine, read_options
from understudy.adapters.stores.hot import Hot
from understudy.adapters.stores.transaction import SqlTransaction
from understudy.adapters.stores.writer_connection import WriterConnection
from understudy.errors import StoreError, UnderstudyError
from understudy.ports.store import Committed, Transaction

T = TypeVar("T")

GROUP_STEPS_MAX = 128
READERS = 4

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Work:
    """A step, and where its answer is awaited: in an event loop, or in a thread that has none."""

    step: Callable[[Transaction], Any]
    future: asyncio.Future[Any] | Future[Any]
    loop: asyncio.AbstractEventLoop | None


class _CommitCutOff(Exception):
    """The commit broke: it may have reached the disk all the same, so nothing of the group may be run again."""


class SqlStore:
    """`ports.store.Store` over SQLAlchemy Core, for SQLite and PostgreSQL.

    `leaves_marks`: whether other processes may write at the same time and are told what this one changed; None: as the
    database is meant to be used, on PostgreSQL.
    """

    def __init__(self, url: str, *, leaves_marks: bool | None = None) -> None:
        self.engine: Engine = open_engine(url)
        self._read_options = read_options(self.engine)
        self._hot = Hot()
        self._connection = WriterConnection(
            self.engine, leaves_marks=not is_sqlite(self.engine) if leaves_marks is None else leaves_marks
        )
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._listeners: list[Callable[[Committed], None]] = []
        self._share: Callable[[Any, Committed], Committed] | None = None
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._writer = threading.Thread(target=self._write_groups, name="store-writer", daemon=True)
        self._closed = False
        self._closing = threading.Lock()
        self._writer.start()

    def write(self, step: Callable[[Transaction], T]) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._submit(_Work(step, future, loop))
        return future

    def write_now(self, step: Callable[[Transaction], T]) -> T:
        """Do the same as `write` from a thread that has no event loop (the command line)."""
        future: Future[T] = Future()
        self._submit(_Work(step, future, None))
        return future.result()

    def _submit(self, work: _Work) -> None:
        with self._closing:  # else a step could be queued behind the end, where nobody looks any more
            if self._closed:
                work.future.set_exception(StoreError("the store is closed"))
            else:
                self._queue.put(work)

    def read(self, query: Callable[[Transaction], T]) -> asyncio.Future[T]:
        try:
            return asyncio.wrap_future(self._readers.submit(self.read_now, query))
        except RuntimeError as error:
            raise StoreError("the store is closed") from error

    def read_now(self, query: Callable[[Transaction], T]) -> T:
        """Do the same as `read` in this thread."""
        with self.engine.connect() as connection:
            connection.execution_options(**self._read_options)
            try:
                connection.begin()
                transaction = SqlTransaction(connection.connection, self.engine.dialect)
                result = query(transaction)
                if transaction.session.changed:
                    raise AssertionError("a query must not write; use a step")
                return result
            except _driver_errors(self.engine) as error:
                raise StoreError(f"the database could not be read: {getattr(error, 'orig', error)}") from error
            finally:
                connection.rollback()

    def subscribe(self, listener: Callable[[Committed], None]) -> None:
        self._listeners.append(listener)

    def share_by(self, share: Callable[[Any, Committed], Committed]) -> None:
        """Call `share` with the driver's connection before each commit; it returns what is left to tell listeners of."""
        self._share = share

    async def close(self) -> None:
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """Do the same as `close` from a thread that has no event loop."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._writer.join()
        self._readers.shutdown()
        self.engine.dispose()

    # The writer thread -----------------------------------------------------------------------------------------

    def _write_groups(self) -> None:
        while (group := self._next_group()) is not None:
            try:
                self._write_group(group, joined=True)
                continue
            except _CommitCutOff as error:
                for work in group:
                    self._fail(work, error.__cause__ or error)
                continue
            except BaseException as error:  # noqa: BLE001 - every waiting caller must hear of it, whatever it was
                if len(group) == 1:
                    self._fail(group[0], error)
                    continue
            self._write_each_alone(group)  # out here, so that no step's error drags along that of its group
        self._connection.close()

    def _write_each_alone(self, group: list[_Work]) -> None:
        """Nothing of the group was committed: let each step succeed or fail by itself."""
        for work in group:
            try:
                self._write_group([work])
            except _CommitCutOff as error:
                self._fail(work, error.__cause__ or error)
            except BaseException as error:  # noqa: BLE001 - the same
                self._fail(work, error)

    def _write_group(self, group: list[_Work], *, joined: bool = False) -> None:
        """Run the steps of a group in one transaction; raises where any of them does, and then nothing is stored.

        `joined`: what came while it waited for its turn among the writers of all processes goes along.
        """
        try:
            self._write(group, joined=joined)
        except BaseException:
            self._hot.clear()  # it may hold what was rolled back
            raise

    def _write(self, group: list[_Work], *, joined: bool) -> None:
        connection = self._connection
        try:
            transaction = connection.begin(self._hot)
            if joined:
                self._join(group)
            results = _run_all(group, transaction)
            committed = transaction.write()
            if self._share is not None:
                committed = self._share(connection.driver_connection, committed)
            transaction.session.settle()
        except BaseException:
            connection.roll_back()
            raise
        try:
            connection.commit()
        except BaseException as error:
            connection.roll_back()
            raise _CommitCutOff from error
        self._hot.close(transaction.ledger.head())
        self._tell(committed)
        _answer([(work, result, None) for work, result in zip(group, results, strict=True)])

    def _fail(self, work: _Work, error: BaseException) -> None:
        told = _as_store_error(error, self.engine)
        if isinstance(told, UnderstudyError):
            # Foreseen: nobody reads where it was raised. Its frames hold this future, and so all of a refused
            # message, in a circle that only the garbage collector would find; under overload there are many.
            told.__traceback__ = None
        _answer([(work, None, told)])

    def _next_group(self) -> list[_Work] | None:
        first = self._queue.get()
        if first is None:
            return None
        group = [first]
        self._join(group)
        return group

    def _join(self, group: list[_Work]) -> None:
        """Add the steps that wait."""
        while len(group) < GROUP_STEPS_MAX:
            try:
                work = self._queue.get_nowait()
            except queue.Empty:
                break
            if work is None:
                self._queue.put(None)
                break
            group.append(work)

    def _tell(self, committed: Committed) -> None:
        for listener in self._listeners:
            try:
                listener(committed)
            except Exception:  # noqa: BLE001 - logged; the commit stands whatever a listener does
                _log.exception("a listener of the store failed; what was committed stays committed")


_Answer = tuple[_Work, Any, BaseException | None]


def _answer(answers: list[_Answer]) -> None:
    """Tell all callers; those of one event loop by waking it once."""
    by_loop: dict[asyncio.AbstractEventLoop | None, list[_Answer]] = {}
    for answer in answers:
        by_loop.setdefault(answer[0].loop, []).append(answer)
    for loop, of_loop in by_loop.items():
        if loop is None:
            _settle(of_loop)
        else:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_settle, of_loop)


def _settle(answers: list[_Answer]) -> None:
    for work, result, error in answers:
        if work.future.done():
            continue  # the caller went away; what is committed stays
        if error is None:
            work.future.set_result(result)
        else:
            work.future.set_exception(error)


def _run_all(group: list[_Work], transaction: SqlTransaction) -> list[Any]:
    try:
        return [_run(work.step, transaction) for work in group]
    except Exception:
        transaction.write()  # what was refused before, and not looked at yet, is why this step broke
        transaction.session.settle()
        raise


def _run(step: Callable[[Transaction], Any], transaction: SqlTransaction) -> Any:
    entries = len(transaction.ledger.pending)
    transaction.session.changed = False
    result = step(transaction)
    if transaction.session.changed and len(transaction.ledger.pending) == entries:
        raise AssertionError("a step changed a record without a ledger entry; append one in the same step")
    return result


def _as_store_error(error: BaseException, engine: Engine) -> BaseException:
    if isinstance(error, _driver_errors(engine)):
        wrapped = StoreError(f"the database refused: {getattr(error, 'orig', error)}")
        wrapped.__cause__ = error
        return wrapped
    return error


def _driver_errors(engine: Engine) -> tuple[type[BaseException], ...]:
    """What goes wrong in the database: as the driver raises it, and as SQLAlchemy wraps it."""
    return (DBAPIError, engine.dialect.loaded_dbapi.Error)
