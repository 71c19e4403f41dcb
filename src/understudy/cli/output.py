"""What every command shares: where the configuration is, exit codes, and how results are printed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from understudy.errors import ConfigurationError
from understudy.settings.load import FILE_NAME, load
from understudy.settings.model import Settings

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_INCONCLUSIVE = 2
EXIT_USAGE = 3
EXIT_INTERRUPTED = 130

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help=f"configuration file; default ./{FILE_NAME}", envvar="UNDERSTUDY_CONFIG"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON, for programs")]


def read_settings(config: Path | None, *, file_needed: bool = True) -> tuple[Settings, Path]:
    """Read the settings and the folder that relative paths start from; raises `ConfigurationError`."""
    path = config or Path(FILE_NAME)
    if config is None and not file_needed and not path.exists():
        return load(None, os.environ), Path.cwd()
    return load(path, os.environ), path.resolve().parent


_State = TypeVar("_State", bound=StrEnum)


def states_of(kind: type[_State], words: Sequence[str] | None, *, usual: tuple[_State, ...]) -> tuple[_State, ...]:
    """The states that `--state` names, each once, or the `usual` ones; raises `ConfigurationError` with those it may be."""
    try:
        return tuple(map(kind, dict.fromkeys(words))) if words else usual
    except ValueError as error:
        raise ConfigurationError(f"--state: {error}; known: {', '.join(kind)}") from error


LAST_COLUMN_MIN = 24
"""Characters that the last column of a table needs, for the words in it to be read; it alone is ever wrapped."""

WIDTH_MAX = 10_000
"""Characters of a terminal wider than any, to measure what a table takes before it is squeezed."""


def print_rows(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> None:
    """Print a table; where the terminal is too narrow for it, a paragraph per row, so that no id is ever cut.

    Nothing in a cell is interpreted; what people or agents wrote comes through `plain_text.shown`. A paragraph leaves
    empty cells out.
    """
    from rich.measure import Measurement
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for number, column in enumerate(columns, 1):
        is_last = number == len(columns)
        table.add_column(column, no_wrap=not is_last, min_width=LAST_COLUMN_MIN if is_last else None)
    cells = [[Text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    for row in cells:
        table.add_row(*row)
    if Measurement.get(console, console.options.update(max_width=WIDTH_MAX), table).minimum <= console.width:
        console.print(table)
        return
    for first, *rest in cells:
        told = [Text.assemble(f"{column} ", cell) for column, cell in zip(columns[1:], rest, strict=True) if cell]
        console.print(first, style="bold")
        console.print(Padding(Text(" · ").join(told), (0, 0, 0, 2), expand=False))


def print_json(value: Any) -> None:
    """Print one JSON value on a line of its own."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()
