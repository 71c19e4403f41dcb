"""`understudy autonomy`: how far each slice is, the stop button, and what a lead confirms."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from understudy.cli import reviewers, seeds
from understudy.cli.output import EXIT_FAILED, ConfigOption, JsonOption, print_json, print_rows, read_settings
from understudy.cli.plain_text import shown, visible
from understudy.errors import ConfigurationError
from understudy.records.autonomy import EVERY, Epoch, Slice
from understudy.records.standing import SliceStatus, Standing

if TYPE_CHECKING:
    from understudy.databases import EarnedAutonomy

tree = typer.Typer(
    help="Show how far each topic and channel is, stop and resume automatic replies, confirm promotions.",
    no_args_is_help=True,
)

tree.command("reviewers")(reviewers.reviewers)
tree.add_typer(seeds.tree, name="seeds", no_args_is_help=True)

T = TypeVar("T")
NAMES_SHOWN = 20
"""Topics and channels that a warning lists."""
COMMAND_LINE = "command line"
COLUMNS = (
    "topic×channel",
    "version",
    "level",
    "labels",
    "bad",
    "evidence",
    "from",
    "covers",
    "audits",
    "alarm",
    "next",
)

TopicOption = Annotated[str, typer.Option("--topic", help="topic; default: every one")]
ChannelOption = Annotated[str, typer.Option("--channel", help="channel; default: every one")]
ReleaseOption = Annotated[str | None, typer.Option("--release", help="agent version; default: every one")]
ByOption = Annotated[str, typer.Option("--by", help="who decides this; the ledger keeps the name")]


@tree.command("status")
def status(
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show level, evidence, threshold, audits and detector of each topic, channel and agent version."""
    found = _on_the_store(config, lambda autonomy: autonomy.status.standing())
    if as_json:
        print_json(_plain(asdict(found)))
        return
    _show(found)


@tree.command("hold")
def hold(
    topic: TopicOption = EVERY,
    channel: ChannelOption = EVERY,
    why: str = typer.Option("", "--why", help="kept in the ledger and shown in `status`"),
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let nothing leave by itself, here or (without options) anywhere, from now on until `resume`."""
    of = _slice(topic, channel)

    async def order(autonomy: EarnedAutonomy) -> Standing:
        await autonomy.orders.stop(of, by=by, why=why)
        return await autonomy.status.standing()

    unseen = _unseen(of, _on_the_store(config, order))
    words = f"{_named(topic, channel)} is on hold: people review every draft.{unseen}"
    _say(as_json, {"on_hold": [topic, channel]}, words)


@tree.command("resume")
def resume(
    topic: TopicOption = EVERY,
    channel: ChannelOption = EVERY,
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a `hold` of exactly this topic and channel back."""
    of = _slice(topic, channel)
    _on_the_store(config, lambda autonomy: autonomy.orders.resume(of, by=by))
    _say(as_json, {"resumed": [topic, channel]}, f"{_named(topic, channel)} goes on as it stood.")


@tree.command("confirm")
def confirm(
    topic: TopicOption = EVERY,
    channel: ChannelOption = EVERY,
    release: ReleaseOption = None,
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Grant the promotions that are proposed here."""
    of = _slice(topic, channel, release)
    granted = _on_the_store(config, lambda autonomy: autonomy.orders.confirm(of, by=by))
    facts = [
        {"topic": e.topic, "channel": e.channel, "release": e.release, "level": e.earned, "threshold": e.threshold}
        for e in granted
    ]
    lines = [
        f"{e.topic}×{e.channel} ({e.release}) is at {e.earned} from confidence {e.threshold:.3f}." for e in granted
    ]
    _say(as_json, {"promoted": _plain(facts)}, "\n".join(lines))


@tree.command("decline")
def decline(
    topic: TopicOption = EVERY,
    channel: ChannelOption = EVERY,
    release: ReleaseOption = None,
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Turn the promotions that are proposed here down."""
    of = _slice(topic, channel, release)
    turned = _on_the_store(config, lambda autonomy: autonomy.orders.decline(of, by=by))
    _say_which(as_json, turned, key="declined", words="Declined")


@tree.command("restart")
def restart(
    topic: Annotated[str, typer.Option("--topic", help="topic, or * for every one")],
    channel: ChannelOption = EVERY,
    release: ReleaseOption = None,
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Begin anew, in assist and from no evidence."""
    of = _slice(topic, channel, release)
    begun = _on_the_store(config, lambda autonomy: autonomy.orders.restart(of, by=by))
    _say_which(as_json, begun, key="restarted", words="Begun anew")


@tree.command("verify")
def verify(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Rebuild every certificate from the ledger; exit 1 where one is not what is in force."""
    rebuilt, faults = _on_the_store(config, lambda autonomy: autonomy.status.verify())
    if as_json:
        print_json({"epochs": rebuilt, "faults": faults})
    elif faults:
        typer.echo("\n".join(faults))
    else:
        typer.echo(f"{rebuilt} epochs rebuilt from the ledger; each is exactly what is in force.")
    if faults:
        raise typer.Exit(EXIT_FAILED)


def _on_the_store(config: Any, ask: Callable[[EarnedAutonomy], Coroutine[Any, Any, T]]) -> T:
    from understudy.databases import open_autonomy

    settings, base = read_settings(config)
    with open_autonomy(settings, base) as autonomy:
        return asyncio.run(ask(autonomy))


def _slice(topic: str, channel: str, release: str | None = None) -> Slice:
    if not topic or not channel:
        raise ConfigurationError("--topic and --channel need a name, or * for every one")
    return Slice(topic=topic, channel=channel, release=release)


def _named(topic: str, channel: str) -> str:
    return "Everything" if (topic, channel) == (EVERY, EVERY) else f"{topic}×{channel}"


def _unseen(of: Slice, found: Standing) -> str:
    """A warning where a hold is about nothing that drafts have come for: it may be meant, or a name mistyped."""
    names = sorted({(one.topic, one.channel) for one in found.slices})
    if any(of.topic in (EVERY, topic) and of.channel in (EVERY, channel) for topic, channel in names) or not names:
        return ""
    there = ", ".join(visible(_named(*name)) for name in names[:NAMES_SHOWN]) + (", …" if names[NAMES_SHOWN:] else "")
    return f"\nNo draft of {_named(of.topic, of.channel)} has come yet, so it stops nothing now; there are {there}."


def _say(as_json: bool, facts: dict[str, Any], words: str) -> None:
    if as_json:
        print_json(facts)
    else:
        typer.echo(words)


def _say_which(as_json: bool, epochs: Sequence[Epoch], *, key: str, words: str) -> None:
    """Say what an order did to which slices and releases."""
    names = [f"{one.topic}×{one.channel} ({one.release})" for one in epochs]
    _say(as_json, {key: names}, f"{words}: {', '.join(names)}.")


def _show(found: Standing) -> None:
    console = Console()
    for stop in found.stops:
        why = f" ({shown(stop.why)})" if stop.why else ""
        where = _named(stop.topic, stop.channel)
        console.print(f"ON HOLD since {stop.at:%d %b %H:%M} UTC: {where}, by {shown(stop.by)}{why}", style="bold red")
    if not found.slices:
        console.print("No draft has been judged yet. Slices appear here with their first draft that could have left.")
        return
    print_rows(console, COLUMNS, [_row(one) for one in found.slices])
    seen = found.attention
    how = f"{seen.caught} of {seen.planted} planted ones were caught" if seen.is_measured else "assumed"
    console.print(
        f"Reviewers notice at least {seen.share:.0%} of bad drafts ({how}): a certificate takes {seen.labels} clean labels"
        f" and more; with reviewers who notice everything it would be {seen.labels_at_best}."
    )


def _row(one: SliceStatus) -> tuple[str | Text, ...]:
    return (
        shown(f"{one.topic}×{one.channel}"),
        shown(one.release),
        f"{one.level.value}{' (held)' if one.on_hold else ''}",
        f"{one.labels} of {one.drafts}",
        f"{one.loss_sum:g}",
        f"{one.evidence} of 100",
        "–" if one.threshold is None else f"{one.threshold:.3f}",
        "–" if one.coverage is None else f"{one.coverage:.0%}",
        f"{one.audited} of {one.delivered}{f', {one.audits_owed} owed' if one.audits_owed else ''}",
        f"{one.alarm} of 100",
        _next(one),
    )


def _next(one: SliceStatus) -> str:
    waits = f"{one.awaiting} await a verdict, the oldest holds up the rest" if one.awaiting else ""
    return "; ".join(filter(None, (_missing(one), waits)))


def _missing(one: SliceStatus) -> str:
    if one.proposal is not None:
        return f"confirm {one.proposal.level.value} from {one.proposal.threshold:.3f}?"
    if one.thresholds_wait_for:
        return f"{one.thresholds_wait_for} more drafts place the thresholds"
    if one.burst_left:
        return f"the next {one.burst_left} replies are all audited"
    if one.evidence < 100 and one.given_by == "configuration":
        return f"at least {one.labels_min} labels in all"
    return ""


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value
