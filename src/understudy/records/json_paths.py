"""JSON paths (RFC 9535) and the conditions written in them: checked once, asked often; it knows no payload.

A condition is what may stand in a path's filter, as in `@.message.type == 'text' && !@.message.bot_id`. The regular
expressions of `match` and `search` are left out: what they would run over is written by strangers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any

from jsonpath import JSONPathEnvironment
from jsonpath.exceptions import JSONPathError
from pydantic import AfterValidator, BeforeValidator

NODES_MAX = 1_000
"""No more of what a path finds is looked at."""

_paths = JSONPathEnvironment(strict=True)
for _name in ("match", "search"):
    _paths.function_extensions.pop(_name, None)


@lru_cache(maxsize=2_000)
def _compiled(path: str) -> Any:
    return _paths.compile(path)


def checked_path(path: str) -> str:
    """Return a path that can be followed; raises `ValueError` saying what is wrong with it."""
    if not path.startswith("$"):
        raise ValueError(f"{path!r} is no JSON path: it begins with $, as in $.message.id (RFC 9535)")
    try:
        _compiled(path)
    except JSONPathError as error:
        raise ValueError(f"{path!r} is no JSON path ({_first_line(error)}); write it as RFC 9535 has it") from error
    return path


def checked_condition(condition: str) -> str:
    """Return a condition that can be asked; raises `ValueError` saying what is wrong with it."""
    try:
        _compiled(_filter(condition))
    except JSONPathError as error:
        raise ValueError(
            f"{condition!r} is no condition ({_first_line(error)}); write what stands in a filter of RFC 9535, "
            "as @.message.type == 'text'"
        ) from error
    return condition


def found(path: str, data: Any) -> list[Any]:
    """All that a checked path finds in JSON data, in its order, at most `NODES_MAX`."""
    if path == "$":
        return [data]
    if not isinstance(data, dict | list):
        return []  # the library would read a text as JSON that it never was
    nodes: list[Any] = []
    for match in _compiled(path).finditer(data):
        nodes.append(match.obj)
        if len(nodes) == NODES_MAX:
            break
    return nodes


def holds(condition: str, data: Any) -> bool:
    """Whether a checked condition holds of JSON data, which it calls `@`."""
    return next(iter(_compiled(_filter(condition)).finditer([data])), None) is not None


def first_text(paths: Sequence[str], data: Any) -> str | None:
    """The first text, number or truth value that one of the paths finds, as text without space around it."""
    for path in paths:
        for node in found(path, data):
            text = text_of(node)
            if text is not None and text.strip():
                return text.strip()
    return None


def text_of(node: Any) -> str | None:
    """A scalar as text; None for null and for what holds more."""
    if isinstance(node, str):
        return node
    if isinstance(node, bool):
        return "true" if node else "false"
    return str(node) if isinstance(node, int | float) else None


def _filter(condition: str) -> str:
    return f"$[?{condition}]"


def _first_line(error: JSONPathError) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Path = Annotated[str, AfterValidator(checked_path)]
Paths = Annotated[list[Path], BeforeValidator(_listed)]
"""Paths of which the first that finds something counts; one may be written without brackets."""
Condition = Annotated[str, AfterValidator(checked_condition)]
