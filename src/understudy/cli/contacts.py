"""`understudy contacts`: see who is one person, link contacts, take links away, erase a person."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from understudy.cli.output import ConfigOption, JsonOption, print_json, print_rows, read_settings
from understudy.cli.plain_text import shown
from understudy.records.codec import plain
from understudy.records.identity import Link

tree = typer.Typer(
    help="See who is one person over many channels, link contacts, take links away, erase a person.",
    no_args_is_help=True,
)

COMMAND_LINE = "command line"
ByOption = Annotated[str, typer.Option("--by", help="who decides this; the ledger keeps the name")]
OneArgument = Annotated[str, typer.Argument(help="a contact, by id")]
OtherArgument = Annotated[str, typer.Argument(help="the other one")]


@tree.command("show")
def show(contact_id: OneArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show all contacts that are one person with this one: by what they are known, and how that was verified."""
    from understudy.databases import open_contacts

    settings, base = read_settings(config)
    with open_contacts(settings, base) as desk:
        group = asyncio.run(desk.group(contact_id))
    if as_json:
        print_json(plain(group))
        return
    rows = [
        (
            member.contact.id,
            "proven" if member.is_proven else "by a person",
            shown(", ".join(f"{one.value} ({one.kind.value}, by {one.how.value})" for one in member.handles) or "–"),
            shown(", ".join(dict.fromkeys(one.channel for one in member.conversations)) or "–"),
        )
        for member in group.members
    ]
    console = Console()
    print_rows(console, ("contact", "linked", "handles", "channels"), rows)
    _print_links(console, list(group.links))


@tree.command("proposed")
def proposed(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List pairs of contacts that may be one person, for a lead to link or to unlink."""
    from understudy.databases import open_contacts

    settings, base = read_settings(config)
    with open_contacts(settings, base) as desk:
        links = asyncio.run(desk.proposed())
    if as_json:
        print_json({"proposed": [_plain(link) for link in links]})
        return
    if links:
        _print_links(Console(), links)
    else:
        typer.echo("No pair of contacts waits for a lead.")


@tree.command("link")
def link(
    one: OneArgument,
    other: OtherArgument,
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that two contacts are one person; replies and history follow only what was proven."""
    made = _related(config, lambda desk: desk.link(one, other, by=by))
    how = "proven" if made.is_verified else "a person says so: no reply follows it"
    _tell(made, f"{made.one} and {made.other} are one person ({how}).", as_json=as_json)


@tree.command("unlink")
def unlink(
    one: OneArgument,
    other: OtherArgument,
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a link away, or refuse a proposed one; each contact is as it was before."""
    ended = _related(config, lambda desk: desk.unlink(one, other, by=by))
    _tell(ended, f"{ended.one} and {ended.other} are two people; no rule links them again.", as_json=as_json)


def _related(config: Path | None, act: Callable[[Any], Coroutine[Any, Any, Link]]) -> Link:
    from understudy.databases import open_contacts

    settings, base = read_settings(config)
    with open_contacts(settings, base) as desk:
        return asyncio.run(act(desk))


def _tell(link: Link, words: str, *, as_json: bool) -> None:
    if as_json:
        print_json(_plain(link))
    else:
        typer.echo(words)


@tree.command("erase")
def erase(
    contact_id: OneArgument,
    linked: bool = typer.Option(False, "--linked", help="everybody who is linked with them, too"),
    yes: bool = typer.Option(False, "--yes", help="do not ask"),
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase what a person said and was told, and every address of theirs, for good; the ledger stays whole."""
    from understudy.databases import open_contacts, open_erasing

    settings, base = read_settings(config)
    if not yes:
        with open_contacts(settings, base) as desk:
            group = asyncio.run(desk.group(contact_id))
        whom = ", ".join(one.contact.id for one in group.members) if linked else contact_id
        typer.confirm(f"Erase {whom}? Nothing of it can be had back", abort=True)
    with open_erasing(settings, base) as erasing:
        erased = asyncio.run(erasing.erase(contact_id, with_linked=linked, by=by))
        is_clean = not erasing.has_file or asyncio.run(erasing.sweep()) > 0
    if as_json:
        print_json(plain(erased))
        return
    left = f" Linked with them, and left: {', '.join(erased.left)} (--linked reaches those too)." if erased.left else ""
    typer.echo(f"Erased: {', '.join(erased.contacts)}.{left}")
    if not is_clean:
        typer.echo("The database's file is busy and may still hold bytes of it; the server writes it anew.", err=True)


def _print_links(console: Console, links: list[Link]) -> None:
    rows = [(one.one, one.other, one.state.value, one.cause.value, shown(one.said_by)) for one in links]
    if rows:
        print_rows(console, ("contact", "other", "state", "because", "by"), rows)


def _plain(link: Link) -> dict[str, Any]:
    found: dict[str, Any] = plain(link)
    return found
