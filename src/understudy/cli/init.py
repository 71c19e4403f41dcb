"""`understudy init`: write a commented `understudy.toml`, a folder for documents, the first API key and the first user."""

from __future__ import annotations

import getpass
from importlib.resources import files
from pathlib import Path

import typer

from understudy.cli.output import JsonOption, print_json, read_settings
from understudy.errors import ConfigurationError
from understudy.records.access import Role, Scope
from understudy.settings.load import FILE_NAME

EXAMPLE_DOCUMENT = """---
title: Opening hours
topic: stores
---
Our shop is open from Monday to Saturday, 9:00 to 18:00. We are closed on Sundays and public holidays.
"""


def init(
    folder: Path = typer.Argument(Path(), help="where to write; default: here"),
    as_json: JsonOption = False,
) -> None:
    """Write a commented understudy.toml that works at once, and make the first API key and the first user."""
    from understudy.app import system_clock
    from understudy.databases import open_store
    from understudy.web.keys import add_key, make_key
    from understudy.web.passwords import make_password
    from understudy.web.users import add_user, make_user

    config, knowledge = folder / FILE_NAME, folder / "knowledge"
    if config.exists():
        raise ConfigurationError(f"{config} exists already; remove it first, or edit it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        knowledge.mkdir(exist_ok=True)
        if not any(knowledge.iterdir()):
            (knowledge / "opening-hours.md").write_text(EXAMPLE_DOCUMENT, encoding="utf-8")
        template = files("understudy.settings").joinpath("template.toml").read_text(encoding="utf-8")
        config.write_text(template, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written: {error.strerror}") from error
    settings, base = read_settings(config)
    now, password = system_clock().now(), make_password()
    key, text = make_key(_own_name(), tuple(Scope), now=now)
    admin = make_user(key.name, Role.ADMIN, password, now=now)
    store = open_store(settings, base)
    try:
        store.write_now(lambda tx: add_key(tx, key, actor="command line"))
        store.write_now(lambda tx: add_user(tx, admin, actor="command line"))
    finally:
        store.close_now()
    if as_json:
        made = {"key": text, "name": key.name, "password": password}
        print_json({"config": str(config), "knowledge": str(knowledge), **made})
        return
    typer.echo(f"Wrote {config} and {knowledge}/ (put your documents there).")
    typer.echo(f"\nThe first API key, for {key.name}, with every scope; it is shown this once:\n\n  {text}\n")
    typer.echo(
        f"The first user of the console, an admin; the password, too, is shown this once:\n\n  {admin.name}\n  {password}\n"
    )
    here = "" if folder == Path() else f"cd {folder}\n       "
    typer.echo(f"Next:  {here}understudy doctor    says what is missing")
    typer.echo("       understudy serve     web chat at http://127.0.0.1:8080/chat, console at /console/")
    typer.echo("       UNDERSTUDY_API_KEY=… understudy review     with the key above, in another terminal")


def _own_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container may run under a number that has no name
        return "owner"
