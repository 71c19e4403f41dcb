"""What one request or mail, caught by hand, would be taken for: whether its signature holds, and what is in it. Nothing is stored."""

from __future__ import annotations

from datetime import datetime

from understudy.connections import build_channel
from understudy.errors import ConfigurationError
from understudy.ports.channel import Events, Fetched, InboundRequest, KeepsNotes, TakesEvents
from understudy.ports.clock import Clock
from understudy.settings.model import Settings


def verify_signature(
    provider: str, *, secret: str, headers: dict[str, str], body: bytes, method: str, url: str, at: datetime
) -> str:
    """Check one webhook's signature by the scheme of a provider, and return the scheme's name.

    Raises `SignatureInvalid` saying why it does not hold, `ConfigurationError` where the provider or the secret is none.
    """
    from understudy.adapters.channels.schemes import scheme_of
    from understudy.adapters.channels.signing import Signed

    scheme = scheme_of(provider)
    named = {name.strip().lower(): value.strip() for name, value in headers.items()}
    scheme.verify(Signed(headers=named, body=body, method=method, url=url), secrets=[secret], at=at)
    return scheme.name


def read_by_channel(
    name: str,
    settings: Settings,
    clock: Clock,
    *,
    headers: dict[str, str],
    body: bytes,
    method: str,
    url: str,
    at: datetime,
) -> Events:
    """What a channel of the configuration would take one request, or one mail, for; nothing is stored.

    Raises `SignatureInvalid` or `MalformedInput` as the channel would, `ConfigurationError` where it reads none.
    """
    built = build_channel(name, settings.channels[name], clock, settings)
    if hasattr(built, "read_sample"):
        events: Events = built.read_sample(body)
        return events
    where = url or f"{settings.server.public_url or 'http://localhost'}/webhooks/{name}"
    named = {header.strip().lower(): value.strip() for header, value in headers.items()}
    request = InboundRequest(method=method, url=where, headers=named, body=body, received_at=at)
    if isinstance(built, KeepsNotes) and where.partition("?")[0].endswith("/notes"):
        return built.read_notes(request)
    if isinstance(built, TakesEvents):
        return built.read(request)
    if isinstance(built, Fetched):
        raise ConfigurationError(f"channel {name!r} takes no requests: it is asked, and trusts the connection")
    return Events(messages=built.parse(request))
