"""Records to canonical JSON and back, and the digest of that text; it knows no table and no wire format.

Canonical means: keys sorted, no spaces, UTF-8, numbers as Python's shortest round-trip form. Two equal records give
the same bytes on every machine, so a digest names a record and a replay can be compared bit for bit.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from understudy.errors import MalformedInput
from understudy.records.text import is_storable_json, storable_record

T = TypeVar("T")


_adapters: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: type[T]) -> TypeAdapter[T]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


_plain_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _encoding() -> Callable[[Any], str]:
    """What writes canonical JSON: the library's own encoder, made once; it would be made anew for each text."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return _plain_encoder.encode
    # In the order of its parameters: no look for circles, no other types, texts as they are, no indent, sorted keys.
    refuse, text = _plain_encoder.default, json.encoder.encode_basestring
    encode = make(None, refuse, text, None, ":", ",", True, False, False)
    return lambda value: "".join(encode(value, 0))


_encode = _encoding()


def canonical(value: Any) -> str:
    """Write plain JSON data as its canonical text; `ValueError` for NaN and infinities, which JSON cannot carry."""
    return _encode(value)


def fitted(kind: type[T], record: T) -> T:
    """A record of plain values only, as it would be read again, with all text as every database takes it.

    For records that somebody else's code made: raises `MalformedInput` where a field is not of its kind, and
    `ValueError` where JSON cannot carry a value.
    """
    if (again := _unchanged(kind, record)) is not None:
        return again
    text = _strict(kind, record)
    if not is_storable_json(text):
        text = _strict(kind, storable_record(record))
    return load(kind, text)


def _unchanged(kind: type[T], record: T) -> T | None:
    """The record as it would be read again, if nothing in it changes its value thereby: most are so, and it is quick."""
    try:
        text = _adapter(kind).dump_json(record, warnings="error").decode()
    except ValueError:
        return None
    again = load(kind, text) if is_storable_json(text) else None
    return again if again == record else None


def _strict(kind: type[T], record: T) -> str:
    text = canonical(_adapter(kind).dump_python(record, mode="json", warnings="error"))
    _demand_finite(_adapter(kind).dump_python(record))
    return text


def _demand_finite(value: Any) -> None:
    """Raise `ValueError` for a number that JSON lacks: written as it is, it would silently become nothing."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"JSON has no form for {value}")
    if isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            _demand_finite(item)


def plain(record: Any) -> Any:
    """Turn a record into plain JSON data (dicts, lists, strings, numbers)."""
    return _adapter(type(record)).dump_python(record, mode="json")


def dump(record: Any) -> str:
    """Write a record as its canonical JSON text."""
    return canonical(plain(record))


def load(kind: type[T], text: str | bytes) -> T:
    """Read a record from JSON text; raises `MalformedInput` naming the field that does not fit."""
    try:
        return _adapter(kind).validate_json(text)
    except ValidationError as error:
        raise MalformedInput(f"not a {kind.__name__}: {explain(error)}") from error


def readable(kind: type[T], text: str | None) -> T | None:
    """The same for whoever shows what there is: None where there is nothing, or where somebody made it unreadable."""
    try:
        return None if text is None else load(kind, text)
    except MalformedInput:
        return None


def build(kind: type[T], data: Any) -> T:
    """Read a record from plain data; raises `MalformedInput` naming the field that does not fit."""
    try:
        return _adapter(kind).validate_python(data)
    except ValidationError as error:
        raise MalformedInput(f"not a {kind.__name__}: {explain(error)}") from error


def explain(error: ValidationError) -> str:
    """Name the first field that does not fit, what was wrong and the value (cut short), in one line."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the whole"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{where}: {first['msg']}, got {_short(first['input'])}{more}"


def _short(value: Any, *, chars_max: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= chars_max else text[: chars_max - 1] + "…"


def digest(text: str) -> str:
    """Name a canonical text: the first 32 hex digits (128 bits) of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]
