"""`understudy migrate-store`: copy a whole store into another database; the servers are stopped meanwhile."""

from __future__ import annotations

import sys

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from understudy.cli.output import JsonOption, print_json


def migrate_store(
    source: str = typer.Option(..., "--from", help="the store to copy: sqlite:///FILE or postgresql://USER@HOST/NAME"),
    target: str = typer.Option(..., "--to", help="an empty database of the other or the same kind"),
    as_json: JsonOption = False,
) -> None:
    """Copy everything into another, empty database, and compare it; all or nothing, the source is left as it is."""
    from understudy.databases import copy_store

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("copying", total=None)
        copied = copy_store(
            source,
            target,
            told=lambda what, done, rows: progress.update(task, description=what, completed=done, total=rows),
        )
    rows = sum(copied.rows.values())
    if as_json:
        ledger = {"entries": copied.ledger_entries, "head": copied.ledger_head}
        print_json({"rows": rows, "tables": dict(copied.rows), "ledger": ledger})
        return
    filled = sum(1 for number in copied.rows.values() if number)
    typer.echo(f"Copied {rows} rows of {filled} tables, and compared each with the source.")
    typer.echo(f"The ledger is intact: {copied.ledger_entries} entries, head {copied.ledger_head}.")
    typer.echo("Now let store.url name the new database, and put the old one where no server finds it.")
