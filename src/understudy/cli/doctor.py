"""`understudy doctor`: say what is misconfigured, unreachable or risky, and how to mend it. What is looked at stands in `doctor/`."""

from __future__ import annotations

from dataclasses import asdict

import typer
from rich.console import Console
from rich.text import Text

from understudy.cli.output import EXIT_FAILED, ConfigOption, JsonOption, print_json, read_settings
from understudy.doctor.examination import examine, is_broken, refusal
from understudy.doctor.result import Result
from understudy.errors import UnderstudyError

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "error": ("✗", "red")}


def doctor(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Look at the configuration, the store, the agents and the channels; exit 1 where something is broken."""
    from understudy.web.console import NOT_BUILT, is_built

    try:
        settings, base = read_settings(config)
        results = examine(settings, base, console_missing=None if is_built() else NOT_BUILT)
    except UnderstudyError as error:
        results = [refusal(error)]
    if as_json:
        print_json({"healthy": not is_broken(results), "results": [asdict(result) for result in results]})
    else:
        _print(results)
    if is_broken(results):
        raise typer.Exit(EXIT_FAILED)


def _print(results: list[Result]) -> None:
    console = Console(soft_wrap=True)
    for result in results:
        mark, style = _MARKS[result.state]
        line = Text(f"{mark} ", style=style).append(f"{result.what}: ", style="bold").append(result.says, style="")
        console.print(line)
        if result.mend:
            console.print(Text(f"    → {result.mend}"))
