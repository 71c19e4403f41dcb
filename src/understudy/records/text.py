"""Text as every database and every JSON reader takes it: U+0000 and halves of surrogate pairs become U+FFFD.

Agents cut emoji in half and forms send NUL; PostgreSQL takes neither, and UTF-8 has no form for the former. Applied
once, where text comes in, so that everything behind it (a digest, a row, a replay) sees the same text. It judges no
content and masks nothing.
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

T = TypeVar("T")

REPLACEMENT = "\ufffd"

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Replace what no database takes, character by character, so that the length stays."""
    return _UNSTORABLE.sub(REPLACEMENT, text) if _UNSTORABLE.search(text) else text


def is_storable_json(text: str) -> bool:
    """Whether a JSON text certainly holds nothing that would have to be replaced."""
    return "\\u0000" not in text and not _UNSTORABLE.search(text)


def storable_record(record: T) -> T:
    """Do the same in every text of a record, at any depth of tuples, lists, dicts and records."""
    return _cleaned(record)  # type: ignore[no-any-return]


def _cleaned(value: Any) -> Any:
    if type(value) is str:
        return storable(value)
    if isinstance(value, tuple | list):
        return type(value)(_cleaned(item) for item in value)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        old = {field.name: getattr(value, field.name) for field in fields(value)}
        changed = {name: new for name, item in old.items() if (new := _cleaned(item)) != item}
        return replace(value, **changed) if changed else value
    return value
