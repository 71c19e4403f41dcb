"""`understudy users`: add, list and change the people who sign in to the console; a made-up password is shown once."""

from __future__ import annotations

import sys
from datetime import UTC
from typing import Annotated

import typer

from understudy.cli.output import ConfigOption, JsonOption, print_json, read_settings
from understudy.records.access import Role, User

tree = typer.Typer(help="Add, list and change the people who sign in to the console.", no_args_is_help=True)

AskOption = Annotated[
    bool, typer.Option("--ask", help="ask for the password, or read it from standard input; default: one is made up")
]


@tree.command("add")
def add(
    name: str = typer.Argument(help="what they sign in with; their verdicts carry it"),
    role: Role = typer.Option(Role.REVIEWER, help="what they may do"),
    ask: AskOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add somebody and show their password, this once."""
    from understudy.app import system_clock
    from understudy.databases import open_store
    from understudy.web.users import add_user, make_user

    password, shown = _password(ask=ask)
    user = make_user(name, role, password, now=system_clock().now())
    settings, base = read_settings(config)
    store = open_store(settings, base)
    try:
        store.write_now(lambda tx: add_user(tx, user, actor="command line"))
    finally:
        store.close_now()
    if as_json:
        print_json({"name": user.name, "role": user.role.value, "password": shown})
    else:
        _say(user, shown)


@tree.command("list")
def list_users(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List everybody who signs in."""
    from rich.console import Console
    from rich.table import Table

    from understudy.databases import open_store

    settings, base = read_settings(config)
    store = open_store(settings, base)
    try:
        users = store.read_now(lambda tx: tx.users.all())
    finally:
        store.close_now()
    if as_json:
        print_json([_as_json(user) for user in users])
        return
    table = Table("name", "role", "added", "may sign in", "by")
    for user in users:
        added = f"{user.created_at.astimezone(UTC):%Y-%m-%d %H:%M}"
        table.add_row(user.name, user.role.value, added, "no" if user.disabled_at else "yes", _way(user))
    Console().print(table, markup=False)


@tree.command("change")
def change(
    name: str = typer.Argument(help="who"),
    role: Annotated[Role | None, typer.Option(help="give them another role")] = None,
    password: Annotated[bool, typer.Option("--password", help="give them a new password")] = False,
    ask: AskOption = False,
    disable: Annotated[
        bool | None, typer.Option("--disable/--enable", help="shut them out at once, or let them sign in again")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change what somebody may do, or their password; whatever is changed signs them out everywhere."""
    from understudy.app import system_clock
    from understudy.databases import open_store
    from understudy.web.passwords import hash_password
    from understudy.web.users import change_user

    text, shown = _password(ask=ask) if password or ask else (None, None)
    new_hash = None if text is None else hash_password(text)
    settings, base = read_settings(config)
    store = open_store(settings, base)
    try:
        user = store.write_now(
            lambda tx: change_user(
                tx,
                name,
                now=system_clock().now(),
                actor="command line",
                role=role,
                password_hash=new_hash,
                is_disabled=disable,
            )
        )
    finally:
        store.close_now()
    if as_json:
        print_json({**_as_json(user), "password": shown})
    else:
        _say(user, shown)


def _password(*, ask: bool) -> tuple[str, str | None]:
    """The password, and what of it is shown: one that somebody typed is not."""
    if not ask:
        from understudy.web.passwords import make_password

        made = make_password()
        return made, made
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n"), None
    typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return typed, None


def _way(user: User) -> str:
    return "password" if user.subject is None else user.subject.partition(" ")[0]


def _as_json(user: User) -> dict[str, object]:
    return {
        "name": user.name,
        "role": user.role.value,
        "created_at": user.created_at.isoformat(),
        "disabled_at": user.disabled_at and user.disabled_at.isoformat(),
        "subject": user.subject,
    }


def _say(user: User, password: str | None) -> None:
    state = ", shut out" if user.disabled_at else ""
    typer.echo(f"{user.name}: {user.role.value}{state}.")
    if password is not None:
        typer.echo(f"\n  {password}\n\nThis is the only time the password is shown.")
