"""Wait for a gate that servers run, with a bar of its trials; it begins and stops nothing."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from understudy.cli.plain_text import shown
from understudy.records.spread import GateProgress, Pace, RunState

if TYPE_CHECKING:
    from understudy.databases import KnownReleases
    from understudy.records.rollout import ReleaseStatus

LOOK_S: Final = 0.25
QUIET_S: Final = 15.0
"""A gate of which no server has begun a trial for so long gets a word about it."""


async def waited(known: KnownReleases, release_id: str) -> ReleaseStatus:
    """Look again and again until the gate is decided or given up; Ctrl-C stops the waiting and not the gate."""
    began = time.monotonic()
    told: set[str] = set()
    with _bar() as bar:
        task = bar.add_task("the gate", total=None)
        while True:
            found = await known.reports.release(release_id)
            gate = found.gate
            if gate is None or gate.state in (Pace.DECIDED, Pace.GIVEN_UP):
                return found
            bar.update(task, total=gate.planned, completed=gate.done, description=doing(gate))
            for words in _troubles(gate, waited_s=time.monotonic() - began):
                if words not in told:
                    told.add(words)
                    typer.echo(f"understudy: {words}", err=True)
            await asyncio.sleep(LOOK_S)


def doing(gate: GateProgress) -> str:
    """What is being tried, in a few words."""
    run = next((run for run in gate.runs if run.state is RunState.OPEN), None)
    return "the gate" if run is None else f"{run.release} on {shown(run.suite)}"


def _troubles(gate: GateProgress, *, waited_s: float) -> list[str]:
    found = [f"a server leaves trials to others: {shown(run.refused)}" for run in gate.runs if run.refused]
    if gate.state is Pace.PENDING and waited_s >= QUIET_S:
        found.append("no server has begun a trial yet; is one running? Ctrl-C leaves the gate to the next that does")
    return found


def _bar() -> Progress:
    return Progress(
        TextColumn("trials of {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
