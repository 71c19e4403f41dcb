"""`understudy migrate`: say where the database's schema stands, take steps, take them back."""

from __future__ import annotations

import dataclasses

import typer

from understudy.cli.output import ConfigOption, JsonOption, print_json, read_settings
from understudy.errors import ConfigurationError


def migrate(
    config: ConfigOption = None,
    to: str | None = typer.Option(
        None, help="pre (before the programs are replaced), post (after all were), or head (both)"
    ),
    down: int | None = typer.Option(None, min=1, help="take back so many steps; stop newer programs before"),
    as_json: JsonOption = False,
) -> None:
    """Say where the schema of the database stands; with --to or --down, change it first."""
    from understudy.databases import open_migrations

    if to is not None and down is not None:
        raise ConfigurationError("say --to or --down, not both")
    settings, base = read_settings(config)
    with open_migrations(settings, base) as migrations:
        if to is not None:
            migrations.upgrade(to)
        if down is not None:
            migrations.downgrade(down)
        state = migrations.state()
    if as_json:
        print_json(dataclasses.asdict(state))
        return
    typer.echo(f"the database is at version {state.at or 'none'}, this program knows versions up to {state.wanted}")
    if state.oldest is not None:
        typer.echo(f"programs that do not know version {state.oldest} cannot work on it")
    for step in state.pending:
        typer.echo(f"not taken: {step.name}" + ("  (once all programs are replaced)" if step.is_post else ""))
