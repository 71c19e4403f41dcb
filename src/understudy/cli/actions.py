"""`understudy actions`: list what agents proposed to do, show one, put one on that failed or is unknown, drop one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from understudy.cli.outbox import COMMAND_LINE, span_words
from understudy.cli.output import ConfigOption, JsonOption, print_json, print_rows, read_settings, states_of
from understudy.cli.plain_text import shown
from understudy.errors import ConfigurationError
from understudy.records.acting import UNSETTLED, ActionEntry, ActionState
from understudy.records.action_rules import MICRO, limits_shown
from understudy.records.action_rules import shown as amount_shown

tree = typer.Typer(
    help="List actions that agents proposed, show one, put one on that failed or is unknown, or drop one.",
    no_args_is_help=True,
)

ERROR_CHARS_SHOWN = 120
COLUMNS = ("id", "action", "state", "age", "tries", "turn", "last error")

ByOption = Annotated[str, typer.Option("--by", help="who decides this; the ledger keeps the name")]
IdArgument = Annotated[str, typer.Argument(help="an action, as `list` shows it")]


@tree.command("list")
def list_actions(
    state: Annotated[
        list[str] | None,
        typer.Option(help=f"repeat for several: {', '.join(ActionState)}; default: all that are not settled"),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="only actions of this name")] = None,
    limit: int = typer.Option(100, min=1, max=10_000, help="how many to show, the oldest first"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List actions that wait for a verdict, are to be carried out, are unknown, or failed."""
    states = states_of(ActionState, state, usual=UNSETTLED)

    from understudy.app import system_clock
    from understudy.databases import open_actions

    settings, base = read_settings(config)
    with open_actions(settings, base) as desk:
        listed = asyncio.run(desk.listed(states, name=name, limit=limit))
    now = system_clock().now()
    if as_json:
        counts = {one.value: number for one, number in listed.counts.items()}
        print_json({"counts": counts, "actions": [_plain(entry, now) for entry in listed.entries]})
        return
    rows = []
    for entry in listed.entries:
        error = shown((entry.last_error or "")[:ERROR_CHARS_SHOWN].replace("\n", " "))
        age = span_words(now - entry.created_at)
        rows.append((entry.id, entry.name, entry.state.value, age, str(entry.tries), entry.turn_id, error))
    console = Console()
    if rows:
        print_rows(console, COLUMNS, rows)
    console.print(", ".join(f"{number} {one.value}" for one, number in listed.counts.items()) + ".")


@tree.command("show")
def show(action_id: IdArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show an action with what it was given, its limits, and what came of it."""
    from understudy.app import system_clock
    from understudy.databases import open_actions

    settings, base = read_settings(config)
    with open_actions(settings, base) as desk:
        found = asyncio.run(desk.show(action_id))
    entry, rule = found.entry, found.rule
    limits = () if rule is None else limits_shown(rule)
    if as_json:
        more = {"arguments": entry.table, "answer": entry.answer, "limits": list(limits), "hold_id": found.hold_id}
        print_json(_plain(entry, system_clock().now()) | more)
        return
    console = Console()
    amount = "" if entry.amount is None else amount_shown(entry.amount, "" if rule is None else rule.unit)
    about = {
        "action": entry.name,
        "state": entry.state.value,
        "amount": amount,
        "arguments": entry.arguments,
        "limits": "; ".join(limits),
        "reversible": "" if rule is None else rule.reversibility.value,
        "approved by": entry.approved_by or "",
        "tries": str(entry.tries),
        "answer": entry.answer or "",
        "last error": entry.last_error or "",
        "turn": entry.turn_id,
        "hold": found.hold_id or "",
    }
    print_rows(console, (entry.id, ""), [(name, shown(value)) for name, value in about.items() if value])


@tree.command("retry")
def retry(
    action_id: IdArgument,
    it_was_not_done: bool = typer.Option(False, "--it-was-not-done", help="you know that an unknown one was not done"),
    it_was_done: bool = typer.Option(
        False, "--it-was-done", help="you know that an unknown one was done: nothing is called, and its reply leaves"
    ),
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have an action carried out that failed, or settle an unknown one, under the same id and so the same key."""
    if it_was_done and it_was_not_done:
        raise ConfigurationError("say --it-was-done or --it-was-not-done, not both")
    from understudy.databases import open_actions

    settings, base = read_settings(config)
    with open_actions(settings, base) as desk:
        if it_was_done:
            entry = asyncio.run(desk.settle(action_id, actor=by))
        else:
            entry = asyncio.run(desk.retry(action_id, actor=by, it_was_not_done=it_was_not_done))
    if as_json:
        print_json({"id": entry.id, "state": entry.state.value})
    elif it_was_done:
        typer.echo(f"{entry.id} counts as done.")
    else:
        typer.echo(f"{entry.id} is to be carried out; a running server does it within seconds.")


@tree.command("drop")
def drop(
    action_id: IdArgument,
    reason: str = typer.Option(help="why; kept with the action"),
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide that an action is not carried out; where its reply waited for it, a person gets the conversation."""
    from understudy.databases import open_actions

    settings, base = read_settings(config)
    with open_actions(settings, base) as desk:
        entry = asyncio.run(desk.drop(action_id, reason=reason, actor=by))
    if as_json:
        print_json({"dropped": entry.id})
    else:
        typer.echo(f"{entry.id} is dropped and will not be carried out.")


def _plain(entry: ActionEntry, now: datetime) -> dict[str, Any]:
    """Everything about an action but what it was given."""
    return {
        "id": entry.id,
        "name": entry.name,
        "state": entry.state.value,
        "amount": None if entry.amount is None else entry.amount / MICRO,
        "turn_id": entry.turn_id,
        "conversation_id": entry.conversation_id,
        "approved_by": entry.approved_by,
        "tries": entry.tries,
        "is_unsure": entry.is_unsure,
        "last_error": entry.last_error,
        "created_at": entry.created_at.astimezone(UTC).isoformat(),
        "age_s": round((now - entry.created_at).total_seconds(), 3),
        "due_at": entry.due_at and entry.due_at.astimezone(UTC).isoformat(),
    }
