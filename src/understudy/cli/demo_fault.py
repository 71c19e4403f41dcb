"""`understudy demo --fault`: some seconds in which something fails, and what each customer had of it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from understudy.cli.output import EXIT_FAILED, EXIT_INTERRUPTED, print_json
from understudy.cli.plain_text import shown
from understudy.errors import ConfigurationError

if TYPE_CHECKING:
    from understudy.chaos.running import Played
    from understudy.demo.fault import Line

WORDS = {"answered": "answered", "told": "told honestly", "held": "waits for a person's yes", "handed_off": "a person has it", "silent": "LEFT ALONE", "lost": "LOST", "refused": "not taken; the provider knows"}  # fmt: skip


def demo_fault(name: str, folder: Path | None, *, as_json: bool) -> None:
    """Play a fault and show what customers had; exit code 1 where one was left alone, or a reply lost, doubled or out of order."""
    from understudy.demo.fault import FAULTS

    if name not in FAULTS:
        raise ConfigurationError(f"--fault {name!r}: there is {', '.join(FAULTS)}")
    keep = nullcontext(str(folder)) if folder is not None else tempfile.TemporaryDirectory(prefix="understudy-demo-")
    with keep as place:
        Path(place).mkdir(parents=True, exist_ok=True)
        try:
            played, lines = asyncio.run(_played(name, Path(place)))
        except KeyboardInterrupt:
            raise typer.Exit(EXIT_INTERRUPTED) from None
    if as_json:
        _print_json(name, played, lines)
    else:
        _print(name, played, lines)
    if not played.result.is_safe:
        raise typer.Exit(EXIT_FAILED)


async def _played(name: str, folder: Path) -> tuple[Played, tuple[Line, ...]]:
    from understudy.demo.fault import FAULTS, play_fault

    console = Console(stderr=True)
    columns = (TextColumn(FAULTS[name][3]), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("", total=1.0)
        return await play_fault(name, folder, told=lambda share: progress.update(task, completed=share))


def _print_json(name: str, played: Played, lines: Sequence[Line]) -> None:
    from understudy.chaos.running import as_json

    customers = [{**asdict(line), "outcome": line.outcome.value} for line in lines]
    print_json({"fault": name, **as_json(played.result), "customers": customers})


def _print(name: str, played: Played, lines: Sequence[Line]) -> None:
    from understudy.demo.fault import FAULTS, FROM_S, UNTIL_S

    title = f"Customers ask where their orders are; from second {FROM_S:g} to {UNTIL_S:g} {FAULTS[name][3]}"
    table = Table("s", "fault", "channel", Column("the customer is", no_wrap=True), "in s", "and reads", title=title)
    for line in lines:
        table.add_row(
            f"{line.at_s:.1f}",
            "on" if line.was_struck else "",
            line.channel,
            WORDS[line.outcome.value],
            "–" if line.after_s is None else f"{line.after_s:.1f}",
            shown(line.reads or "–"),
        )
    console, result = Console(), played.result
    console.print(table)
    counts = ", ".join(f"{times} {WORDS[one.value]}" for one, times in result.outcomes.items() if times)
    console.print(f"{result.messages} messages: {counts}. Doubled {result.doubled}, out of order {result.reordered}.")
    for what in result.wrong:
        console.print(f"  {what}", markup=False)
