"""`understudy teams`: who takes hand-offs, who is here, what waits; give one to somebody, and say who is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from understudy.cli.output import ConfigOption, JsonOption, print_json, print_rows, read_settings
from understudy.cli.plain_text import shown
from understudy.records.staffing import Assignment, PersonNow, TeamNow

tree = typer.Typer(help="See who takes hand-offs, who is here and what waits.", no_args_is_help=True)

T = TypeVar("T")
COMMAND_LINE = "command line"

ByOption = Annotated[str, typer.Option("--by", help="who says so; the ledger keeps the name")]
PersonArgument = Annotated[str, typer.Argument(help="a reviewer's name")]
HoursOption = Annotated[float | None, typer.Option(min=0.01, max=168, help="for so many hours")]


@tree.callback()
def teams() -> None:
    """See who takes hand-offs, who is here and what waits."""


@tree.command("list")
def list_teams(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List teams with their people: who is here, how many hand-offs each has, how many wait."""
    found: list[TeamNow] = _asked(config, lambda desk: desk.teams())
    if as_json:
        print_json({"teams": [_plain_team(one) for one in found]})
        return
    if not found:
        typer.echo("No team is configured; hand-offs wait for whoever comes first. See [teams.NAME].")
        return
    rows = [
        (
            one.team.name if place == 0 else "",
            _hours(one) if place == 0 else "",
            str(one.waiting) if place == 0 else "",
            shown(person.name),
            _state(person),
            f"{person.open_hand_offs} of {one.team.capacity}",
        )
        for one in found
        for place, person in enumerate(one.people)
    ]
    print_rows(Console(), ("team", "hours", "waiting", "person", "", "has"), rows)


@tree.command("waiting")
def waiting(
    limit: int = typer.Option(100, min=1, max=1_000, help="how many to show, the most urgent first"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List who waits for a person: since when, until when an answer was promised, whose it is and why."""
    now, found = _asked(config, lambda desk: _waiting(desk, limit))
    if as_json:
        print_json({"waiting": [_plain_wait(one) for one in found]})
        return
    if not found:
        typer.echo("Nobody waits for a person.")
        return
    rows = [
        (
            one.hold_id,
            str(one.priority),
            _span((now - one.waits_since).total_seconds()),
            _left(one, now),
            one.team or "any",
            shown(one.person or "nobody"),
            shown(one.words),
        )
        for one in found
    ]
    print_rows(Console(), ("hold", "priority", "waits", "answer", "team", "person", "why"), rows)


@tree.command("assign")
def assign(
    hold: Annotated[str, typer.Argument(help="the hand-off's hold, as `waiting` shows it")],
    to: Annotated[str | None, typer.Option(help="a member of a team; without it, it is given by rule again")] = None,
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a hand-off to somebody, or take it from whose it is."""
    assigned: Assignment = _asked(config, lambda desk: desk.assign(hold, to, by=by))
    if as_json:
        print_json(_plain_wait(assigned))
    else:
        typer.echo(f"{assigned.hold_id} is {assigned.person or 'nobody'}'s.")


@tree.command("away")
def away(
    person: PersonArgument,
    hours: HoursOption = None,
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that somebody is away: they are given nothing, and what they have goes to others."""
    _say(person, config, is_away=True, hours=hours, by=by, as_json=as_json)


@tree.command("here")
def here(
    person: PersonArgument,
    hours: HoursOption = None,
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that somebody is not away any more; with --hours they are there without a console."""
    _say(person, config, is_away=False, hours=hours, by=by, as_json=as_json)


async def _waiting(desk: Any, limit: int) -> tuple[datetime, list[Assignment]]:
    return desk.now, await desk.waiting(limit=limit)


def _say(person: str, config: Any, *, is_away: bool, hours: float | None, by: str, as_json: bool) -> None:
    for_s = None if hours is None else hours * 3_600
    said: PersonNow = _asked(config, lambda desk: desk.say(person, is_away=is_away, for_s=for_s, by=by))
    if as_json:
        print_json(_plain_person(said))
    else:
        typer.echo(f"{said.name} is {_state(said)}.")


def _asked(config: Any, ask: Callable[[Any], Awaitable[T]]) -> T:
    from understudy.databases import open_staffing

    settings, base = read_settings(config)

    async def asked() -> T:
        return await ask(desk)

    with open_staffing(settings, base) as desk:
        return asyncio.run(asked())


def _state(person: PersonNow) -> str:
    until = "" if person.until is None else f" until {person.until:%Y-%m-%d %H:%M} UTC"
    if person.is_away:
        return f"away{until}"
    return f"here{until}" if person.is_here else "not here"


def _hours(one: TeamNow) -> str:
    if one.is_open:
        return "open"
    return "closed" if one.opens_at is None else f"comes {one.opens_at:%Y-%m-%d %H:%M}"


def _left(wait: Assignment, now: datetime) -> str:
    if wait.due_at is None:
        return ""
    left_s = (wait.due_at - now).total_seconds()
    return f"in {_span(left_s)}" if left_s >= 0 else f"{_span(-left_s)} late"


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def _plain_person(person: PersonNow) -> dict[str, Any]:
    return {
        "name": person.name,
        "is_here": person.is_here,
        "is_away": person.is_away,
        "open_hand_offs": person.open_hand_offs,
        "seen_at": _at(person.seen_at),
        "until": _at(person.until),
    }


def _plain_team(one: TeamNow) -> dict[str, Any]:
    return {
        "name": one.team.name,
        "is_open": one.is_open,
        "opens_at": _at(one.opens_at),
        "capacity": one.team.capacity,
        "waiting": one.waiting,
        "oldest_at": _at(one.oldest_at),
        "people": [_plain_person(person) for person in one.people],
    }


def _plain_wait(wait: Assignment) -> dict[str, Any]:
    return {
        "hold_id": wait.hold_id,
        "conversation_id": wait.conversation_id,
        "priority": wait.priority,
        "waits_since": _at(wait.waits_since),
        "due_at": _at(wait.due_at),
        "team": wait.team,
        "person": wait.person,
        "why": wait.why.value,
        "words": wait.words,
        "is_taken": wait.is_taken,
        "is_broken": wait.is_broken,
    }


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
