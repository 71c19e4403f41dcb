"""`understudy chaos`: what customers would see when everything around the product fails; it reaches nothing real."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from understudy.cli.output import (
    EXIT_FAILED,
    EXIT_INCONCLUSIVE,
    EXIT_INTERRUPTED,
    ConfigOption,
    JsonOption,
    print_json,
    read_settings,
)
from understudy.errors import ConfigurationError

if TYPE_CHECKING:
    from understudy.chaos.outcomes import Result
    from understudy.chaos.profile import Profile
    from understudy.chaos.running import Played
    from understudy.chaos.stage import Stage
    from understudy.settings.model import Settings

WORDS = {
    "answered": "answered",
    "told": "told honestly by an approved reply",
    "held": "a draft waits for a person",
    "handed_off": "a person has the conversation",
    "silent": "left alone past the deadline",
    "lost": "acknowledged and gone",
    "refused": "never acknowledged; their provider knows",
}


def chaos(
    profile: str | None = typer.Argument(None, help="a shipped profile or a .toml file; without one they are listed"),
    seconds: float | None = typer.Option(
        None, "--seconds", min=1, max=3_600, help="customers write for so long; the profile is stretched or shortened"
    ),
    seed: int = typer.Option(1, "--seed", min=0, help="where the dice start; the same seed draws the same faults"),
    bundled: bool = typer.Option(False, "--bundled", help="play a made-up business instead of your configuration"),
    replace_real_hosts: bool = typer.Option(
        False, "--replace-real-hosts", help="take a configuration that names real hosts: fakes stand in for all of them"
    ),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let customers write while what a configuration reaches fails; exit code 1 where one was left alone, or a reply lost, doubled or out of order."""
    from understudy.chaos.profile import read_profile

    if profile is None:
        _list(as_json=as_json)
        return
    chosen = read_profile(profile)
    if seconds is not None:
        chosen = chosen.within(seconds)
    settings, base = _bundled() if bundled else read_settings(config)
    if not bundled:
        refuse_real_hosts(settings, replace_them=replace_real_hosts)
    try:
        played = _play(chosen, settings, base, seed=seed)
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_INTERRUPTED) from None
    result = played.result
    _show(profile, chosen, seed, result, played.stage, as_json=as_json)
    if not result.is_safe:
        raise typer.Exit(EXIT_FAILED)
    if not result.was_struck:
        typer.echo("chaos: no fault happened, so nothing was tried; let customers write for longer", err=True)
        raise typer.Exit(EXIT_INCONCLUSIVE)


def refuse_real_hosts(settings: Settings, *, replace_them: bool) -> None:
    """Refuse a configuration that names real hosts, unless told that fakes shall stand in for them."""
    from understudy.chaos.hosts import real_hosts

    found = real_hosts(settings)
    if found and not replace_them:
        named = ", ".join(f"{where} ({host})" for where, host in found.items())
        raise ConfigurationError(
            f"this configuration points at real hosts: {named}. Chaos is for a staging configuration; with "
            "--replace-real-hosts fakes stand in for all of them and nothing real is reached"
        )


def _play(profile: Profile, settings: Settings, base: Path, *, seed: int) -> Played:
    from understudy.chaos.running import run

    console = Console(stderr=True)
    columns = (TextColumn("customers write, faults strike"), BarColumn(), TimeElapsedColumn())
    with (
        tempfile.TemporaryDirectory(prefix="understudy-chaos-") as folder,
        Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress,
    ):
        task = progress.add_task("", total=1.0)
        told = lambda share: progress.update(task, completed=share)  # noqa: E731 - a word for the bar
        return asyncio.run(run(profile, settings, base, Path(folder), seed=seed, told=told))


def _bundled() -> tuple[Settings, Path]:
    from understudy.chaos.running import bundled_settings

    return bundled_settings(), Path.cwd()


def _list(*, as_json: bool) -> None:
    from understudy.chaos.profile import SHIPPED, read_profile

    told = {name: read_profile(name).description for name in SHIPPED}
    if as_json:
        print_json({"profiles": told})
        return
    table = Table("profile", "what happens")
    for name, description in told.items():
        table.add_row(name, description)
    Console().print(table)


def _show(name: str, profile: Profile, seed: int, result: Result, stage: Stage, *, as_json: bool) -> None:
    from understudy.chaos.running import as_json as plain

    if as_json:
        print_json({"profile": name, "seed": seed, "seconds": profile.seconds, "deadline_s": profile.deadline_s, **plain(result), "left_out": list(stage.left_out)})  # fmt: skip
        return
    console = Console()
    table = Table("customers", "messages", title=f"{name}, seed {seed}: {result.messages} messages in {profile.seconds:g} s")  # fmt: skip
    for outcome, times in result.outcomes.items():
        must = " (must be 0)" if outcome in ("silent", "lost") else ""
        table.add_row(f"{WORDS[outcome.value]}{must}", str(times))
    table.add_row("replies that came twice (must be 0)", str(result.doubled))
    table.add_row("replies out of order (must be 0)", str(result.reordered))
    console.print(table)
    if result.within_s_p50 is not None:
        console.print(f"Half of the replies came within {result.within_s_p50:g} s, 95 % within {result.within_s_p95:g} s.")  # fmt: skip
    console.print(_struck(result.struck))
    for what in (*result.wrong[:20], *(f"{name} has no fake and was left out" for name in stage.left_out)):
        console.print(f"  {what}", markup=False)
    for what in result.complaints[:20]:
        console.print(f"  the fake says: {what}", markup=False)
    if result.unknown_hosts:
        console.print(f"Asked for and not reached: {', '.join(result.unknown_hosts)}", markup=False)


def _struck(struck: Mapping[str, Mapping[str, int]]) -> Table:
    table = Table("dependency", "requests struck", title="What went wrong")
    for name, faults in struck.items():
        table.add_row(name, ", ".join(f"{times} × {fault.replace('_', ' ')}" for fault, times in faults.items()) or "–")
    return table
