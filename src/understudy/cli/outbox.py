"""`understudy outbox`: list messages that did not reach the customer, put them back to be sent, or drop them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console

from understudy.cli.output import ConfigOption, JsonOption, print_json, print_rows, read_settings, states_of
from understudy.cli.plain_text import shown
from understudy.errors import ConfigurationError
from understudy.records.outbox import NOT_SENT, OutboxEntry, OutboxState

tree = typer.Typer(
    help="List messages that did not reach the customer, put them back to be sent, or drop them.", no_args_is_help=True
)

COMMAND_LINE = "command line"
ERROR_CHARS_SHOWN = 120
COLUMNS = ("id", "state", "age", "tries", "channel", "turn", "next try", "hold", "last error")

ByOption = Annotated[str, typer.Option("--by", help="who decides this; the ledger keeps the name")]
ChannelOption = Annotated[str | None, typer.Option("--channel", help="only messages of this channel")]


@tree.command("list")
def list_entries(
    state: Annotated[
        list[str] | None,
        typer.Option(help=f"repeat for several: {', '.join(OutboxState)}; default: all that may still be sent"),
    ] = None,
    channel: ChannelOption = None,
    limit: int = typer.Option(100, min=1, max=10_000, help="how many to show, the oldest first"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List messages that wait, are under way, may or may not have arrived, or were given up."""
    states = states_of(OutboxState, state, usual=NOT_SENT)

    from understudy.app import system_clock
    from understudy.databases import open_dead_letters

    settings, base = read_settings(config)
    with open_dead_letters(settings, base) as letters:
        listed = asyncio.run(letters.listed(states, channel=channel, limit=limit))
    now = system_clock().now()
    if as_json:
        counts = {name.value: number for name, number in listed.counts.items()}
        print_json({"counts": counts, "entries": [_plain(one.entry, one.hold_id, now) for one in listed.letters]})
        return
    rows = []
    for one in listed.letters:
        entry = one.entry
        due_at = "" if entry.due_at is None else span_words(entry.due_at - now)
        error = shown((entry.last_error or "")[:ERROR_CHARS_SHOWN].replace("\n", " "))
        about = (entry.state.value, span_words(now - entry.created_at), str(entry.attempts), entry.channel)
        rows.append((entry.id, *about, entry.turn_id or "–", due_at, one.hold_id or "", error))
    console = Console()
    if rows:
        print_rows(console, COLUMNS, rows)
    console.print(", ".join(f"{number} {name.value}" for name, number in listed.counts.items()) + ".")


@tree.command("retry")
def retry(
    ids: Annotated[list[str] | None, typer.Argument(help="outbox entries, as `list` shows them")] = None,
    all_dead: bool = typer.Option(False, "--all-dead", help="every dead one that nobody answered since"),
    channel: ChannelOption = None,
    it_did_not_arrive: bool = typer.Option(
        False, "--it-did-not-arrive", help="you know that the unknown ones among IDS did not reach the customer"
    ),
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put messages back to be sent now, under the same id and in their old place in the conversation."""
    if bool(ids) == all_dead or (all_dead and it_did_not_arrive) or (ids and channel):
        raise ConfigurationError(
            "name outbox entries, with --it-did-not-arrive where you know it, or say --all-dead, with --channel if you like"
        )
    from understudy.databases import open_dead_letters

    settings, base = read_settings(config)
    with open_dead_letters(settings, base) as letters:
        if ids:
            retried = asyncio.run(letters.retry(ids, actor=by, did_not_arrive=it_did_not_arrive))
        else:
            retried = asyncio.run(letters.retry_dead(actor=by, channel=channel))
    if as_json:
        left = [{"id": one.entry.id, "why": one.why} for one in retried.skipped]
        print_json({"retried": [entry.id for entry in retried.again], "skipped": left})
        return
    for one in retried.skipped:
        typer.echo(f"{one.entry.id} {one.why}")
    left_words = f", {len(retried.skipped)} left as they are" if retried.skipped else ""
    then = "; a running server sends within seconds" if retried.again else ""
    typer.echo(f"{len(retried.again)} put back to be sent{left_words}{then}.")


@tree.command("drop")
def drop(
    outbox_id: Annotated[str, typer.Argument(help="a pending or dead one, as `list` shows it")],
    reason: str = typer.Option(help="why; kept with the message"),
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide that a message is not sent; where it was still waiting, a person gets the conversation."""

    from understudy.databases import open_dead_letters

    settings, base = read_settings(config)
    with open_dead_letters(settings, base) as letters:
        entry = asyncio.run(letters.drop(outbox_id, reason=reason, actor=by))
    if as_json:
        print_json({"dropped": entry.id})
    else:
        typer.echo(f"{entry.id} is dropped and will not be sent.")


def _plain(entry: OutboxEntry, hold_id: str | None, now: datetime) -> dict[str, Any]:
    """Everything about an entry but its text and the customer's address."""
    return {
        "id": entry.id,
        "state": entry.state.value,
        "channel": entry.channel,
        "turn_id": entry.turn_id,
        "conversation_id": entry.conversation_id,
        "author": entry.author.value,
        "attempts": entry.attempts,
        "last_error": entry.last_error,
        "created_at": entry.created_at.astimezone(UTC).isoformat(),
        "age_s": round((now - entry.created_at).total_seconds(), 3),
        "due_at": entry.due_at and entry.due_at.astimezone(UTC).isoformat(),
        "hold_id": hold_id,
    }


def span_words(span: timedelta) -> str:
    """A time as people say it: 40 s, 12 min, 3 h, 5 d."""
    seconds = max(0.0, span.total_seconds())
    for unit, length_s in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length_s:
            return f"{seconds / length_s:.0f} {unit}"
    return f"{seconds:.0f} s"
