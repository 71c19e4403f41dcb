"""What a REST channel's requests are filled with, and where they go; how they are written stands in `rest_writing`."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from understudy.adapters.channels.outlet import checked_url
from understudy.errors import ConfigurationError
from understudy.records.outbox import OutboxEntry, origin_of
from understudy.records.rest import OF_THE_REPLY, RequestShape
from understudy.rest_writing import CannotStand, Written, url_of, written

__all__ = ["CannotStand", "Written", "address_of", "values_of", "written"]


def values_of(entry: OutboxEntry) -> dict[str, str]:
    """What the placeholders of one reply stand for."""
    return {
        "to": entry.address,
        "text": entry.text,
        "conversation": entry.external_id,
        "key": entry.id,
        "created_s": str(int(entry.created_at.timestamp())),
        "author": entry.author.value,
        "ai_generated": "true" if entry.ai_generated else "false",
        "origin": origin_of(entry),
    }


def address_of(
    channel: str, shape: RequestShape, values: Mapping[str, str], *, given: frozenset[str] = OF_THE_REPLY
) -> SplitResult:
    """The server that a request goes to, which must not depend on what is `given` with each; raises `ConfigurationError`."""
    try:
        url, other = (url_of(shape.url, {**values, **dict.fromkeys(given, sample)}) for sample in "12")
    except CannotStand as error:
        raise ConfigurationError(f"channel {channel!r}: {error}") from error
    if urlsplit(url).netloc != urlsplit(other).netloc:
        raise ConfigurationError(
            f"channel {channel!r}: the server in url {shape.url!r} would be chosen by the message; "
            "write it out, or give it in values"
        )
    checked_url(channel, url)
    return urlsplit(url)
