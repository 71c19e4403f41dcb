"""`understudy backtest FILE`: how much of a labelled history could have been answered alone; nothing is stored or sent."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from understudy.cli import backtest_report
from understudy.cli.output import (
    EXIT_INCONCLUSIVE,
    EXIT_OK,
    ConfigOption,
    JsonOption,
    print_json,
    read_settings,
)
from understudy.cli.plain_text import shown
from understudy.errors import ConfigurationError, MalformedInput
from understudy.records.backtest import Backtest, Goal, ScoreOrigin, SliceBacktest

if TYPE_CHECKING:
    from understudy.backtest.histories.formats import Format
    from understudy.backtest.histories.labelled import Labelled
    from understudy.backtest.histories.ratings import Meaning
    from understudy.backtest.histories.source import Source

PROGRESS_FROM = 500
"""From this many records on a progress bar is shown, on stderr."""
SLICES_SHOWN = 40
NO_SLICES = "none"
AUTO = "auto"

Name = TypeVar("Name", bound=str)


def backtest(
    file: Path = typer.Argument(help="labelled history; .gz is read too; - for standard input"),
    risk: float = typer.Option(help="mean loss that automatic replies may have, between 0 and 1: 0.05"),
    confidence: float = typer.Option(0.95, help="with which each certificate holds, between 0 and 1"),
    by: str = typer.Option("topic,channel", help="what makes a slice: topic, channel, agent_version, or none"),
    threshold: float | None = typer.Option(None, help="certify this confidence; default: find the laxest that holds"),
    severe_risk: float | None = typer.Option(None, help="share of severe bad replies that must hold as well: 0.005"),
    sensitivity: float = typer.Option(1.0, help="share of the bad drafts that reviewers noticed, at least"),
    score: str = typer.Option(AUTO, help="given (draft.confidence), learned, or auto: given where most drafts have it"),
    form: str = typer.Option(AUTO, "--format", help="turns, openai, langfuse, chatwoot, csv, or auto"),
    columns: str = typer.Option("", help="CSV: message=COLUMN,draft=COLUMN,verdict=COLUMN,…"),
    rating: str | None = typer.Option(
        None, help="which score, field or rating is the verdict, where there are several"
    ),
    good_from: float | None = typer.Option(None, help="from this rating on a reply was good"),
    good: list[str] | None = typer.Option(None, help="a word or label that means good; repeat for several"),
    bad: list[str] | None = typer.Option(None, help="a word or label that means bad; repeat for several"),
    plot: Path | None = typer.Option(None, help="draw risk against coverage into this .svg or .png"),
    report: Path | None = typer.Option(None, help="write the answer as Markdown"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> int:
    """Say what share of a labelled history could have been answered alone at this risk; exit 2 where nothing could."""
    goal = _goal(risk, confidence, threshold, severe_risk, sensitivity)
    draw = _picture(plot)

    from understudy.backtest.histories.ratings import Meaning

    meaning = Meaning(name=rating, good_from=good_from, good=frozenset(good or ()), bad=frozenset(bad or ()))
    found = _run(
        file, form, columns, meaning, goal=goal, by=_by(by), score=score, config=config, with_curves=plot is not None
    )
    if plot is not None and draw is not None:
        _write(plot, draw(found))
    if report is not None:
        _write(report, backtest_report.markdown(found, history=str(file), plot=_link(plot, report)).encode())
    if as_json:
        print_json(as_object(found))
    else:
        _show(found)
    return EXIT_OK if found.is_anything_certified else EXIT_INCONCLUSIVE


def as_object(found: Backtest) -> dict[str, Any]:
    """A backtest in its public form."""
    goal = found.goal
    return {
        "slices": [_slice(one) for one in found.slices],
        "overall": _slice(found.overall),
        "coverage_by_slices": found.coverage_by_slices,
        "risk": goal.risk_max,
        "confidence": goal.confidence,
        "severe_risk": goal.severe_max,
        "sensitivity": goal.sensitivity,
        "by": list(found.by),
        "score": found.origin.value,
        "weights": dict(found.learned),
        "records": found.records,
        "judged": found.judged,
        "set_aside": found.set_aside,
        "notes": list(found.notes),
    }


def _slice(one: SliceBacktest) -> dict[str, Any]:
    return {
        "slice": one.name,
        **dict(one.parts),
        "labels": one.labels,
        "bad": one.bad,
        "threshold": one.threshold,
        "certified": one.is_certified,
        "coverage": one.coverage,
        "risk_upper": one.risk_upper,
        "labels_needed": one.labels_needed,
        "labels_expected": one.labels_expected,
        "drafts": one.drafts,
        "candidate": one.candidate,
        "candidate_coverage": one.candidate_coverage,
        "accepted": one.accepted,
        "accepted_bad": one.accepted_bad,
        "risk": one.risk,
        "severe_upper": one.severe_upper,
        "log_e": one.log_e,
        "progress": one.progress,
        "level": one.level,
        "coverage_limit": one.coverage_limit,
        "plain_threshold": None if one.plain is None else asdict(one.plain),
    }


def _run(
    file: Path,
    form: str,
    columns: str,
    meaning: Meaning,
    *,
    goal: Goal,
    by: tuple[str, ...],
    score: str,
    config: Path | None,
    with_curves: bool,
) -> Backtest:
    from understudy.assessment.checks import OPINIONS
    from understudy.backtest import answer
    from understudy.backtest.histories import formats
    from understudy.backtest.histories.source import Source
    from understudy.backtest.histories.tables import columns_of
    from understudy.backtest.replies import replies, survey
    from understudy.plugins import checks_of
    from understudy.settings.rules import rulebook_of

    settings, _ = read_settings(config, file_needed=False)
    source = Source.opened(file)
    kind = _form(form, source)

    mapped = columns_of(columns)

    def read() -> Iterator[Labelled]:
        return formats.read(source, kind, meaning=meaning, columns=mapped)

    with _progress("reading", None) as told:
        seen = survey(read, told)
    if not seen.records:
        raise MalformedInput(f"{source.name} holds no history in the form {kind.value}; name the form with --format")
    origin = seen.origin() if score == AUTO else _chosen(score, tuple(ScoreOrigin), "--score")
    checks = tuple(check for check in checks_of(settings) if check is not OPINIONS)  # nobody is asked
    with _progress("assessing" if origin is ScoreOrigin.LEARNED else "reading again", seen.records) as told:
        judged, signals = replies(read, seen, origin, by, rulebook_of(settings), checks, told)
    return answer.backtest(judged, signals, seen, origin, by, goal, with_curves=with_curves)


def _form(form: str, source: Source) -> Format:
    from understudy.backtest.histories import formats

    return formats.recognised(source) if form == AUTO else _chosen(form, tuple(formats.Format), "--format")


def _chosen(text: str, known: tuple[Name, ...], option: str) -> Name:
    for one in known:
        if one == text:
            return one
    raise ConfigurationError(f"{option} {text!r}: there is {AUTO}, {', '.join(known)}")


def _by(text: str) -> tuple[str, ...]:
    from understudy.backtest.replies import DIMENSIONS

    parts = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if parts == (NO_SLICES,):
        return ()
    for part in parts:
        if part not in DIMENSIONS:
            raise ConfigurationError(
                f"--by {part!r}: there is {', '.join(DIMENSIONS)}, several joined by commas, or none"
            )
    return parts


def _goal(risk: float, confidence: float, threshold: float | None, severe: float | None, sensitivity: float) -> Goal:
    named = {"risk_max": "--risk", "severe_max": "--severe-risk"}
    try:
        return Goal(
            risk_max=risk, confidence=confidence, severe_max=severe, sensitivity=sensitivity, threshold=threshold
        )
    except ValueError as error:
        name, _, rest = str(error).partition(" ")
        raise ConfigurationError(f"{named.get(name, f'--{name}')} {rest}") from error


@contextmanager
def _progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on stderr for long files; none where nobody looks."""
    progress = Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty() or (total is not None and total < PROGRESS_FROM),
        transient=True,
    )
    with progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


def _picture(plot: Path | None) -> Callable[[Backtest], bytes] | None:
    """How the picture is made, found before the work begins, so that a wrong ending costs no time."""
    if plot is None:
        return None
    from understudy.cli import backtest_plot

    match plot.suffix.lower():
        case ".svg":
            return lambda found: backtest_plot.svg(found).encode()
        case ".png":
            return backtest_plot.png_maker()
        case other:
            raise ConfigurationError(
                f"--plot {plot}: {other or 'no ending'} cannot be drawn; end the name in .svg or .png"
            )


def _link(plot: Path | None, report: Path) -> str | None:
    """The plot as the report links it: beside it where both are in one folder."""
    if plot is None:
        return None
    return plot.name if plot.resolve().parent == report.resolve().parent else str(plot.resolve())


def _write(path: Path, content: bytes) -> None:
    """A file appears under its name only when it is complete."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _show(found: Backtest) -> None:
    console = Console(soft_wrap=True)
    console.print(shown(backtest_report.answer(found)))
    table = Table(*backtest_report.COLUMNS)
    for column in table.columns[1:]:
        column.justify = "right"
    table.columns[0].overflow = "fold"
    rows = [*found.slices[:SLICES_SHOWN], *([found.overall] if found.by else [])]
    for one in rows:
        table.add_row(*map(shown, backtest_report.row(one)))
    Console().print(table)
    if len(found.slices) > SLICES_SHOWN:
        console.print(
            f"{len(found.slices) - SLICES_SHOWN} smaller slices are left out here; --json and --report have them."
        )
    for note in found.notes:
        console.print(shown(note), style="dim")
