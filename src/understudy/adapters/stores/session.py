"""One open transaction as the repositories see it: run statements, remember whether anything changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import Connection, Row
from sqlalchemy.sql import Executable

R = TypeVar("R")


class Session:
    """A thin hold on a connection; `changed` tells whether a record was written since the step began."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.changed = False

    def rows(self, statement: Executable, **values: Any) -> Sequence[Row[Any]]:
        """Run a query and fetch all rows."""
        return self.connection.execute(statement, values).all()

    def row(self, statement: Executable, **values: Any) -> Row[Any] | None:
        """Run a query and fetch its first row."""
        return self.connection.execute(statement, values).first()

    def scalar(self, statement: Executable, **values: Any) -> Any:
        """Run a query and fetch the first column of its first row."""
        return self.connection.execute(statement, values).scalar()

    def change(self, statement: Executable, values: Any = None) -> int:
        """Run a statement that writes and return how many rows it touched."""
        self.changed = True
        return self.connection.execute(statement, values or {}).rowcount

    def renew(self, statement: Executable) -> None:
        """Run a statement that only lengthens a lease: not a change that a ledger entry must tell of."""
        self.connection.execute(statement)

    def insert(self, statement: Executable, values: dict[str, Any]) -> Any:
        """Insert one row and return its primary key's first column."""
        self.changed = True
        key = self.connection.execute(statement, values).inserted_primary_key
        return key[0] if key else None


def values_of(record: Any, *, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """Read a record's fields by column name."""
    return {field.name: getattr(record, field.name) for field in fields(record) if field.name not in leave_out}


def record_of(kind: type[R], row: Row[Any]) -> R:
    """Make a record of a row whose columns are its fields."""
    return kind(**row._mapping)


def columns_of(table: Any, kind: type[Any]) -> list[Any]:
    """Pick a record's columns from its table."""
    return [table.c[field.name] for field in fields(kind)]
