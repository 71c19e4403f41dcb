"""How a benchmark shows its figures: rounded, as one line of JSON or as a table; it measures nothing."""

from __future__ import annotations

import json
import math
from typing import Any

from rich.console import Console
from rich.table import Table


def print_figures(result: dict[str, Any], title: str, *, as_json: bool) -> None:
    """Print a result whose values may be nested, one row a figure."""
    if as_json:
        print(json.dumps(rounded(result)))
    else:
        Console().print(table_of(result, title))


def table_of(result: dict[str, Any], title: str) -> Table:
    """A row for each figure, however deep it lies."""
    table = Table("figure", "value", title=title)
    for path, value in leaves(rounded(result)):
        table.add_row(path, str(value))
    return table


def rounded(value: Any) -> Any:
    """The same with five digits of each figure, and None where there is none."""
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list | tuple) else value


def leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """Each figure with the path of names that leads to it."""
    if not isinstance(value, dict):
        return [(path, value)]
    return [leaf for key, item in value.items() for leaf in leaves(item, f"{path}.{key}" if path else str(key))]
