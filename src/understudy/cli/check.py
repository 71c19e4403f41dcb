"""`understudy check FILE`: assess each turn record of a file, as if it were live; nothing is stored or sent."""

from __future__ import annotations

import gzip
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from understudy.cli.output import ConfigOption, JsonOption, read_settings
from understudy.errors import ConfigurationError, MalformedInput
from understudy.settings.model import Settings

PROGRESS_FROM = 500
"""From this many records on a progress bar is shown, on stderr."""


def check(
    file: Path = typer.Argument(help="turn records, one JSON object a line; .gz is read too; - for standard input"),
    output: Path | None = typer.Option(None, "--output", "-o", help="write the assessments here; default: stdout"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Assess each turn record: decision, confidence, reasons, signals and findings, one JSON object a line."""
    settings, _ = read_settings(config, file_needed=False)
    with _opened(output) as out:
        tally = _write_all(file, settings, out)
    if output is not None and not as_json:
        _print_summary(tally)


def _write_all(file: Path, settings: Settings, out: IO[str]) -> Counter[str]:
    """Write a line for each record, with a progress bar where somebody looks and there is something to wait for."""
    from understudy.cli.check_workers import assessed  # brings all checks along, which other commands need not wait for

    tally: Counter[str] = Counter()
    total = _count(file) if sys.stderr.isatty() else None
    progress = Progress(
        TextColumn("assessing"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty() or (total is not None and total < PROGRESS_FROM),
        transient=True,
    )
    with progress:
        try:
            for one in progress.track(assessed(lines_of(file), settings), total=total):
                tally[one.decision] += 1
                out.write(one.line + "\n")
        except MalformedInput as error:
            raise MalformedInput(f"{file}, {error.message}") from error
    if not tally:
        raise MalformedInput(f"{file} holds no turn record; each line must be one JSON object")
    return tally


def _count(file: Path) -> int | None:
    """How many records there are to come; None where that cannot be told beforehand."""
    return None if str(file) == "-" else sum(1 for _ in lines_of(file))


def lines_of(file: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file of turn records that are not empty, with their numbers; raises `ConfigurationError`."""
    try:
        with _source(file) as source:
            for number, line in enumerate(source, start=1):
                if line.strip():
                    yield number, line
    except FileNotFoundError:
        raise ConfigurationError(f"there is no file {file}") from None
    except (OSError, EOFError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error


def _source(file: Path) -> IO[bytes]:
    if str(file) == "-":
        return sys.stdin.buffer
    return gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb")  # type: ignore[return-value]


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    """Open the output; it appears only when it is complete: a file with a bad line gives no half result."""
    if output is None:
        with TemporaryFile("w+", encoding="utf-8") as out:
            yield out
            out.seek(0)
            shutil.copyfileobj(out, sys.stdout)
        return
    part = output.with_name(output.name + ".part")
    try:
        with part.open("w", encoding="utf-8") as out:
            yield out
        part.replace(output)
    except OSError as error:
        raise ConfigurationError(f"{output} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _print_summary(tally: Counter[str]) -> None:
    total = tally.total()
    table = Table("decision", "records", "share", title=f"{total} turn records")
    for decision, count in tally.most_common():
        table.add_row(decision, str(count), f"{count / total:.1%}")
    Console(stderr=True).print(table)
