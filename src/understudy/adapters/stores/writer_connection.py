"""The writer's own connection, kept from group to group: begin, commit, roll back. It runs no step.

A connection that died while nobody used it is replaced as soon as a group begins. One in whose transaction something
broke is thrown away unless it can be rolled back.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import Any

from sqlalchemy import Engine, bindparam, func, select
from sqlalchemy.pool import PoolProxiedConnection

from understudy.adapters.stores.engine import PG_WRITER_LOCK, is_sqlite
from understudy.adapters.stores.hot import Hot
from understudy.adapters.stores.marks import Mark
from understudy.adapters.stores.statement import Statement
from understudy.adapters.stores.transaction import SqlTransaction
from understudy.adapters.stores.turnstile import Turnstile

_TAKE_WRITER_LOCK = Statement(select(func.pg_advisory_xact_lock(bindparam("key"))))


class WriterConnection:
    """For one thread. On PostgreSQL it is always in pipeline mode: what is only written is not waited for.

    `leaves_marks`: whether it tells other processes' writers what each group changed, and asks what they did.
    """

    def __init__(self, engine: Engine, *, leaves_marks: bool) -> None:
        self._engine = engine
        self._leaves_marks = leaves_marks
        self._connection: PoolProxiedConnection | None = None
        self._pipeline: Any = None
        self._kept_open = ExitStack()
        self._turnstile = Turnstile(engine.url)

    @property
    def driver_connection(self) -> Any:
        """The driver's own connection."""
        assert self._connection is not None, "a transaction is open"
        return self._connection.driver_connection

    def begin(self, hot: Hot) -> SqlTransaction:
        """Begin a transaction that no other writer's overlaps, and see whether what is remembered still holds."""
        was_open = self._connection is not None
        try:
            return self._begin(hot)
        except self._engine.dialect.loaded_dbapi.Error as error:
            is_gone = self._engine.dialect.is_disconnect(error, self._driver_or_none(), None)
            self._drop()
            if not (was_open and is_gone):
                raise
        return self._begin(hot)

    def _begin(self, hot: Hot) -> SqlTransaction:
        if self._connection is None:
            self._connection = self._engine.raw_connection()
            if not is_sqlite(self._engine):
                self._pipeline = self._kept_open.enter_context(self.driver_connection.pipeline())
        if is_sqlite(self._engine):
            with self._turnstile.passing():
                self._connection.cursor().execute("BEGIN IMMEDIATE")
        mark = Mark() if self._leaves_marks else None
        transaction = SqlTransaction(self._connection, self._engine.dialect, hot, pipeline=self._pipeline, mark=mark)
        if self._pipeline is not None:
            transaction.session.renew(_TAKE_WRITER_LOCK, {"key": PG_WRITER_LOCK})
        transaction.begin(hot)
        return transaction

    def commit(self) -> None:
        """Put all of it on disk."""
        self._engine.dialect.do_commit(self._connection)  # type: ignore[arg-type]

    def roll_back(self) -> None:
        """Undo all of it."""
        if self._connection is None:
            return
        try:
            self._engine.dialect.do_rollback(self._connection)
        except self._engine.dialect.loaded_dbapi.Error:
            self._drop()

    def close(self) -> None:
        """Let go of the connection."""
        self._drop()
        self._turnstile.close()

    def _drop(self) -> None:
        connection, self._connection, self._pipeline = self._connection, None, None
        if connection is not None:
            connection.invalidate()
        with suppress(self._engine.dialect.loaded_dbapi.Error):
            self._kept_open.close()

    def _driver_or_none(self) -> Any:
        return None if self._connection is None else self._connection.driver_connection
