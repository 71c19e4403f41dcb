"""What a column of ours holds, and how the driver takes it: the same on every database. Which table has it is not said here."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Dialect, String, Text
from sqlalchemy.types import TypeDecorator

from understudy.errors import StoreError
from understudy.records.access import Scope
from understudy.records.codec import dump, load

T = TypeVar("T")

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


class Kept(TypeDecorator[T]):
    """A type of ours: `into` makes what the driver takes, `out_of` what the records hold, on every database the same."""

    def into(self, value: T | None) -> Any:
        """Make what the driver takes."""
        raise NotImplementedError

    def out_of(self, value: Any) -> T | None:
        """Make what the records hold."""
        raise NotImplementedError

    def process_bind_param(self, value: T | None, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        return self.into(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> T | None:  # noqa: ARG002 - the same
        return self.out_of(value)


class Instant(Kept[datetime]):
    """A moment as whole microseconds since 1970 in UTC: sortable and the same on every database."""

    impl = BigInteger
    cache_ok = True

    def into(self, value: datetime | None) -> int | None:
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def out_of(self, value: int | None) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class Words(Kept[tuple[str, ...]]):
    """A short tuple of strings as a JSON list."""

    impl = Text
    cache_ok = True

    def into(self, value: tuple[str, ...] | None) -> str | None:
        if not value:
            return None if value is None else "[]"
        return json.dumps(value, ensure_ascii=False)

    def out_of(self, value: str | None) -> tuple[str, ...] | None:
        if value is None or value == "[]":
            return None if value is None else ()
        return tuple(json.loads(value))


_SCOPES = frozenset(Scope)


class Scopes(Kept[tuple[Scope, ...]]):
    """Scopes as words separated by spaces; one that only a newer program knows is not had here, and takes no other along."""

    impl = Text
    cache_ok = True

    def into(self, value: tuple[Scope, ...] | None) -> str:
        return " ".join(value or ())

    def out_of(self, value: str | None) -> tuple[Scope, ...]:
        return tuple(Scope(word) for word in (value or "").split() if word in _SCOPES)


class Choice(Kept[StrEnum]):
    """One of a closed set, stored as its value."""

    impl = String(40)
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self._name = kind.__name__
        self._values = {choice: choice.value for choice in kind}
        self._choices = {choice.value: choice for choice in kind}

    def into(self, value: StrEnum | None) -> str | None:
        return None if value is None else self._values[value]

    def out_of(self, value: str | None) -> StrEnum | None:
        try:
            return None if value is None else self._choices[value]
        except KeyError:
            raise StoreError(
                f"the database holds {value!r}, which this program does not know among {self._name}: "
                f"{', '.join(self._choices)}; a newer program wrote it: ask that one, or replace this one with it"
            ) from None


class Document(Kept[Any]):
    """A record inside a row, as canonical JSON."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self._kind = kind

    def into(self, value: Any) -> str | None:
        return None if value is None else dump(value)

    def out_of(self, value: str | None) -> Any:
        return None if value is None else load(self._kind, value)
