"""`understudy check FILE`: assess each turn record of a file, as if it were live; nothing is stored or sent."""

from __future__ import annotations

import gzip
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from understudy.assessment.check import Check
from understudy.assessment.checks import OPINIONS
from understudy.cli.output import ConfigOption, JsonOption, read_settings
from understudy.errors import ConfigurationError, MalformedInput
from understudy.plugins import checks_of
from understudy.records.assessment import Assessment
from understudy.records.codec import canonical, plain
from understudy.records.rulebook import Rulebook
from understudy.records.wire import parse_turn_record
from understudy.settings.rules import rulebook_of

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
    rulebook = rulebook_of(settings)
    lines = list(lines_of(file))
    if not lines:
        raise MalformedInput(f"{file} holds no turn record; each line must be one JSON object")
    with _opened(output) as out:
        tally = _assess_all(lines, str(file), rulebook, out, checks=offline(checks_of(settings)))
    if output is not None and not as_json:
        _print_summary(tally, len(lines))


def offline(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """All but the check of second opinions: a file holds none, and nobody is asked."""
    return tuple(check for check in checks if check is not OPINIONS)


def _assess_all(
    lines: list[tuple[int, bytes]], name: str, rulebook: Rulebook, out: IO[str], *, checks: tuple[Check, ...]
) -> Counter[str]:
    from understudy.assessment.assess import assess
    from understudy.assessment.recorded import evidence_of

    tally: Counter[str] = Counter()
    progress = Progress(
        TextColumn("assessing"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=len(lines) < PROGRESS_FROM or not sys.stderr.isatty(),
        transient=True,
    )
    # Every line is read before the first is written: a file with a bad line gives no half result.
    records = []
    for number, line in lines:
        try:
            records.append(parse_turn_record(line))
        except MalformedInput as error:
            raise MalformedInput(f"{name}, line {number}: {error.message}") from error
    with progress:
        for record in progress.track(records):
            assessment = assess(evidence_of(record, rulebook.rules), rulebook, checks=checks)
            tally[assessment.decision.kind.value] += 1
            out.write(canonical(as_line(record.id, assessment)) + "\n")
    return tally


def as_line(record_id: str, assessment: Assessment) -> dict[str, Any]:
    """One assessment in the public form of `understudy check`."""
    return {
        "id": record_id,
        "decision": assessment.decision.kind.value,
        "confidence": None if assessment.confidence is None else assessment.confidence.value,
        "reasons": [reason.code for reason in assessment.decision.reasons],
        "signals": {signal.check: signal.score for signal in assessment.signals},
        "findings": [
            {
                "check": finding.check,
                "code": finding.code,
                "severity": finding.severity.value,
                "explanation": finding.explanation,
                "span": None if finding.span is None else plain(finding.span),
                "passage_id": finding.passage_id,
            }
            for finding in assessment.findings
        ],
    }


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
    """Open the output; a file appears under its name only when it is complete."""
    if output is None:
        yield sys.stdout
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


def _print_summary(tally: Counter[str], total: int) -> None:
    table = Table("decision", "records", "share", title=f"{total} turn records")
    for decision, count in tally.most_common():
        table.add_row(decision, str(count), f"{count / total:.1%}")
    Console(stderr=True).print(table)
