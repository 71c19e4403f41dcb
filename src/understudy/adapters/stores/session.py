"""One open transaction as the repositories see it: run statements, remember whether anything changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import Connection

from understudy.adapters.stores.statement import ManyRows, Numbered, Statement

R = TypeVar("R")


class Session:
    """A thin hold on a connection; `changed` tells whether a record was written since the step began.

    Statements go to the driver as they were compiled. Whatever the driver raises comes through as it is.

    With a `pipeline` (PostgreSQL) nothing that is only written is waited for: its answer is looked at by `settle`, or
    earlier, when something is read. The steps of a group are right or are all run again, so late is early enough.
    """

    def __init__(self, connection: Connection, *, pipeline: Any = None, ahead: int = 1) -> None:
        self.changed = False
        self._dialect = connection.dialect
        self._open: Callable[[], Any] = connection.connection.cursor
        self._cursor: Any = self._open()
        self._pipeline = pipeline
        self._expected: list[tuple[Any, Callable[[], Exception]]] = []
        self._ahead = ahead
        self._numbers: dict[Numbered, deque[int]] = {}

    def rows(self, statement: Statement, **values: Any) -> list[Sequence[Any]]:
        """Run a query and fetch all rows, their columns in the types of the tables."""
        prepared = statement.on(self._dialect)
        self._cursor.execute(prepared.sql, prepared.values(values))
        return [prepared.row(row) for row in self._cursor.fetchall()]

    def row(self, statement: Statement, **values: Any) -> Sequence[Any] | None:
        """Run a query and fetch its first row."""
        prepared = statement.on(self._dialect)
        self._cursor.execute(prepared.sql, prepared.values(values))
        rows = self._cursor.fetchall()
        return prepared.row(rows[0]) if rows else None

    def scalar(self, statement: Statement, **values: Any) -> Any:
        """Run a query and fetch the first column of its first row; None where there is no row."""
        row = self.row(statement, **values)
        return None if row is None else row[0]

    def change(self, statement: Statement, values: Mapping[str, Any]) -> None:
        """Run a statement that writes."""
        self.changed = True
        self._run(statement, values)

    def swap(self, statement: Statement, values: Mapping[str, Any], *, refused: Callable[[], Exception]) -> None:
        """Run a statement that must change one row; what `refused` makes is raised where there is no such row."""
        self.changed = True
        self._expected.append((self._run(statement, values), refused))
        if self._pipeline is None:
            self.settle()

    def insert_many(self, statement: ManyRows, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert many rows."""
        self.changed = True
        if self._pipeline is None:
            prepared = statement.one.on(self._dialect)
            self._cursor.executemany(prepared.sql, [prepared.values(row) for row in rows])
        else:
            self._writing().execute(*statement.at_once(rows, self._dialect))

    def insert(self, statement: Numbered, values: Mapping[str, Any]) -> int:
        """Insert one row and return the number that the database gave it.

        In a pipeline `ahead` numbers are asked for at once; those that a group does not use are left out, so that
        numbers grow in the order of the commits.
        """
        if self._pipeline is None:
            self.changed = True
            prepared = statement.giving.on(self._dialect)
            self._cursor.execute(prepared.sql, prepared.values(values))
            return int(self._cursor.fetchall()[0][0])
        numbers = self._numbers.setdefault(statement, deque())
        if not numbers:
            numbers.extend(sorted(int(row[0]) for row in self.rows(statement.ahead, count=self._ahead)))
        number = numbers.popleft()
        self.change(statement.given, {**values, statement.column: number})
        return number

    def renew(self, statement: Statement, values: Mapping[str, Any]) -> None:
        """Run a statement that only lengthens a lease: not a change that a ledger entry must tell of."""
        self._run(statement, values)

    def settle(self) -> None:
        """Wait for every answer; raises for the first statement that failed or was refused."""
        if self._pipeline is not None:
            self._pipeline.sync()
        expected, self._expected = self._expected, []
        for cursor, refused in expected:
            if cursor.rowcount != 1:
                raise refused()

    def _run(self, statement: Statement, values: Mapping[str, Any]) -> Any:
        prepared = statement.on(self._dialect)
        cursor = self._writing()
        cursor.execute(prepared.sql, prepared.values(values))
        return cursor

    def _writing(self) -> Any:
        """A cursor whose answer may come later, hence one of its own."""
        return self._cursor if self._pipeline is None else self._open()


def values_of(record: Any, *, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """Read a record's fields by column name."""
    return {name: getattr(record, name) for name in _names(type(record)) if name not in leave_out}


def record_of(kind: type[R], row: Sequence[Any]) -> R:
    """Make a record of a row of `columns_of` its kind."""
    return kind(**dict(zip(_names(kind), row, strict=True)))


def columns_of(table: Any, kind: type[Any]) -> list[Any]:
    """Pick a record's columns from its table, in the order of its fields."""
    return [table.c[name] for name in _names(kind)]


_names_of: dict[Any, tuple[str, ...]] = {}


def _names(kind: Any) -> tuple[str, ...]:
    """The fields of a record's type, in order."""
    names = _names_of.get(kind)
    if names is None:
        names = _names_of[kind] = tuple(field.name for field in fields(kind))
    return names
