"""Requests to REST interfaces, written from their templates; it opens no connection and knows no interface.

What a customer, an agent or a reviewer wrote stands in a request as data: percent-encoded in an address, as a text of
the JSON or a field of the form, and in a header only where HTTP can carry it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from understudy.records.rest import RequestShape
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


def written(shape: RequestShape, values: Mapping[str, str], *, key_header: str | None = None) -> Written:
    """Write a request; raises `CannotStand` for a value that has no place there."""
    headers = {name.lower(): header_of(name, filled(value, values)) for name, value in shape.headers.items()}
    if shape.login:
        headers["authorization"] = basic(*(filled(one, values) for one in shape.login))
    if key_header is not None:
        headers[key_header.lower()] = header_of(key_header, values["key"])
    body: bytes | None = None
    if shape.body != "none" and shape.template:
        tree = filled_tree(shape.template, values)
        if shape.body == "json":
            headers.setdefault("content-type", "application/json; charset=utf-8")
            body = json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        else:
            headers.setdefault("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            body = urlencode(tree, errors="replace").encode()
    return Written(method=shape.method, url=url_of(shape.url, values), headers=headers, body=body)


def url_of(template: str, values: Mapping[str, str]) -> str:
    """Fill the template of an address; raises `CannotStand` for a value that names nothing there."""

    def quoted(name: str, value: str) -> str:
        if name.endswith("_url"):
            return value.rstrip("/") if template.startswith("{" + name + "}") else quote(value, safe="")
        if value in ("", ".", ".."):
            raise CannotStand(f"{{{name}}} is {value!r}, which names nothing in an address")
        return quote(value, safe="", errors="replace")

    return filled(template, values, quoted=quoted)


def header_of(name: str, value: str) -> str:
    """A header's value, if HTTP can carry it; else raises `CannotStand`."""
    if not (value.isascii() and value.isprintable()):
        raise CannotStand(f"header {name} would hold a character that HTTP cannot carry")
    return value


def basic(name: str, password: str) -> str:
    """The header value by which HTTP Basic signs in."""
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"
