"""`understudy channels`: check a webhook's signature by hand, as the channel would; it opens no connection."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.output import EXIT_FAILED, JsonOption, print_json
from understudy.errors import ConfigurationError, MalformedInput, SignatureInvalid

tree = typer.Typer(help="Look into the channels that messages come over.", no_args_is_help=True)


@tree.callback()
def channels() -> None:
    """Look into the channels that messages come over."""


@tree.command("verify")
def verify(
    provider: str = typer.Argument(
        help="standard-webhooks, slack, twilio, sinch-conversation, whatsapp-cloud-api, chatwoot, zendesk, intercom, hubspot-v1, hubspot-v2 or hubspot-v3"
    ),
    secret: str = typer.Option(
        help="the signing secret or token, as the provider shows it", envvar="UNDERSTUDY_WEBHOOK_SECRET"
    ),
    body_file: Path = typer.Option(help="the request's body, byte by byte as it came; - for standard input"),
    header: Annotated[
        list[str] | None, typer.Option(help="a header of the request, 'Name: value'; repeat for each")
    ] = None,
    url: str = typer.Option("", help="the address that was asked, with its query; Twilio and HubSpot sign it"),
    method: str = typer.Option("POST", help="the request's method"),
    now: str | None = typer.Option(
        None, help="the moment to check at, in seconds since 1970 or as 2026-11-27T12:00:00Z; default: now"
    ),
    as_json: JsonOption = False,
) -> None:
    """Check one webhook's signature; exit code 1 and the reason where it does not hold."""
    from understudy.app import system_clock
    from understudy.connections import verify_signature

    at = system_clock().now() if now is None else _moment(now)
    headers = dict(_header(line) for line in header or ())
    reason = None
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
