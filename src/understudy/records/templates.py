"""Templates with `{placeholders}` that are filled as data, never as syntax; a template knows no channel and sends nothing.

`{text}` stands for a value; `{text:html}` for the value with all that means something in HTML escaped and new lines as
`<br>`, `{text:entities}` for the value with only `&`, `<` and `>` escaped, `{text:quoted}` for the value as it stands between
quotation marks in a query (of Salesforce, of Request Tracker). `{{` and `}}` are the braces themselves.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any, Final

from pydantic import AfterValidator

_PIECE = re.compile(r"\{\{|\}\}|\{(?P<name>[a-z][a-z0-9_]*)(?::(?P<form>[a-z]+))?\}|[{}]")


def _as_html(text: str) -> str:
    return html.escape(text).replace("\r\n", "\n").replace("\n", "<br>")


def _with_entities(text: str) -> str:
    return html.escape(text, quote=False)


def _quoted(text: str) -> str:
    """With a backslash before backslashes and quotation marks, and without what ends a line or is invisible."""
    return re.sub(r"""([\\'"])""", r"\\\1", "".join(one if one.isprintable() else " " for one in text))


FORMS: Final[Mapping[str, Callable[[str], str]]] = {
    "html": _as_html,
    "entities": _with_entities,
    "quoted": _quoted,
}
"""What may stand after the colon."""


def checked_template(template: str) -> str:
    """Return a template that can be filled; raises `ValueError` saying what is wrong with it."""
    for match in _PIECE.finditer(template):
        if match[0] in ("{", "}"):
            raise ValueError(
                f"the {match[0]} at character {match.start() + 1} begins or ends no placeholder; "
                f"write {match[0] * 2} for the brace itself"
            )
        if match["form"] is not None and match["form"] not in FORMS:
            raise ValueError(f"{match[0]}: there is no form {match['form']!r}; use {', '.join(FORMS)}")
    return template


def checked_tree(tree: Any) -> Any:
    """Return a table whose texts are all templates; raises `ValueError`."""
    for leaf in _leaves(tree):
        checked_template(leaf)
    return tree


def filled(template: str, values: Mapping[str, str], *, quoted: Callable[[str, str], str] | None = None) -> str:
    """Fill a checked template; `quoted` gets each value with its name and says how it stands there.

    Raises `KeyError` for a placeholder that has no value.
    """
    parts: list[str] = []
    for literal, name, form in _pieces(template):
        parts.append(literal)
        if name is not None:
            value = values[name] if form is None else FORMS[form](values[name])
            parts.append(value if quoted is None else quoted(name, value))
    return "".join(parts)


def filled_tree(tree: Any, values: Mapping[str, str]) -> Any:
    """Fill all texts of a table; names, numbers and truth values stay as they are. Raises `KeyError`."""
    if isinstance(tree, str):
        return filled(tree, values)
    if isinstance(tree, Mapping):
        return {name: filled_tree(inner, values) for name, inner in tree.items()}
    return [filled_tree(inner, values) for inner in tree] if isinstance(tree, list) else tree


def placeholders(tree: Any) -> frozenset[str]:
    """The names of all placeholders in a template or a table of them."""
    return frozenset(name for leaf in _leaves(tree) for _, name, _ in _pieces(leaf) if name is not None)


@lru_cache(maxsize=2_000)
def _pieces(template: str) -> tuple[tuple[str, str | None, str | None], ...]:
    """The template as literals, each with the placeholder after it and its form."""
    pieces: list[tuple[str, str | None, str | None]] = []
    at, literal = 0, ""
    for match in _PIECE.finditer(template):
        literal += template[at : match.start()]
        at = match.end()
        if match["name"] is None:
            literal += match[0][0]
        else:
            pieces.append((literal, match["name"], match["form"]))
            literal = ""
    return (*pieces, (literal + template[at:], None, None))


def _leaves(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, Mapping):
        for inner in tree.values():
            yield from _leaves(inner)
    elif isinstance(tree, list):
        for inner in tree:
            yield from _leaves(inner)


Template = Annotated[str, AfterValidator(checked_template)]
Tree = Annotated[dict[str, Any], AfterValidator(checked_tree)]
