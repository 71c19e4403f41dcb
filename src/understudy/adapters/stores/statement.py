"""SQL written once with SQLAlchemy Core and compiled once for each database; running it is the session's work.

Building, hashing and compiling an expression costs several times what SQLite needs to run it. A `Statement` is a
module's constant: its SQL text, how values go in and how columns come out are worked out at its first use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, Column, ColumnElement, Dialect, Table, bindparam, insert, literal_column
from sqlalchemy.sql import ClauseElement
from sqlalchemy.types import TypeDecorator

_Convert = Callable[[Any], Any] | None


class Prepared:
    """A statement for one database: `sql` in the driver's own form, values in, columns out."""

    def __init__(self, clause: ClauseElement, dialect: Dialect) -> None:
        compiled: Any = clause.compile(dialect=dialect)
        self.sql = str(compiled)
        self._fixed = dict(compiled.construct_params(_check=False))
        self._order: Sequence[str] | None = compiled.positiontup
        self._into = {
            compiled.bind_names[bind]: convert
            for bind in compiled.bind_names
            if (convert := bind.type.dialect_impl(dialect).bind_processor(dialect)) is not None
        }
        self._fixed = {name: self._convert(name, value) for name, value in self._fixed.items()}
        columns = getattr(clause, "selected_columns", None) or getattr(clause, "_returning", ()) or ()
        self._out: list[tuple[int, Callable[[Any], Any]]] = [
            (place, convert)
            for place, column in enumerate(columns)
            if isinstance(column.type, TypeDecorator | Boolean)  # the drivers give the others as they should be
            and (convert := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
        ]

    def values(self, given: Mapping[str, Any]) -> Any:
        """Put values into the form the driver takes: a tuple in the statement's order, or a mapping."""
        converted = {name: self._convert(name, value) for name, value in given.items()}
        if self._order is None:
            return {**self._fixed, **converted}
        return tuple([converted[name] if name in converted else self._fixed[name] for name in self._order])

    def row(self, raw: Sequence[Any]) -> Sequence[Any]:
        """Turn a row as the driver gives it into the columns' own types."""
        if not self._out:
            return raw
        row = list(raw)
        for place, convert in self._out:
            row[place] = convert(row[place])
        return row

    def _convert(self, name: str, value: Any) -> Any:
        convert = self._into.get(name)
        return value if convert is None else convert(value)


class Statement:
    """A constant of a module; `bindparam`s are its parameters."""

    def __init__(self, clause: ClauseElement) -> None:
        self._clause = clause
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


def insert_into(table: Table, *, numbered_by: str | None = None) -> Statement:
    """Insert one row of all columns; `numbered_by` is a column that the database fills in and gives back."""
    names = [column.name for column in table.columns if column.name != numbered_by]
    clause = insert(table).values({name: bindparam(name) for name in names})
    return Statement(clause if numbered_by is None else clause.returning(table.c[numbered_by]))
