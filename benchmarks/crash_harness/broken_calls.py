"""A database driver whose n-th call breaks: with an I/O error on SQLite, with a lost connection on PostgreSQL.

Calls are counted at the boundary to the driver: connecting, executing, committing, rolling back. One may break before
it did anything or after it did all, when only its answer is lost. The product is left as it is; SQLAlchemy is told, by
its event for this purpose, to use a connection class of ours.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Engine, event

T = TypeVar("T")


class BrokenCalls:
    """Counts calls; number `at` (from 1) breaks, and none after it. `is_after`: the call is done, its answer is lost."""

    def __init__(self, *, at: int, is_after: bool) -> None:
        self.count = 0
        self.broke = ""
        self._at = at
        self._is_after = is_after

    def get_into(self, engine: Engine) -> None:
        """Let all connections that an engine makes from now on count here."""
        event.listen(engine, "do_connect", self._connect)

    def _connect(self, dialect: Any, _record: Any, _args: Any, parameters: dict[str, Any]) -> Any:
        if dialect.name == "sqlite":
            made: Any = self.call(
                "connect", lambda: None, lambda: sqlite3.OperationalError("unable to open database file")
            )
            parameters["factory"] = type("Connection", (_SqliteConnection,), {"calls": self})
            return made
        kind: Any = type("Connection", (_PostgresConnection,), {"calls": self})
        return self.call(
            "connect",
            lambda: kind.connect(**parameters, cursor_factory=_PostgresCursor),
            lambda: psycopg.OperationalError("connection refused"),
        )

    def call(self, what: str, do: Callable[[], T], error: Callable[[], Exception]) -> T:
        """Do a call, or break."""
        self.count += 1
        if self.count != self._at:
            return do()
        self.broke = what
        if self._is_after:
            done = do()
            if isinstance(done, psycopg.Connection):
                done.close()  # nobody will ever know of it
        raise error()


class _SqliteCursor(sqlite3.Cursor):
    connection: _SqliteConnection

    def execute(self, sql: str, *values: Any) -> Any:
        do = super().execute
        return self.connection.calls.call(sql, lambda: do(sql, *values), self._failed)

    def executemany(self, sql: str, *values: Any) -> Any:
        do = super().executemany
        return self.connection.calls.call(sql, lambda: do(sql, *values), self._failed)

    def _failed(self) -> Exception:
        """SQLite ends a statement that fails, even one that has rows to give."""
        self.close()
        return _io_error()


class _SqliteConnection(sqlite3.Connection):
    calls: BrokenCalls

    def cursor(self, factory: Any = _SqliteCursor) -> Any:
        return super().cursor(factory)

    def commit(self) -> None:
        self.calls.call("commit", super().commit, _io_error)

    def rollback(self) -> None:
        self.calls.call("rollback", super().rollback, _io_error)


class _PostgresCursor(psycopg.Cursor[Any]):
    connection: _PostgresConnection

    def execute(self, query: Any, *values: Any, **options: Any) -> Any:
        do = super().execute
        return self.connection.calls.call(str(query), lambda: do(query, *values, **options), self.connection.lost)

    def executemany(self, query: Any, *values: Any, **options: Any) -> None:
        do = super().executemany
        self.connection.calls.call(str(query), lambda: do(query, *values, **options), self.connection.lost)


class _PostgresConnection(psycopg.Connection[Any]):
    calls: BrokenCalls

    def lost(self) -> Exception:
        """Break the connection for good, as a server does that goes away."""
        self.close()
        return psycopg.OperationalError("server closed the connection unexpectedly")

    def commit(self) -> None:
        self.calls.call("commit", super().commit, self.lost)

    def rollback(self) -> None:
        self.calls.call("rollback", super().rollback, self.lost)


def _io_error() -> Exception:
    return sqlite3.OperationalError("disk I/O error")
