"""`understudy pledges`: what was promised to customers and still has to be done; say that it is kept, or need not be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer
from rich.console import Console

from understudy.cli.output import ConfigOption, JsonOption, print_json, print_rows, read_settings, states_of
from understudy.cli.plain_text import shown
from understudy.records.conversation import Author
from understudy.records.pledges import UNKEPT, Pledge, PledgeState

tree = typer.Typer(help="List what was promised to customers, and say what became of it.", no_args_is_help=True)

COMMAND_LINE = "command line"
WORDS_CHARS_SHOWN = 80
COLUMNS = ("pledge", "state", "due", "kind", "conversation", "by", "words")

MADE_ALONE = {Author.SAFE_REPLY: "an approved text"}
"""Who is named where nobody saw it before it left, and it was not the agent."""

ByOption = Annotated[str, typer.Option("--by", help="who says so; the ledger keeps the name")]


@tree.callback()
def pledges() -> None:
    """List what was promised to customers, and say what became of it."""


@tree.command("list")
def list_pledges(
    state: Annotated[
        list[str] | None,
        typer.Option(help=f"repeat for several: {', '.join(PledgeState)}; default: all that still have to be kept"),
    ] = None,
    limit: int = typer.Option(100, min=1, max=10_000, help="how many to show, the next due first"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List promises, the next due first."""
    from understudy.databases import open_pledges

    states = states_of(PledgeState, state, usual=UNKEPT)
    settings, base = read_settings(config)
    with open_pledges(settings, base) as desk:
        listed = asyncio.run(desk.listed(states, limit=limit))
    if as_json:
        print_json({"pledges": [_plain(one) for one in listed]})
        return
    if not listed:
        typer.echo("Nothing is promised to any customer.")
        return
    rows = [
        (
            one.id,
            one.state.value,
            f"{one.due_at:%Y-%m-%d %H:%M}",
            one.kind.value,
            one.conversation_id,
            shown(one.made_by or MADE_ALONE.get(one.author, "the agent")),
            shown(one.words[:WORDS_CHARS_SHOWN].replace("\n", " ")),
        )
        for one in listed
    ]
    print_rows(Console(), COLUMNS, rows)


@tree.command("keep")
def keep(
    pledge: Annotated[str, typer.Argument(help="its id, as `list` shows it")],
    note: Annotated[str | None, typer.Option(help="what was done")] = None,
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that it was done."""
    _end(lambda desk: desk.keep(pledge, by=by, note=note), config, as_json=as_json)


@tree.command("withdraw")
def withdraw(
    pledge: Annotated[str, typer.Argument(help="its id, as `list` shows it")],
    why: Annotated[str, typer.Option(help="why it need not be kept")],
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that it need not be done, and why."""
    _end(lambda desk: desk.withdraw(pledge, by=by, note=why), config, as_json=as_json)


def _end(act: Callable[[Any], Awaitable[Pledge]], config: Any, *, as_json: bool) -> None:
    from understudy.databases import open_pledges

    settings, base = read_settings(config)

    async def done() -> Pledge:
        return await act(desk)

    with open_pledges(settings, base) as desk:
        ended = asyncio.run(done())
    if as_json:
        print_json(_plain(ended))
    else:
        typer.echo(f"{ended.id} is {ended.state.value}.")


def _plain(pledge: Pledge) -> dict[str, Any]:
    return {
        "id": pledge.id,
        "state": pledge.state.value,
        "kind": pledge.kind.value,
        "conversation_id": pledge.conversation_id,
        "contact_id": pledge.contact_id,
        "turn_id": pledge.turn_id,
        "words": pledge.words,
        "made_by": pledge.made_by,
        "made_at": pledge.made_at.isoformat(),
        "due_at": pledge.due_at.isoformat(),
        "has_named_time": pledge.has_named_time,
        "ended_at": None if pledge.ended_at is None else pledge.ended_at.isoformat(),
        "ended_by": pledge.ended_by,
        "note": pledge.note,
    }
