"""`understudy audit`: prove that the ledger is intact, and take turns or ledger entries out of the store."""

from __future__ import annotations

import asyncio
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer

from understudy.cli.output import EXIT_FAILED, ConfigOption, JsonOption, print_json, read_settings
from understudy.errors import ConfigurationError
from understudy.ports.store import Transaction
from understudy.records.ledger import GENESIS, LedgerEntry, fault_of
from understudy.records.trail import ExportAsked, Form, What
from understudy.settings.model import Settings

tree = typer.Typer(help="Prove that the ledger is intact; take turns or entries out.", no_args_is_help=True)

BATCH = 5_000


@tree.command("verify")
def verify(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Compute every entry's hash again; exit 1 and the first broken entry where one does not match."""
    from understudy.databases import open_existing_store

    settings, base = read_settings(config)
    store = open_existing_store(settings, base)
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


SinceOption = Annotated[
    str | None, typer.Option("--since", help="from this moment on, ISO 8601; without a zone it is UTC")
]
UntilOption = Annotated[str | None, typer.Option("--until", help="before this moment")]


@tree.command("export")
def export(
    what: Annotated[What, typer.Argument(help="turns with all that is kept of each, or ledger entries")],
    form: Annotated[Form, typer.Option(help="lines of JSON, or a table")] = Form.JSONL,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="file; default: standard output")] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    unmasked: Annotated[bool, typer.Option("--unmasked", help="with customers' data as it is")] = False,
    reason: Annotated[str, typer.Option(help="why it is taken out; needed with --unmasked, the ledger keeps it")] = "",
    by: Annotated[str, typer.Option("--by", help="who takes it out; the ledger keeps the name")] = "command line",
    config: ConfigOption = None,
) -> None:
    """Take turns or ledger entries out, customers' data masked; the ledger notes it. A server may run beside it."""
    if unmasked and not reason.strip():
        raise ConfigurationError("--unmasked needs --reason: the ledger keeps why customers' data was taken out")
    asked = ExportAsked(
        what=what,
        form=form,
        since=_moment("--since", since),
        until=_moment("--until", until),
        is_masked=not unmasked,
        reason=reason.strip(),
    )
    settings, base = read_settings(config)
    if out is None:
        asyncio.run(_export(settings, base, asked, by, sys.stdout))
        return
    try:
        written = out.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise ConfigurationError(f"{out} cannot be written: {error.strerror}") from error
    with closing(written):
        asyncio.run(_export(settings, base, asked, by, written))


async def _export(settings: Settings, base: Path, asked: ExportAsked, by: str, out: TextIO) -> None:
    from understudy.app import system_clock
    from understudy.auditing import audit_of
    from understudy.databases import open_existing_store

    store = open_existing_store(settings, base)
    try:
        async for piece in await audit_of(settings, store, system_clock()).export(asked, actor=by):
            out.write(piece)
        out.flush()
    finally:
        store.close_now()


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(f"{option} {text!r} is no moment; write 2026-05-02 or 2026-05-02T10:00:00Z") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
