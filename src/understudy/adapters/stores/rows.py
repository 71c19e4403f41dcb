"""How the rows of a table are written many at once: one statement, however many steps of a group wrote there.

A row is a tuple of the records' own values in the order of `names`. It runs nothing; that is the session's work.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from operator import attrgetter, itemgetter
from typing import Any, Literal

from sqlalchemy import Dialect, Table

from understudy.adapters.stores.statement import into
from understudy.adapters.stores.tables import metadata

Row = tuple[Any, ...]

AT_ONCE_MAX = 64
"""Rows in one statement on SQLite, which takes some 32,000 values in one."""


class Rows:
    """A module's constant. `key` names the columns that tell rows apart, `record` the fields that are columns.

    `changing` are the columns that a change writes, under the condition that `fence` is as it was read. `again` says
    what a second row of the same key means: an error, a replacement, or another `count` to be added. `asked` are the
    columns that a query for a row by its key asks for, where they are not those of the record.
    """

    def __init__(
        self,
        table: Table,
        record: type[Any] | None = None,
        *,
        key: tuple[str, ...],
        more: tuple[str, ...] = (),
        changing: tuple[str, ...] = (),
        fence: str = "",
        again: Literal["refused", "replaces", "adds"] = "refused",
        asked: tuple[str, ...] = (),
    ) -> None:
        own = () if record is None else tuple(field.name for field in fields(record))
        self.table = table
        self.names = own + more
        self.again = again
        self.fence = self.names.index(fence) if fence else 0
        self.place = metadata.sorted_tables.index(table)
        self._fence_name = fence
        self.key: Callable[[Row], Any] = itemgetter(*(self.names.index(name) for name in key))
        """What tells a row from others."""
        self._asked = [self.names.index(name) for name in asked or own]
        self._key_names = key
        self._changing = changing
        self._get = attrgetter(*own) if own else None
        self._written: dict[str, _Written] = {}

    def of(self, record: Any, *more: Any) -> Row:
        """Make a row of a record, and of the columns that it does not have."""
        assert self._get is not None, f"{self.table.name} has no record"
        return (*self._get(record), *more)

    def asked(self, row: Row) -> Row:
        """What a query for a row by its key would answer."""
        return tuple([row[place] for place in self._asked])

    def added(self, row: Row, to: Row) -> Row:
        """Two counts of the same key as one; `count` is the last column."""
        return (*row[:-1], row[-1] + to[-1])

    def inserts(self, rows: Sequence[Row], dialect: Dialect) -> Iterator[tuple[str, Any]]:
        """The statements, with their values, that insert rows."""
        written = self._on(dialect)
        if written.is_sqlite:
            yield from _in_pieces(rows, written)
        else:
            yield written.insert, {"rows": written.document(rows)}

    def changes(self, rows: Sequence[tuple[Row, Any]], dialect: Dialect) -> tuple[str, Any]:
        """The statement that changes rows, each where its fence is as given, and its values: many sets on SQLite."""
        written = self._on(dialect)
        if not written.is_sqlite:
            return written.update, {"rows": written.document([(*row, was) for row, was in rows])}
        return written.update, [(*written.changing(written.values(row)), was) for row, was in rows]

    def _on(self, dialect: Dialect) -> _Written:
        written = self._written.get(dialect.name)
        if written is None:
            written = self._written[dialect.name] = self._written_on(dialect)
        return written

    def _written_on(self, dialect: Dialect) -> _Written:
        columns, name = [self.table.c[name] for name in self.names], self.table.name
        names, is_sqlite = ", ".join(self.names), dialect.name == "sqlite"
        converts = [(place, convert) for place, c in enumerate(columns) if (convert := into(c.type, dialect))]
        typed = ", ".join(f"{column.name} {column.type.compile(dialect)}" for column in columns)
        of_row = " AND ".join(f"{name}.{key} = x.{key}" for key in self._key_names)
        # All that is put together here are names of ours.
        if is_sqlite:
            insert = f"INSERT INTO {name} ({names}) VALUES "  # noqa: S608
            sets = ", ".join(f"{column} = ?" for column in self._changing)
            keys = " AND ".join(f"{key} = ?" for key in (*self._key_names, self._fence_name))
            update = f"UPDATE {name} SET {sets} WHERE {keys}"  # noqa: S608
        else:
            insert = f"INSERT INTO {name} ({names}) SELECT {names} FROM json_to_recordset(%(rows)s::json) AS x ({typed}){self._on_conflict()}"  # noqa: S608
            sets = ", ".join(f"{column} = x.{column}" for column in self._changing)
            update = f"UPDATE {name} SET {sets} FROM json_to_recordset(%(rows)s::json) AS x ({typed}, was integer) WHERE {of_row} AND {name}.{self._fence_name} = x.was"  # noqa: S608
        changing = [self.names.index(column) for column in (*self._changing, *self._key_names)]
        return _Written(is_sqlite, insert, update, self._on_conflict(), self.names, converts, itemgetter(*changing))

    def _on_conflict(self) -> str:
        if self.again == "refused":
            return ""
        others = [name for name in self.names if name not in self._key_names]
        if self.again == "adds":
            sets = f"{others[-1]} = {self.table.name}.{others[-1]} + excluded.{others[-1]}"
        else:
            sets = ", ".join(f"{name} = excluded.{name}" for name in others)
        return f" ON CONFLICT ({', '.join(self._key_names)}) DO UPDATE SET {sets}"


class _Written:
    """SQL text for one database, and how values go in."""

    def __init__(
        self,
        is_sqlite: bool,
        insert: str,
        update: str,
        on_conflict: str,
        names: tuple[str, ...],
        converts: list[tuple[int, Callable[[Any], Any]]],
        changing: Callable[[Sequence[Any]], Any],
    ) -> None:
        self.is_sqlite = is_sqlite
        self.insert = insert
        self.update = update
        self.changing = changing
        """Picks the values of the columns that a change writes, and those of the key."""
        self._on_conflict = on_conflict
        self._names = names
        self._one = f"({', '.join('?' * len(names))})"
        self._converts = converts
        self._many: dict[int, str] = {}

    def values(self, row: Row) -> list[Any]:
        """A row as the driver takes it."""
        values = list(row)
        for place, convert in self._converts:
            values[place] = convert(values[place])
        return values

    def document(self, rows: Sequence[Row]) -> str:
        """All rows as one JSON document; PostgreSQL takes it at the cost of one statement."""
        names = (*self._names, "was")  # zip leaves it out where a row has none
        return json.dumps([dict(zip(names, self.values(row), strict=False)) for row in rows])

    def many(self, count: int) -> str:
        """The statement that inserts so many rows."""
        sql = self._many.get(count)
        if sql is None:
            sql = self._many[count] = self.insert + ", ".join([self._one] * count) + self._on_conflict
        return sql


def _in_pieces(rows: Sequence[Row], written: _Written) -> Iterator[tuple[str, list[Any]]]:
    """Cut rows into pieces of 64, 32, 16 … so that there are few different statements, all of them prepared once."""
    begin = 0
    while (left := len(rows) - begin) > 0:
        count = min(AT_ONCE_MAX, 1 << (left.bit_length() - 1))
        values: list[Any] = []
        for row in rows[begin : begin + count]:
            values += written.values(row)
        yield written.many(count), values
        begin += count
