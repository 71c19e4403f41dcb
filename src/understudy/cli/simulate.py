"""`understudy simulate`: what earned autonomy would do in a made-up world, under the settings in force; nothing is stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from understudy.cli.output import ConfigOption, JsonOption, print_json, read_settings
from understudy.cli.plain_text import shown
from understudy.errors import ConfigurationError
from understudy.settings.earning import targets_of, terms_of
from understudy.settings.rules import rulebook_of

if TYPE_CHECKING:
    from understudy.settings.model import Settings
    from understudy.simulation.counting import Setup
    from understudy.simulation.summary import Estimate, SliceSummary
    from understudy.simulation.tally import Tally
    from understudy.simulation.world import World

PATIENCE_S = 2.0
"""After so long a progress bar is shown, on stderr."""
RUNS_MAX = 100_000
NOTE = (
    "The rules and settings are yours, the world is made up. Mean loss is the truth, also where no reviewer saw it; bad replies "
    "are counted from the day the agent got worse, on slices that had autonomy to lose. ± is a 95 % interval over the runs."
)


def simulate(
    world: Path | None = typer.Option(None, "--world", help="the made-up world, a TOML file; default: a small shop"),
    slices: str = typer.Option("", "--slices", help="only these of its slices, as TOPIC or TOPIC/CHANNEL, with commas"),
    days: int | None = typer.Option(None, "--days", help="so many days; default: as the world says, or 180"),
    seed: int = typer.Option(1, "--seed", help="where the dice start; the same seed gives the same result"),
    runs: int = typer.Option(1, "--runs", help="so often, each from other dice; from 2 on with intervals"),
    plot: Path | None = typer.Option(None, "--plot", help="draw the first slice of the first run here, as .svg"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Play earned autonomy through in a made-up world, to choose [autonomy] before going live; nothing is stored."""
    from understudy.simulation.reading import part_of, read_world
    from understudy.simulation.world import SHIPPED_WORLD

    if not 1 <= runs <= RUNS_MAX or seed < 0:
        raise ConfigurationError(f"--runs must be from 1 to {RUNS_MAX:,} and --seed at least 0, not {runs} and {seed}")
    if plot is not None and plot.suffix != ".svg":
        raise ConfigurationError(f"--plot {plot}: the picture is an .svg")
    settings, _ = read_settings(config, file_needed=False)
    names = [name.strip() for name in slices.split(",") if name.strip()]
    played = part_of(SHIPPED_WORLD if world is None else read_world(world), days=days, slices=names)
    found = _play(played, settings, seed=seed, runs=runs, is_watched=plot is not None)
    if plot is not None:
        _draw(plot, played, found[0][0])
    _show(played, found, seed=seed, as_json=as_json)


def _play(world: World, settings: Settings, *, seed: int, runs: int, is_watched: bool) -> list[list[Tally]]:
    from understudy.simulation.running import run

    expected = runs * sum(of.per_day for of in world.slices) * world.days
    with _Patience(expected) as bar:
        return [
            run(
                world,
                _setup(world, settings, is_watched=is_watched and number == 0),
                partial(targets_of, settings.autonomy),
                seed=seed + number,
                told=bar.advance,
            )
            for number in range(runs)
        ]


def _setup(world: World, settings: Settings, *, is_watched: bool) -> Setup:
    from understudy.simulation.counting import Setup

    terms = terms_of(settings.autonomy)
    return Setup(
        rules=rulebook_of(settings).rules,
        terms=terms,
        judged_within=timedelta(hours=settings.autonomy.judged_within_h),
        confirm_s=0.0 if terms.is_automatic else world.people.confirm_h * 3600.0,
        is_watched=is_watched,
    )


class _Patience:
    """A progress bar over so many drafts that appears only when it takes long."""

    def __init__(self, expected: float) -> None:
        self._began = time.perf_counter()
        columns = (TextColumn("simulating"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task("", total=expected)
        self._is_shown = False

    def __enter__(self) -> _Patience:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._is_shown:
            self._progress.stop()

    def advance(self, drafts: int) -> None:
        if not self._is_shown and self._progress.console.is_terminal and time.perf_counter() - self._began > PATIENCE_S:
            self._is_shown = True
            self._progress.start()
        self._progress.advance(self._task, drafts)


def _draw(plot: Path, world: World, tally: Tally) -> None:
    from understudy.cli.simulate_plot import svg

    try:
        plot.write_text(svg(world.slices[0], tally, days=world.days), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"--plot {plot} cannot be written: {error.strerror}") from error


def _show(world: World, runs: list[list[Tally]], *, seed: int, as_json: bool) -> None:
    from understudy.simulation.summary import summarised

    *slices, overall = summarised(runs)
    if as_json:
        facts = {"seed": seed, "runs": len(runs), "days": world.days}
        print_json(facts | {"slices": [asdict(one) for one in slices], "all": asdict(overall)})
        return
    many = f", {len(runs)} runs" if len(runs) > 1 else ""
    title = f"{world.days} days, some {overall.drafts.mean or 0:,.0f} drafts{many}"
    console = Console()
    console.print(f"[bold]{title}[/bold]\n\nWith autonomy that is earned:")
    console.print(_table(EARNED, (*slices, overall)))
    console.print("A plain threshold on the same drafts (confidence 1 − target, from the first day, no audits):")
    console.print(_table(PLAIN, (*slices, overall)))
    console.print(NOTE, style="dim")


def _table(columns: dict[str, Callable[[SliceSummary], str]], rows: Sequence[SliceSummary]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=0)
    table.add_column("", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for one in rows:
        if one is rows[-1]:
            table.add_section()
        table.add_row(shown(one.name), *(cell(one) for cell in columns.values()))
    return table


def _percent(of: Estimate) -> str:
    if of.mean is None:
        return "–"
    digits = 0 if of.mean >= 0.1 else 1
    return f"{100 * of.mean:.{digits}f} %{_half(of, 100.0, digits)}"


def _number(of: Estimate) -> str:
    if of.mean is None:
        return "–"
    digits = 0 if of.mean >= 10 or of.runs == 1 else 1
    return f"{of.mean:,.{digits}f}{_half(of, 1.0, digits)}"


def _half(of: Estimate, unit: float, digits: int) -> str:
    return "" if of.high is None or of.mean is None else f"\n±{unit * (of.high - of.mean):,.{digits}f}"


def _of_target(risk: Estimate, target: float | None) -> str:
    if risk.mean is None or target is None:
        return _percent(risk)
    first, *half = _percent(risk).split("\n")
    return "\n".join([f"{first} of {100 * target:g}", *half])


EARNED: Final[dict[str, Callable[[SliceSummary], str]]] = {
    "left\nalone": lambda one: _percent(one.automation),
    "mean loss,\ntarget": lambda one: _of_target(one.risk, one.risk_max),
    "from\nday": lambda one: _number(one.promoted_on),
    "bad until\ndemoted": lambda one: _number(one.bad_before_demotion),
    "\nreviews": lambda one: _number(one.reviews),
    "\naudits": lambda one: _number(one.audits),
    "falsely\npromoted": lambda one: _number(one.false_promotions),
}
PLAIN: Final[dict[str, Callable[[SliceSummary], str]]] = {
    "left\nalone": lambda one: _percent(one.fixed_automation),
    "mean loss,\ntarget": lambda one: _of_target(one.fixed_risk, one.risk_max),
    "bad since it\ngot worse": lambda one: _number(one.fixed_bad_after),
}
