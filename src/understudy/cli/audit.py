"""`understudy audit`: prove that the ledger is intact."""

from __future__ import annotations

import typer

from understudy.cli.output import EXIT_FAILED, ConfigOption, JsonOption, print_json, read_settings
from understudy.ports.store import Transaction
from understudy.records.ledger import GENESIS, LedgerEntry, fault_of

tree = typer.Typer(help="Prove that the ledger is intact.", no_args_is_help=True)

BATCH = 5_000


@tree.callback()
def options() -> None:
    """Take no options; keeps `verify` a command of its own."""


@tree.command("verify")
def verify(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Compute every entry's hash again; exit 1 and the first broken entry where one does not match."""
    from understudy.databases import open_store

    settings, base = read_settings(config)
    store = open_store(settings, base)
    broken: str | None = None
    previous, count = GENESIS, 0

    def following(tx: Transaction) -> list[LedgerEntry]:
        return tx.ledger.entries(after=count, limit=BATCH)

    try:
        while broken is None and (entries := store.read_now(following)):
            for entry in entries:
                broken = fault_of(entry, seq=count + 1, previous=previous)
                if broken is not None:
                    break
                previous, count = entry.hash, entry.seq
    finally:
        store.close_now()
    if as_json:
        print_json({"intact": broken is None, "entries": count, "head": previous, "fault": broken})
    elif broken is None:
        typer.echo(f"The ledger is intact: {count} entries, head {previous}.")
    else:
        typer.echo(f"The ledger is broken: {broken}. The {count} entries before are intact.")
    if broken is not None:
        raise typer.Exit(EXIT_FAILED)
