"""`understudy autonomy seeds`: known-bad drafts for the review queue, added from files, and what became of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.check import lines_of
from understudy.cli.output import ConfigOption, JsonOption, print_json, read_settings
from understudy.errors import MalformedInput
from understudy.records.wire import TurnRecord, parse_turn_record
from understudy.settings.model import Settings

if TYPE_CHECKING:
    from understudy.assessment.check import Check

tree = typer.Typer(help="Add known-bad drafts that are planted in the review queue; see how many were noticed.")

COMMAND_LINE = "command line"


@tree.command("add")
def add(
    file: Path = typer.Argument(help="turn records whose drafts are known to be bad, one JSON object a line; .gz too"),
    by: Annotated[str, typer.Option("--by", help="who adds them; the ledger keeps the name")] = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add known-bad drafts; each is planted once, looks like any draft on hold, and is sent to nobody."""
    from understudy.databases import open_seed_bank

    records = [(f"{file}, line {number}", _record(f"{file}, line {number}", line)) for number, line in lines_of(file)]
    if not records:
        raise MalformedInput(f"{file} holds no turn record; each line must be one JSON object")
    settings, base = read_settings(config)
    with open_seed_bank(settings, base, _offline(settings)) as bank:
        added = asyncio.run(bank.add(records, by=by))
    if as_json:
        print_json({"added": added.added, "known": added.known})
    else:
        known = f"; {added.known} were there already" if added.known else ""
        typer.echo(f"{added.added} seeds added{known}.")


@tree.command("status")
def status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show how many seeds of files are left, and how many planted drafts reviewers caught."""
    from understudy.databases import open_seed_bank
    from understudy.stats.binomial import sensitivity_lower

    settings, base = read_settings(config)
    with open_seed_bank(settings, base, _offline(settings)) as bank:
        found = asyncio.run(bank.look())
    count, least = found.count, settings.autonomy.seeds_min
    is_measured = count.judged >= least
    share = sensitivity_lower(count.caught, count.judged) if is_measured else settings.autonomy.sensitivity
    if as_json:
        facts = {"left": found.left, "judged": count.judged, "caught": count.caught}
        print_json({**facts, "sensitivity": share, "is_measured": is_measured})
        return
    typer.echo(f"{found.left} seeds of files are left to plant, beside rejected drafts of this store's history.")
    typer.echo(f"{count.caught} of {count.judged} planted drafts were caught.")
    if is_measured:
        typer.echo(f"Reviewers notice at least {share:.0%} of the bad drafts (97.5 % confidence).")
    else:
        typer.echo(f"Until {least} are judged, reviewers are assumed to notice {share:.0%} of the bad drafts.")


def _offline(settings: Settings) -> tuple[Check, ...]:
    """All but the check of second opinions: a file holds none, and nobody is asked."""
    from understudy.assessment.checks import OPINIONS
    from understudy.plugins import checks_of

    return tuple(check for check in checks_of(settings) if check is not OPINIONS)


def _record(place: str, line: bytes) -> TurnRecord:
    try:
        return parse_turn_record(line)
    except MalformedInput as error:
        raise MalformedInput(f"{place}: {error.message}") from error
