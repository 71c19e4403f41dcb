"""`understudy channels`: check a webhook's signature by hand, send a message to try a channel, show what is shipped."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.output import (
    EXIT_FAILED,
    EXIT_INCONCLUSIVE,
    ConfigOption,
    JsonOption,
    print_json,
    read_settings,
)
from understudy.errors import ConfigurationError, MalformedInput, SignatureInvalid
from understudy.ports.channel import Channel, Events
from understudy.ports.clock import Clock
from understudy.records.conversation import Author
from understudy.records.outbox import Accepted, OutboxEntry, OutboxState, SendResult, Unknown

tree = typer.Typer(help="Look into the channels that messages come over.", no_args_is_help=True)


@tree.callback()
def channels() -> None:
    """Look into the channels that messages come over."""


@tree.command("verify")
def verify(
    provider: str = typer.Argument(
        help="a channel of the configuration, or with --secret standard-webhooks, slack, twilio, sinch-conversation, whatsapp-cloud-api, chatwoot, zendesk, intercom, hubspot-v1, hubspot-v2 or hubspot-v3"
    ),
    secret: str | None = typer.Option(
        None, help="the signing secret or token, as the provider shows it", envvar="UNDERSTUDY_WEBHOOK_SECRET"
    ),
    body_file: Path = typer.Option(
        help="the request's body, or the mail, byte by byte as it came; - for standard input"
    ),
    header: Annotated[
        list[str] | None, typer.Option(help="a header of the request, 'Name: value'; repeat for each")
    ] = None,
    url: str = typer.Option("", help="the address that was asked, with its query; Twilio and HubSpot sign it"),
    method: str = typer.Option("POST", help="the request's method"),
    now: str | None = typer.Option(
        None, help="the moment to check at, in seconds since 1970 or as 2026-11-27T12:00:00Z; default: now"
    ),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check one webhook's signature, and for a channel say what is in it; exit code 1 and the reason where it does not hold."""
    from understudy.app import system_clock
    from understudy.connections import verify_signature

    at = system_clock().now() if now is None else _moment(now)
    headers = dict(_header(line) for line in header or ())
    reason = None
    if secret is None:
        _verify_by_channel(provider, config, headers, _body(body_file), method=method, url=url, at=at, as_json=as_json)
        return
    try:
        provider = verify_signature(
            provider, secret=secret, headers=headers, body=_body(body_file), method=method, url=url, at=at
        )
    except SignatureInvalid as error:
        reason = error.message
    if as_json:
        print_json({"provider": provider, "valid": reason is None, "reason": reason})
    elif reason is None:
        typer.echo(f"valid: signed by {provider} with this secret")
    else:
        typer.echo(f"invalid: {reason}", err=True)
    if reason is not None:
        raise typer.Exit(EXIT_FAILED)


def _verify_by_channel(
    name: str,
    config: Path | None,
    headers: dict[str, str],
    body: bytes,
    *,
    method: str,
    url: str,
    at: datetime,
    as_json: bool,
) -> None:
    """The same by what the configuration says of a channel, and what the channel would take the request for."""
    from understudy.app import system_clock
    from understudy.connections import read_by_channel

    settings, _ = read_settings(config)
    if name not in settings.channels:
        names = ", ".join(sorted(settings.channels)) or "none"
        raise ConfigurationError(
            f"there is no channel {name!r}; configured: {names}; a provider's scheme needs --secret"
        )
    try:
        events = read_by_channel(
            name, settings, system_clock(), headers=headers, body=body, method=method, url=url, at=at
        )
    except (SignatureInvalid, MalformedInput) as error:
        if as_json:
            print_json({"channel": name, "valid": False, "reason": error.message})
        else:
            typer.echo(f"invalid: {error.message}", err=True)
        raise typer.Exit(EXIT_FAILED) from None
    if as_json:
        print_json({"channel": name, "valid": True, "reason": None, "holds": list(_told(events))})
    else:
        typer.echo(f"valid: {name} takes it")
        for line in _told(events):
            typer.echo(f"  {line}")


def _told(events: Events) -> Iterator[str]:
    """What a channel finds, a line each, without customers' words."""
    for message in events.messages:
        to = f", for a person ({message.needs_person})" if message.needs_person else ""
        yield f"message {message.provider_id} of conversation {message.external_id}, {len(message.text)} characters{to}"
    for report in events.reports:
        of = report.key or report.provider_id
        yield f"report on {of}: {'delivered' if report.has_arrived else f'not delivered ({report.why})'}"
    for said in events.remarks:
        yield f"{said.kind.value} of {said.author_name or said.author or 'somebody'} in {said.thread or said.conversation}"
    yield from (f"passed over: {why}" for why in events.ignored)
    yield from (f"refused: {why}" for why in events.refused)


@tree.command("send-test")
def send_test(
    channel: str = typer.Argument(help="the channel's name in the configuration"),
    to: str = typer.Option(help="the address that the message goes to, such as your own number"),
    conversation: str | None = typer.Option(
        None, help="the provider's name of the thread, where replies need one; default: the address"
    ),
    text: str = typer.Option("This is a test of Understudy. Nothing needs to be done.", help="what is sent"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send one real message over a channel, past the outbox; exit code 1 where it is refused, 2 where nobody knows."""
    import asyncio

    from understudy.app import system_clock
    from understudy.connections import build_channel

    settings, _ = read_settings(config)
    clock = system_clock()
    if channel not in settings.channels:
        names = ", ".join(sorted(settings.channels)) or "none"
        raise ConfigurationError(f"there is no channel {channel!r}; configured: {names}")
    entry = trial_entry(channel, to=to, conversation=conversation or to, text=text, clock=clock)
    found = asyncio.run(sent_and_looked_up(build_channel(channel, settings.channels[channel], clock, settings), entry))
    outcome, reason = type(found).__name__.lower(), getattr(found, "reason", None)
    provider_id = found.provider_id if isinstance(found, Accepted) else None
    if as_json:
        print_json({"outcome": outcome, "key": entry.id, "provider_id": provider_id, "reason": reason})
    elif isinstance(found, Accepted):
        typer.echo(f"accepted: {channel} took it{f' as {provider_id}' if provider_id else ''}; see that it arrives")
    else:
        typer.echo(f"{outcome}: {reason}", err=True)
    match found:
        case Accepted():
            return
        case Unknown():
            raise typer.Exit(EXIT_INCONCLUSIVE)
        case _:
            raise typer.Exit(EXIT_FAILED)


@tree.command("show")
def show(kind: str = typer.Argument(help="the kind of channel, such as twilio")) -> None:
    """Print the description of a vendor's channel that is shipped, to read or to begin one of your own with."""
    from understudy.connections import preset_of

    typer.echo(preset_of(kind), nl=False)


def trial_entry(channel: str, *, to: str, conversation: str, text: str, clock: Clock) -> OutboxEntry:
    """A message of no conversation, under a key of its own."""
    return OutboxEntry(
        id=clock.new_id("out"),
        seq=0,
        turn_id=None,
        conversation_id="",
        channel=channel,
        address=to,
        external_id=conversation,
        text=text,
        author=Author.REVIEWER,
        author_name=None,
        ai_generated=False,
        state=OutboxState.SENDING,
        attempts=1,
        due_at=None,
        last_error=None,
        created_at=clock.now(),
    )


async def sent_and_looked_up(channel: Channel, entry: OutboxEntry) -> SendResult:
    """Send, and look up what nobody knows where the channel can."""
    try:
        found = await channel.send(entry)
        if isinstance(found, Unknown) and channel.capabilities.can_look_up:
            found = await channel.look_up(entry)
        return found
    finally:
        await channel.close()


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise MalformedInput(f"--header {line[:60]!r} is no header: write 'Name: value'")
    return name, value


def _body(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"--body-file {file}: {error.strerror or error}") from error


def _moment(text: str) -> datetime:
    try:
        if text.strip().isdigit():
            return datetime.fromtimestamp(int(text), UTC)
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError, OSError) as error:
        raise MalformedInput(
            f"--now {text[:40]!r} is no moment: seconds since 1970, or 2026-11-27T12:00:00Z"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
