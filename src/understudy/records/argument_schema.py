"""A JSON Schema for what an action is given: checked once, asked often; a keyword that is not known here is refused.

A part of JSON Schema 2020-12 in which nothing is fetched and no pattern can run for long: no references, and patterns
are RE2 expressions. What a schema says and this module would pass over is an error when it is read, so that no bound
that somebody wrote down is silently none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Any, Final

import re2
from pydantic import AfterValidator

DEPTH_MAX: Final = 8
FAULTS_MAX: Final = 10
"""No more of what is wrong with arguments is told."""
_PATTERN_MEMORY_MAX: Final = 2**20


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "integer": lambda value: _is_number(value) and float(value).is_integer(),
}
_WORDS_ONLY: Final = frozenset({"title", "description", "default", "examples", "$schema", "$id", "$comment"})
"""Keywords that say something to people and ask for nothing."""


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_pattern(value: Any) -> bool:
    return isinstance(value, str) and _wrong_pattern(value) is None


_KEYWORDS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "type": (lambda value: set([value] if isinstance(value, str) else value or [""]) <= _TYPES.keys(), "a type"),
    "enum": (lambda value: isinstance(value, list) and bool(value), "a list of values"),
    "const": (lambda value: True, "a value"),
    "properties": (lambda value: isinstance(value, dict), "a table of schemas"),
    "required": (_names, "a list of names"),
    "additionalProperties": (lambda value: isinstance(value, bool), "true or false"),
    "items": (lambda value: isinstance(value, dict), "a schema"),
    "minItems": (_is_count, "a count"),
    "maxItems": (_is_count, "a count"),
    "uniqueItems": (lambda value: isinstance(value, bool), "true or false"),
    "minLength": (_is_count, "a count"),
    "maxLength": (_is_count, "a count"),
    "pattern": (_is_pattern, "an RE2 expression"),
    "minimum": (_is_number, "a number"),
    "maximum": (_is_number, "a number"),
    "exclusiveMinimum": (_is_number, "a number"),
    "exclusiveMaximum": (_is_number, "a number"),
    "multipleOf": (lambda value: _is_number(value) and value > 0, "a number above 0"),
}


def checked_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema for a table of arguments; raises `ValueError` naming the place and the keyword that cannot stand."""
    _check(schema, "", 0)
    if schema.get("type", "object") != "object":
        raise ValueError(f"arguments are a table, so the outermost type is object, not {schema['type']!r}")
    return schema


def faults(schema: str, arguments: Any) -> tuple[str, ...]:
    """Say what is wrong with arguments by a checked schema in JSON, each as `place: what`; nothing of a text is repeated.

    A property that the schema does not name is wrong unless `additionalProperties` is true: nobody said what it does.
    """
    found: list[str] = []
    _look(_read(schema) | {"type": "object"}, arguments, "", found)
    return tuple(found[:FAULTS_MAX])


@lru_cache(maxsize=256)
def _read(schema: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(schema)
    return read


def _check(schema: Any, place: str, depth: int) -> None:
    where = place or "the schema"
    if not isinstance(schema, dict):
        raise ValueError(f"{where} must be a table")  # noqa: TRY004 - pydantic makes a refusal of it
    if depth > DEPTH_MAX:
        raise ValueError(f"{where} is nested deeper than {DEPTH_MAX} tables")
    for keyword, value in schema.items():
        if keyword in _WORDS_ONLY:
            continue
        if keyword not in _KEYWORDS:
            raise ValueError(f"{where}: {keyword!r} is not known here; use {', '.join(sorted(_KEYWORDS))}")
        is_fit, form = _KEYWORDS[keyword]
        if not is_fit(value):
            raise ValueError(f"{where}: {keyword} must be {form}, got {str(value)[:60]!r}")
    for name, inner in schema.get("properties", {}).items():
        _check(inner, f"{place}.{name}".lstrip("."), depth + 1)
    if "items" in schema:
        _check(schema["items"], f"{place}[]", depth + 1)


def _look(schema: Mapping[str, Any], value: Any, place: str, found: list[str]) -> None:
    """Note what is wrong with a value; what is of another type is told and not looked into."""
    where = place or "the arguments"
    if len(found) >= FAULTS_MAX:
        return
    if "type" in schema:
        types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        if not any(_TYPES[one](value) for one in types):
            found.append(f"{where}: must be {' or '.join(types)}")
            return
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        found.append(f"{where}: must be one of {json.dumps(schema['enum'], ensure_ascii=False)}")
    if "const" in schema and not _same(value, schema["const"]):
        found.append(f"{where}: must be {json.dumps(schema['const'], ensure_ascii=False)}")
    if _is_number(value):
        _look_at_number(schema, value, where, found)
    elif isinstance(value, str):
        _look_at_text(schema, value, where, found)
    elif isinstance(value, list):
        _look_at_list(schema, value, place, found)
    elif isinstance(value, dict):
        _look_at_table(schema, value, place, found)


def _look_at_number(schema: Mapping[str, Any], value: float, where: str, found: list[str]) -> None:
    if "minimum" in schema and value < schema["minimum"]:
        found.append(f"{where}: must be at least {schema['minimum']}")
    if "maximum" in schema and value > schema["maximum"]:
        found.append(f"{where}: must be at most {schema['maximum']}")
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        found.append(f"{where}: must be more than {schema['exclusiveMinimum']}")
    if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
        found.append(f"{where}: must be less than {schema['exclusiveMaximum']}")
    if "multipleOf" in schema:
        parts = value / schema["multipleOf"]
        if abs(parts - round(parts)) > 1e-9 * max(1.0, abs(parts)):
            found.append(f"{where}: must be a multiple of {schema['multipleOf']}")


def _look_at_text(schema: Mapping[str, Any], value: str, where: str, found: list[str]) -> None:
    if len(value) < schema.get("minLength", 0):
        found.append(f"{where}: must have at least {schema['minLength']} characters")
    if len(value) > schema.get("maxLength", len(value)):
        found.append(f"{where}: must have at most {schema['maxLength']} characters")
    elif "pattern" in schema and _compiled(schema["pattern"]).search(value) is None:
        found.append(f"{where}: must match {schema['pattern']}")


def _look_at_list(schema: Mapping[str, Any], value: list[Any], place: str, found: list[str]) -> None:
    where = place or "the arguments"
    if len(value) < schema.get("minItems", 0):
        found.append(f"{where}: must have at least {schema['minItems']} items")
    if len(value) > schema.get("maxItems", len(value)):
        found.append(f"{where}: must have at most {schema['maxItems']} items")
        return
    if schema.get("uniqueItems") and len({json.dumps(one, sort_keys=True) for one in value}) < len(value):
        found.append(f"{where}: has an item twice")
    for number, one in enumerate(value if "items" in schema else []):
        _look(schema["items"], one, f"{place}[{number}]", found)


def _look_at_table(schema: Mapping[str, Any], value: dict[str, Any], place: str, found: list[str]) -> None:
    known: Mapping[str, Any] = schema.get("properties", {})
    found += [f"{_under(place, name)}: is missing" for name in schema.get("required", []) if name not in value]
    for name, one in value.items():
        if name in known:
            _look(known[name], one, _under(place, name), found)
        elif not schema.get("additionalProperties", False):
            found.append(f"{_under(place, name[:40])}: is not declared")


def _under(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same; true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def _wrong_pattern(pattern: str) -> str | None:
    try:
        _compiled(pattern)
    except re2.error as error:
        return str(error)
    return None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _PATTERN_MEMORY_MAX
    return re2.compile(pattern, options)


ArgumentSchema = Annotated[dict[str, Any], AfterValidator(checked_schema)]
