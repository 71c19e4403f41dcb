"""A REST channel's requests, written from their templates; it opens no connection.

What a customer, an agent or a reviewer wrote stands in a request as data: percent-encoded in an address, as a text of
the JSON or a field of the form, and in a header only where HTTP can carry it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from understudy.adapters.channels.outlet import checked_url
from understudy.errors import ConfigurationError
from understudy.records.outbox import OutboxEntry
from understudy.records.rest import OF_THE_REPLY, RequestShape
from understudy.records.templates import filled, filled_tree


class CannotStand(Exception):
    """A value cannot be written where its template has it; the message says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A request as it goes out. Its repr shows no header and no body."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None

    def __repr__(self) -> str:
        return f"Written({self.method})"


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
    }


def written(shape: RequestShape, values: Mapping[str, str], *, key_header: str | None = None) -> Written:
    """Write a request; raises `CannotStand` for a value that has no place there."""
    headers = {name.lower(): _header(name, filled(value, values)) for name, value in shape.headers.items()}
    if shape.login:
        name, password = (filled(one, values) for one in shape.login)
        headers["authorization"] = f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"
    if key_header is not None:
        headers[key_header.lower()] = _header(key_header, values["key"])
    body: bytes | None = None
    if shape.body != "none" and shape.template:
        tree = filled_tree(shape.template, values)
        if shape.body == "json":
            headers.setdefault("content-type", "application/json; charset=utf-8")
            body = json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        else:
            headers.setdefault("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            body = urlencode(tree, errors="replace").encode()
    return Written(method=shape.method, url=_url(shape.url, values), headers=headers, body=body)


def address_of(
    channel: str, shape: RequestShape, values: Mapping[str, str], *, given: frozenset[str] = OF_THE_REPLY
) -> SplitResult:
    """The server that a request goes to, which must not depend on what is `given` with each; raises `ConfigurationError`."""
    try:
        url, other = (_url(shape.url, {**values, **dict.fromkeys(given, sample)}) for sample in "12")
    except CannotStand as error:
        raise ConfigurationError(f"channel {channel!r}: {error}") from error
    if urlsplit(url).netloc != urlsplit(other).netloc:
        raise ConfigurationError(
            f"channel {channel!r}: the server in url {shape.url!r} would be chosen by the message; "
            "write it out, or give it in values"
        )
    checked_url(channel, url)
    return urlsplit(url)


def _url(template: str, values: Mapping[str, str]) -> str:
    def quoted(name: str, value: str) -> str:
        if name.endswith("_url"):
            return value.rstrip("/") if template.startswith("{" + name + "}") else quote(value, safe="")
        if value in ("", ".", ".."):
            raise CannotStand(f"{{{name}}} is {value!r}, which names nothing in an address")
        return quote(value, safe="", errors="replace")

    return filled(template, values, quoted=quoted)


def _header(name: str, value: str) -> str:
    if not (value.isascii() and value.isprintable()):
        raise CannotStand(f"header {name} would hold a character that HTTP cannot carry")
    return value
