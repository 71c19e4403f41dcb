"""`understudy keys`: make, list and revoke API keys; a key's secret is shown once and stored nowhere."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from understudy.cli.output import ConfigOption, JsonOption, print_json, read_settings
from understudy.errors import ConfigurationError
from understudy.records.access import Scope
from understudy.web.keys import add_key, make_key, revoke_key

tree = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)

NAME_CHARS_MAX = 200
REVIEWER = (Scope.HOLDS_READ, Scope.HOLDS_WRITE, Scope.TURNS_READ)


@tree.command("create")
def create(
    name: str = typer.Argument(help="the person or service the key speaks for; reviewers' verdicts carry it"),
    scope: Annotated[
        list[str] | None, typer.Option(help=f"repeat for several: {', '.join(Scope)}; default: what a reviewer needs")
    ] = None,
    days: int | None = typer.Option(None, min=1, max=36_500, help="how long it is valid; default: until revoked"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key and show it, this once."""
    from understudy.app import system_clock
    from understudy.databases import open_store

    if not 0 < len(name.strip()) <= NAME_CHARS_MAX:
        raise ConfigurationError(f"NAME must have 1 to {NAME_CHARS_MAX} characters, got {name[:40]!r}")
    now = system_clock().now()
    key, text = make_key(name, _scopes(scope), now=now, expires_at=None if days is None else now + timedelta(days=days))
    settings, base = read_settings(config)
    store = open_store(settings, base)
    try:
        store.write_now(lambda tx: add_key(tx, key, actor="command line"))
    finally:
        store.close_now()
    if as_json:
        print_json({"id": key.id, "name": name, "key": text, "scopes": [scope.value for scope in key.scopes]})
    else:
        typer.echo(f"{text}\n\nThis is the only time the key of {name} is shown. Scopes: {', '.join(key.scopes)}.")


@tree.command("list")
def list_keys(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List all keys, without their secrets."""
    from understudy.databases import open_store

    settings, base = read_settings(config)
    store = open_store(settings, base)
    try:
        keys = store.read_now(lambda tx: tx.keys.all())
    finally:
        store.close_now()
    if as_json:
        print_json(
            [
                {
                    "id": key.id,
                    "name": key.name,
                    "scopes": [scope.value for scope in key.scopes],
                    "created_at": key.created_at.isoformat(),
                    "expires_at": key.expires_at and key.expires_at.isoformat(),
                    "revoked_at": key.revoked_at and key.revoked_at.isoformat(),
                }
                for key in keys
            ]
        )
        return
    table = Table("id", "name", "scopes", "created", "valid")
    for key in keys:
        valid = "revoked" if key.revoked_at else f"until {key.expires_at:%Y-%m-%d}" if key.expires_at else "yes"
        created = f"{key.created_at.astimezone(UTC):%Y-%m-%d %H:%M}"
        table.add_row(key.id, key.name, " ".join(key.scopes), created, valid)
    Console().print(table)


@tree.command("revoke")
def revoke(
    key_id: str = typer.Argument(help="the key's id, the twelve digits after us_"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key void from now on."""
    from understudy.app import system_clock
    from understudy.databases import open_store

    settings, base = read_settings(config)
    store = open_store(settings, base)
    try:
        store.write_now(lambda tx: revoke_key(tx, key_id, now=system_clock().now(), actor="command line"))
    finally:
        store.close_now()
    if as_json:
        print_json({"revoked": key_id})
    else:
        typer.echo(f"Key {key_id} is void.")


def _scopes(words: list[str] | None) -> tuple[Scope, ...]:
    try:
        return tuple(Scope(word) for word in words) if words else REVIEWER
    except ValueError as error:
        known = ", ".join(scope.value for scope in Scope)
        raise ConfigurationError(f"--scope: {error}; known: {known}") from error
