"""SQL written once with SQLAlchemy Core and compiled once for each database; running it is the session's work.

Building, hashing and compiling an expression costs several times what SQLite needs to run it. A `Statement` is a
module's constant: its SQL text, how values go in and how columns come out are worked out at its first use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Dialect,
    Table,
    bindparam,
    insert,
    literal_column,
)
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.visitors import iterate
from sqlalchemy.types import TypeEngine

from understudy.adapters.stores.columns import Kept

_Convert = Callable[[Any], Any] | None


class Prepared:
    """A statement for one database: `sql` in the driver's own form, values in, columns out."""

    def __init__(self, clause: ClauseElement, dialect: Dialect) -> None:
        compiled: Any = clause.compile(dialect=dialect)
        self.sql = str(compiled)
        converts = {
            compiled.bind_names[bind]: convert
            for bind in compiled.bind_names
            if (convert := into(bind.type, dialect)) is not None
        }
        fixed = {
            name: converts[name](value) if name in converts else value
            for name, value in compiled.construct_params(_check=False).items()
        }
        order: Sequence[str] = compiled.positiontup or list(fixed)
        self._names = None if compiled.positiontup is not None else tuple(order)
        self._plan = [(name, converts.get(name), fixed[name]) for name in order]
        columns = getattr(clause, "selected_columns", None) or getattr(clause, "_returning", ()) or ()
        self._out: list[tuple[int, Callable[[Any], Any]]] = [
            (place, convert)
            for place, column in enumerate(columns)
            if (convert := _out_of(column.type, dialect)) is not None
        ]

    def values(self, given: Mapping[str, Any]) -> Any:
        """Put values into the form the driver takes: a tuple in the statement's order, or a mapping."""
        values = [
            fixed if name not in given else given[name] if convert is None else convert(given[name])
            for name, convert, fixed in self._plan
        ]
        return tuple(values) if self._names is None else dict(zip(self._names, values, strict=True))

    def row(self, raw: Sequence[Any]) -> Sequence[Any]:
        """Turn a row as the driver gives it into the columns' own types."""
        if not self._out:
            return raw
        row = list(raw)
        for place, convert in self._out:
            row[place] = convert(row[place])
        return row


def into(kind: TypeEngine[Any], dialect: Dialect) -> _Convert:
    """How values of a type go to a driver; None = as they are."""
    if isinstance(kind, Kept):
        return kind.into
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _out_of(kind: TypeEngine[Any], dialect: Dialect) -> _Convert:
    if isinstance(kind, Kept):
        return kind.out_of
    # The drivers give the others as they should be.
    return kind.dialect_impl(dialect).result_processor(dialect, None) if isinstance(kind, Boolean) else None


class Statement:
    """A constant of a module; `bindparam`s are its parameters. `of`: the table of one that is written out as text."""

    def __init__(self, clause: ClauseElement, *, of: Table | None = None) -> None:
        self._clause = clause
        named = [part.name for part in iterate(clause) if isinstance(part, Table)]
        self.tables = frozenset(named if of is None else (*named, of.name))
        """Which tables it reads or writes."""
        self._prepared: dict[str, Prepared] = {}

    def on(self, dialect: Dialect) -> Prepared:
        """The statement for a database, compiled at its first use there."""
        prepared = self._prepared.get(dialect.name)
        if prepared is None:
            prepared = self._prepared[dialect.name] = Prepared(self._clause, dialect)
        return prepared


def among(column: Column[Any], values: Iterable[StrEnum]) -> ColumnElement[bool]:
    """Whether a column has one of these values, written out in the SQL: only so does a partial index match."""
    return column.in_([literal_column(f"'{value.value}'") for value in sorted(values)])


def insert_into(table: Table) -> Statement:
    """Insert one row of all columns."""
    return Statement(insert(table).values({column.name: bindparam(column.name) for column in table.columns}))
