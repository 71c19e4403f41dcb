"""`understudy eval case …`: turns and conversations of the past become cases of a suite; nothing is run."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from understudy.cli.output import EXIT_OK, ConfigOption, JsonOption, print_json, read_settings
from understudy.cli.plain_text import shown
from understudy.errors import ConfigurationError, MalformedInput
from understudy.records.suite import CaseKind, CaseRule

if TYPE_CHECKING:
    from understudy.evaluation.casebook import Added
    from understudy.records.wire import TurnRecord

tree = typer.Typer(help="Make cases of turns of the past.", no_args_is_help=True)

COMMAND_LINE = "command line"
DEFAULT_SUITE = "history"

SuiteOption = Annotated[str, typer.Option("--suite", help="name of the suite, a folder in the folder of suites")]
RuleOption = Annotated[
    str | None,
    typer.Option("--rule", help="ordinary, must_pass or zero_tolerance; default: must_pass where people refused it"),
]
TagOption = Annotated[list[str] | None, typer.Option("--tag", help="a tag for the case; repeat for several")]


@tree.command("add")
def add(
    turn: list[str] = typer.Argument(
        help="ids of turns of this installation; with --conversation also of conversations"
    ),
    suite: SuiteOption = DEFAULT_SUITE,
    conversation: bool = typer.Option(
        False, "--conversation", help="of all that was said up to the turn: a customer played by a script"
    ),
    rule: RuleOption = None,
    tag: TagOption = None,
    show: bool = typer.Option(False, "--show", help="print the case and write nothing"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> int:
    """Make cases of turns that were held, edited, rejected, escalated, complained about or found bad in an audit."""
    from understudy.databases import open_casebook

    kind = CaseKind.CONVERSATION if conversation else CaseKind.TURN
    settings, base = read_settings(config)
    with open_casebook(settings, base) as casebook:

        async def all_added() -> list[Added]:
            return [
                await casebook.add(
                    one, suite, actor=COMMAND_LINE, kind=kind, rule=_rule(rule), tags=tuple(tag or ()), write=not show
                )
                for one in turn
            ]

        found = asyncio.run(all_added())
    _say(found, show=show, as_json=as_json)
    return EXIT_OK


@tree.command("import")
def import_(
    file: Path = typer.Argument(help="turn records, OpenAI logs, a Langfuse or Chatwoot export, or CSV; .gz too"),
    suite: SuiteOption = DEFAULT_SUITE,
    every: bool = typer.Option(False, "--all", help="good and unjudged turns as well, not only bad ones"),
    limit: int = typer.Option(1_000, "--limit", help="at most so many cases"),
    rule: RuleOption = None,
    tag: TagOption = None,
    form: str = typer.Option("auto", "--format", help="turns, openai, langfuse, chatwoot, csv, or auto"),
    columns: str = typer.Option("", "--columns", help="CSV: message=COLUMN,draft=COLUMN,verdict=COLUMN,…"),
    rating: str | None = typer.Option(None, "--rating", help="which score, field or rating is the verdict"),
    good_from: float | None = typer.Option(None, "--good-from", help="from this rating on a reply was good"),
    good: list[str] | None = typer.Option(None, "--good", help="a word or label that means good; repeat for several"),
    bad: list[str] | None = typer.Option(None, "--bad", help="a word or label that means bad; repeat for several"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> int:
    """Make cases of a file: of every turn in it that people found bad."""
    from understudy.assessment.assess import assess
    from understudy.assessment.recorded import evidence_of
    from understudy.backtest.histories.ratings import Meaning
    from understudy.evaluation.history import written
    from understudy.evaluations import Evaluations

    if limit < 1:
        raise ConfigurationError(f"--limit must be at least 1, got {limit}")
    settings, base = read_settings(config, file_needed=False)
    evaluations = Evaluations(settings, base)
    meaning = Meaning(name=rating, good_from=good_from, good=frozenset(good or ()), bad=frozenset(bad or ()))
    added: list[Added] = []
    skipped: Counter[str] = Counter()
    for record in _records(file, form, columns, meaning):
        if not any(message.role == "user" for message in record.messages):
            skipped["without a customer's message"] += 1
            continue
        past = written(record)
        if not (past.is_bad or every):
            skipped["not found bad by anybody (--all takes them too)"] += 1
            continue
        found = assess(
            evidence_of(record, evaluations.rulebook.rules), evaluations.rulebook, checks=evaluations.checks
        ).findings
        added.append(evaluations.suites.add(_with(past, found), suite, rule=_rule(rule), tags=tuple(tag or ())))
        if sum(one.file is not None for one in added) >= limit:
            break
    _say(added, show=False, as_json=as_json, skipped=skipped)
    return EXIT_OK


def _with(past: Any, findings: Any) -> Any:
    from dataclasses import replace

    return replace(past, findings=findings)


def _records(file: Path, form: str, columns: str, meaning: Any) -> Iterator[TurnRecord]:
    from understudy.backtest.histories import formats
    from understudy.backtest.histories.source import Source
    from understudy.backtest.histories.tables import columns_of

    source = Source.opened(file)
    try:
        kind = formats.recognised(source) if form == "auto" else formats.Format(form)
    except ValueError:
        raise ConfigurationError(f"--format {form!r}: there is auto, {', '.join(formats.Format)}") from None
    count = 0
    for one in formats.read(source, kind, meaning=meaning, columns=columns_of(columns)):
        count += 1
        yield one.record
    if not count:
        raise MalformedInput(f"{file} holds no turn in the form {kind.value}; name the form with --format")


def _rule(rule: str | None) -> CaseRule | None:
    try:
        return None if rule is None else CaseRule(rule)
    except ValueError:
        raise ConfigurationError(f"--rule {rule!r}: there is {', '.join(CaseRule)}") from None


def _say(found: list[Added], *, show: bool, as_json: bool, skipped: Counter[str] | None = None) -> None:
    if as_json:
        cases = [
            {
                "case": one.case.id,
                "source": one.case.source,
                "file": None if one.file is None else str(one.file),
                "duplicate_of": one.duplicate_of,
                **({"text": one.text} if show else {}),
            }
            for one in found
        ]
        print_json({"cases": cases, "skipped": dict(skipped or {})})
        return
    console = Console(soft_wrap=True)
    for one in found:
        if show:
            console.print(shown(one.text.rstrip()))
        elif one.file is not None:
            console.print(shown(f"{one.file}: read it and say what a good answer must and must not contain"))
        else:
            console.print(shown(f"{one.case.source} is no new case: {one.duplicate_of} asks the same and fails alike"))
    for why, count in (skipped or {}).items():
        console.print(shown(f"{count} turns are left out: {why}"), style="dim")
