"""One open transaction as the repositories see it: run statements, remember whether anything changed.

Rows are written in sets. What a step adds or changes is kept until the end of its group, or until a statement concerns
the same table; then each table is written by one statement for all rows, and several changes of a row are one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import chain
from typing import Any, TypeVar

from sqlalchemy import Dialect

from understudy.adapters.stores.marks import Mark
from understudy.adapters.stores.rows import Row, Rows
from understudy.adapters.stores.statement import Statement

R = TypeVar("R")
Refused = Callable[[], Exception]


class _Waiting:
    """Rows of one table that are not written yet, by key."""

    def __init__(self) -> None:
        self.new: dict[Any, Row] = {}
        self.changed: dict[Any, tuple[Row, Any, Refused]] = {}

    def has(self, rows: Rows, equal: Mapping[str, Any]) -> bool:
        """Whether any of the rows has all these values."""
        places = [(rows.names.index(name), value) for name, value in equal.items()]
        return any(all(row[place] == value for place, value in places) for row in self.all())

    def all(self) -> Iterator[Row]:
        """The new rows and the changed ones."""
        return chain(self.new.values(), (row for row, _, _ in self.changed.values()))


class Session:
    """A thin hold on a driver's connection; `changed` tells whether a record was written since the step began.

    Statements go to the driver as they were compiled. Whatever the driver raises comes through as it is.

    With a `pipeline` (PostgreSQL) nothing that is only written is waited for: its answer is looked at by `settle`, or
    earlier, when something is read. The steps of a group are right or are all run again, so late is early enough.

    `mark`: where it notes what it writes, for the writers of other processes; None where there are none.
    """

    def __init__(self, connection: Any, dialect: Dialect, *, pipeline: Any = None, mark: Mark | None = None) -> None:
        self.changed = False
        self.mark = mark
        self.dialect = dialect
        self._open: Callable[[], Any] = connection.cursor
        self._cursor: Any = self._open()
        self._pipeline = pipeline
        self._waiting: dict[Rows, _Waiting] = {}
        self._tables: set[str] = set()
        self._expected: list[tuple[Any, int, Refused]] = []

    # Reading -----------------------------------------------------------------------------------------------------

    def rows(self, statement: Statement, **values: Any) -> list[Sequence[Any]]:
        """Run a query and fetch all rows, their columns in the types of the tables."""
        self._write_what(statement)
        return self._fetched(statement, values)

    def row(self, statement: Statement, **values: Any) -> Sequence[Any] | None:
        """Run a query and fetch its first row."""
        rows = self.rows(statement, **values)
        return rows[0] if rows else None

    def stored_row(self, statement: Statement, **values: Any) -> Sequence[Any] | None:
        """The same where the caller knows that none of the rows not written yet is meant."""
        rows = self.stored_rows(statement, **values)
        return rows[0] if rows else None

    def stored_rows(self, statement: Statement, **values: Any) -> list[Sequence[Any]]:
        """Run a query that none of the rows not written yet concerns, and fetch all rows."""
        return self._fetched(statement, values)

    def row_at(self, rows: Rows, statement: Statement, **key: Any) -> Sequence[Any] | None:
        """Fetch the row of a key by a query for it, or take it as it waits to be written; nothing is written for it."""
        if (waiting := self._waiting.get(rows)) is not None:
            which = tuple(key.values()) if len(key) > 1 else next(iter(key.values()))
            if (new := waiting.new.get(which)) is not None:
                return rows.asked(new)
            if (changed := waiting.changed.get(which)) is not None:
                return rows.asked(changed[0])
        return self.stored_row(statement, **key)

    def rows_where(
        self, rows: Rows, statement: Statement, *, asked: Mapping[str, Any] | None = None, **equal: Any
    ) -> list[Sequence[Any]]:
        """Run a query for rows with such values, among other conditions; what waits is written only if it has a row with them.

        `asked`: further values of the statement, which choose no rows.
        """
        if (waiting := self._waiting.get(rows)) is not None and waiting.has(rows, equal):
            self.write()
        return self._fetched(statement, {**equal, **(asked or {})})

    def scalar(self, statement: Statement, **values: Any) -> Any:
        """Run a query and fetch the first column of its first row; None where there is no row."""
        row = self.row(statement, **values)
        return None if row is None else row[0]

    def _fetched(self, statement: Statement, values: Mapping[str, Any]) -> list[Sequence[Any]]:
        prepared = statement.on(self.dialect)
        self._cursor.execute(prepared.sql, prepared.values(values))
        return [prepared.row(row) for row in self._cursor.fetchall()]

    # Writing rows in sets ----------------------------------------------------------------------------------------

    def add(self, rows: Rows, row: Row) -> None:
        """Write a new row, in the end."""
        self.changed = True
        waiting, key = self._waiting_of(rows), rows.key(row)
        if (known := waiting.new.get(key)) is not None:
            if rows.again == "refused":
                self.write()  # the database says what is wrong with the second of them
                waiting = self._waiting_of(rows)
            elif rows.again == "adds":
                row = rows.added(row, known)
        waiting.new[key] = row

    def swap(self, rows: Rows, row: Row, *, was: Any, refused: Refused) -> None:
        """Write a row as it is now, in the end, if its fence is as it `was`; else what `refused` makes is raised."""
        self.changed = True
        waiting, key = self._waiting_of(rows), rows.key(row)
        if (new := waiting.new.get(key)) is not None:
            _demand(new[rows.fence] == was, refused)
            waiting.new[key] = row
        elif (known := waiting.changed.get(key)) is not None:
            _demand(known[0][rows.fence] == was, refused)
            waiting.changed[key] = (row, known[1], refused)
        else:
            waiting.changed[key] = (row, was, refused)

    def write(self) -> None:
        """Write all that waits, what others refer to first."""
        if not self._waiting:
            return
        self._tables.clear()
        waiting, self._waiting = self._waiting, {}
        for rows in sorted(waiting, key=lambda one: one.place):
            if self.mark is not None:
                self.mark.rows(rows, waiting[rows].all())
            if new := list(waiting[rows].new.values()):
                for sql, values in rows.inserts(new, self.dialect):
                    self._writing().execute(sql, values)
            if changed := list(waiting[rows].changed.values()):
                self._write_changes(rows, changed)

    def _write_changes(self, rows: Rows, changed: list[tuple[Row, Any, Refused]]) -> None:
        sql, values = rows.changes([(row, was) for row, was, _ in changed], self.dialect)
        cursor = self._writing()
        if self._pipeline is None:
            cursor.executemany(sql, values)
            _demand(cursor.rowcount == len(changed), changed[0][2])
        else:
            cursor.execute(sql, values)
            self._expected.append((cursor, len(changed), changed[0][2]))

    def _waiting_of(self, rows: Rows) -> _Waiting:
        waiting = self._waiting.get(rows)
        if waiting is None:
            waiting = self._waiting[rows] = _Waiting()
            self._tables.add(rows.table.name)
        return waiting

    def _write_what(self, statement: Statement) -> None:
        """Write what waits if the statement concerns it; a statement that names no table may concern anything."""
        if self._tables and (not statement.tables or not self._tables.isdisjoint(statement.tables)):
            self.write()

    # Writing by statements of their own --------------------------------------------------------------------------

    def change(self, statement: Statement, values: Mapping[str, Any], *, of: str | None = None) -> None:
        """Run a statement that writes; `of`: whose rows of its one table it changes (`marks.WHOSE`), where that is known."""
        self._changes(statement, of)
        self._run(statement, values)

    def change_one(self, statement: Statement, values: Mapping[str, Any], *, refused: Refused) -> None:
        """Run a statement that must change one row; what `refused` makes is raised where there is no such row."""
        self._changes(statement, None)
        self._expected.append((self._run(statement, values), 1, refused))
        if self._pipeline is None:
            self.settle()

    def renew(self, statement: Statement, values: Mapping[str, Any]) -> None:
        """Run a statement that only lengthens a lease: not a change that a ledger entry must tell of."""
        self._run(statement, values)

    def settle(self) -> None:
        """Wait for every answer; raises for the first statement that failed or was refused."""
        if self._pipeline is not None:
            self._pipeline.sync()
        expected, self._expected = self._expected, []
        for cursor, count, refused in expected:
            _demand(cursor.rowcount == count, refused)

    def _changes(self, statement: Statement, of: str | None) -> None:
        self.changed = True
        if self.mark is not None:
            self.mark.statement(statement, of)

    def _run(self, statement: Statement, values: Mapping[str, Any]) -> Any:
        self._write_what(statement)
        prepared = statement.on(self.dialect)
        cursor = self._writing()
        cursor.execute(prepared.sql, prepared.values(values))
        return cursor

    def _writing(self) -> Any:
        """A cursor whose answer may come later, hence one of its own."""
        return self._cursor if self._pipeline is None else self._open()


def _demand(is_so: bool, refused: Refused) -> None:
    if not is_so:
        raise refused()


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
