"""`understudy systems`: what is connected, what a system says of a customer, what is shipped, and tickets that need a word."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from understudy.cli.output import (
    EXIT_FAILED,
    EXIT_INCONCLUSIVE,
    ConfigOption,
    JsonOption,
    print_json,
    print_rows,
    read_settings,
    states_of,
)
from understudy.cli.plain_text import shown
from understudy.errors import ConfigurationError
from understudy.ports.system import Found, System, Untold
from understudy.records.facts import ABOUT, WHY, About
from understudy.records.systems import WRITES, Known
from understudy.records.tickets import UNSETTLED, UNSETTLED_STEPS, StepState, Ticket, TicketState, TicketStep

tree = typer.Typer(help="Look into the systems of record and their tickets.", no_args_is_help=True)

COMMAND_LINE = "command line"
ERROR_CHARS_SHOWN = 120
TICKET_COLUMNS = ("ticket", "what", "state", "system", "number", "tries", "conversation", "last error")


@tree.callback()
def systems() -> None:
    """Look into the systems of record and their tickets."""


@tree.command("list")
def list_systems(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the configured systems: what is read of them and what they can be told."""
    from understudy.app import system_clock
    from understudy.systems import build_system

    settings, _ = read_settings(config)
    rows: list[dict[str, Any]] = []
    for name, one in sorted(settings.systems.items()):
        built = build_system(name, one, system_clock())
        rows.append({
            "name": name,
            "preset": one.preset,
            "reads": [about for about in one.reads if built.can_look_up(about)],
            "writes": [what for what in WRITES if built.can_write(what)],
            "hand_offs": one.hand_offs,
        })  # fmt: skip
    if as_json:
        print_json({"systems": rows})
        return
    if not rows:
        typer.echo("No system of record is configured; see docs/how-to/connect-a-system.md.")
        return
    shown_rows = [
        (one["name"], one["preset"] or "own", ", ".join(one["reads"]), ", ".join(one["writes"]), "yes" if one["hand_offs"] else "")
        for one in rows
    ]  # fmt: skip
    print_rows(Console(), ("system", "preset", "reads", "can be told", "tickets"), shown_rows)


@tree.command("look-up")
def look_up(
    system: str = typer.Argument(help="the system's name in the configuration"),
    email: Annotated[str | None, typer.Option(help="the customer's e-mail address")] = None,
    phone: Annotated[str | None, typer.Option(help="their phone number, as +49…")] = None,
    external_id: Annotated[str | None, typer.Option(help="the id that your own software knows them by")] = None,
    about: Annotated[list[str] | None, typer.Option(help="contact, orders or tickets; repeat for several")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a system what it knows of a customer, as it is asked before the agent drafts; exit code 2 where something is
    unknown."""
    from understudy.app import system_clock
    from understudy.systems import build_system

    settings, _ = read_settings(config)
    if system not in settings.systems:
        names = ", ".join(sorted(settings.systems)) or "none"
        raise ConfigurationError(f"there is no system {system!r}; configured: {names}")
    known = Known(
        emails=(email,) if email else (), phones=(phone,) if phone else (), external_id=external_id or None
    )  # fmt: skip
    if known.is_nobody:
        raise ConfigurationError("say whom to look up: --email, --phone or --external-id")
    built = build_system(system, settings.systems[system], system_clock())
    told = asyncio.run(_told(built, known, _abouts(about, built), deadline_s=settings.systems[system].timeout_s))
    if as_json:
        print_json({kind: _plain(one) for kind, one in told.items()})
    else:
        for kind, one in told.items():
            _print(kind, one)
    if any(isinstance(one, Untold) for one in told.values()):
        raise typer.Exit(EXIT_INCONCLUSIVE)


@tree.command("show")
def show(preset: str = typer.Argument(help="the preset, such as zendesk")) -> None:
    """Print the description of a vendor's system that is shipped, to read or to begin one of your own with."""
    from understudy.systems import system_preset

    typer.echo(system_preset(preset), nl=False)


@tree.command("tickets")
def tickets(
    state: Annotated[
        list[str] | None,
        typer.Option(help=f"repeat for several: {', '.join(TicketState)}; default: those that need a person's word"),
    ] = None,
    limit: int = typer.Option(100, min=1, max=10_000, help="how many to show, the oldest first"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List tickets of hand-offs, and what they could not be told; exit code 1 where some of it needs a person's word."""
    from understudy.databases import open_tickets

    settings, base = read_settings(config)
    with open_tickets(settings, base) as desk:
        listed = asyncio.run(desk.listed(states_of(TicketState, state, usual=UNSETTLED), limit=limit))
        unsettled = asyncio.run(desk.steps.listed(UNSETTLED_STEPS, limit=limit))
    if as_json:
        print_json(
            {
                "tickets": [_fields(one) for one in listed],
                "steps": [{**_fields(one), "what": one.ordered.what} for one in unsettled],
            }
        )
    else:
        rows = [
            *((one.id, "create", one.state.value, one.system, one.number or "–", str(one.attempts), one.conversation_id, _error(one.last_error)) for one in listed),
            *((one.id, one.ordered.what, one.state.value, one.system, one.ordered.ticket or "–", str(one.attempts), one.conversation_id, _error(one.last_error)) for one in unsettled),
        ]  # fmt: skip
        if rows:
            print_rows(Console(), TICKET_COLUMNS, rows)
        steps = f", and {len(unsettled)} steps that need a word" if unsettled else ""
        typer.echo(f"{len(listed)} tickets{steps}.")
    if unsettled or any(one.state in UNSETTLED for one in listed):
        raise typer.Exit(EXIT_FAILED)


def _fields(one: Ticket | TicketStep) -> dict[str, Any]:
    """Everything about a ticket or a step but what it says."""
    told = asdict(one) | {"ordered": None}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}


def _error(text: str | None) -> Text:
    return shown((text or "")[:ERROR_CHARS_SHOWN].replace("\n", " "))


@tree.command("settle")
def settle(
    ticket: str = typer.Argument(help="an unknown or dead ticket, or a step of one, as `tickets` shows it"),
    retry: bool = typer.Option(False, "--retry", help="it was not opened, or done, as you know: try again"),
    opened: Annotated[str | None, typer.Option(help="of a ticket: it was opened, under this number")] = None,
    done: bool = typer.Option(False, "--done", help="of a step: it was done"),
    drop: bool = typer.Option(False, "--drop", help="it is not opened, or not done"),
    by: Annotated[str, typer.Option("--by", help="who decides this; the ledger keeps the name")] = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what becomes of a ticket, or of a step of one, of which nobody knows whether it was done, or that was given up."""
    from understudy.databases import open_tickets

    if [retry, opened is not None, done, drop].count(True) != 1:
        raise ConfigurationError("say one of --retry, --opened NUMBER, --done and --drop")
    to = TicketState.PENDING if retry else TicketState.DROPPED if drop else TicketState.OPENED
    of_step = StepState.PENDING if retry else StepState.DROPPED if drop else StepState.DONE
    settings, base = read_settings(config)
    with open_tickets(settings, base) as desk:
        settled: Ticket | TicketStep
        if done or (opened is None and asyncio.run(desk.steps.has(ticket))):
            settled = asyncio.run(desk.steps.settle(ticket, to=of_step, actor=by))
        else:
            settled = asyncio.run(desk.settle(ticket, to=to, actor=by, number=opened))
    if as_json:
        number = settled.number if isinstance(settled, Ticket) else settled.ordered.ticket
        print_json({"ticket": settled.id, "state": settled.state.value, "number": number})
    else:
        typer.echo(f"{settled.id} is {settled.state.value}.")


def _abouts(words: list[str] | None, system: System) -> list[About]:
    known = [about for about in ABOUT if system.can_look_up(about)]
    unknown = [word for word in words or () if word not in known]
    if unknown:
        raise ConfigurationError(
            f"--about {unknown[0]}: {system.name} can be asked for {', '.join(known) or 'nothing'}"
        )
    return [about for about in known if not words or about in words]


async def _told(system: System, known: Known, abouts: list[About], *, deadline_s: float) -> dict[About, Found | Untold]:
    from understudy.turning import told_of

    try:
        return await told_of(system, known, abouts, deadline_s=deadline_s)
    finally:
        await system.close()


def _plain(told: Found | Untold) -> dict[str, Any]:
    if isinstance(told, Untold):
        return {"unknown": told.why, "why": WHY[told.why], "says": told.says}
    items = [{"id": one.id, "values": one.values, "link": one.link} for one in told.items]
    return {"items": items, "has_more": told.has_more, "as_of": None if told.as_of is None else told.as_of.isoformat()}


def _print(about: About, told: Found | Untold) -> None:
    if isinstance(told, Untold):
        typer.echo(f"{about}: unknown, {WHY[told.why]} ({shown(told.says)})", err=True)
        return
    typer.echo(f"{about}: {len(told.items) or 'none'}{', and more' if told.has_more else ''}")
    for one in told.items:
        values = "; ".join(f"{name} {value}" for name, value in one.values.items())
        typer.echo(f"  {shown(one.id or '–')}: {shown(values)}")
