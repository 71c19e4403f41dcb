"""Which real hosts a configuration points at; it asks none of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from understudy.settings.model import Settings
from understudy.settings.systems import System
from understudy.systems import shape_of_system
from understudy.testing.names import is_here

ADDRESSES = ("base_url", "url", "issuer", "homeserver", "otlp_endpoint", "host")
"""Settings that name a host, whole or within an address."""
OWN = {
    "twilio": "api.twilio.com",
    "sinch_sms": "sms.api.sinch.com",
    "sinch_conversation": "conversation.api.sinch.com",
    "whatsapp_cloud": "graph.facebook.com",
    "slack": "slack.com",
    "zendesk": "zendesk.com",
}
"""Kinds of channels whose address is in the description that is shipped."""


def real_hosts(settings: Settings) -> dict[str, str]:
    """Each part of the configuration that names a host which is not this machine, and that host; made-up ones (.test) are none."""
    found = dict(_named(settings.model_copy(update={"server": None, "systems": {}}), ""))
    for name, channel in settings.channels.items():
        kind = str(getattr(channel, "kind", ""))
        if kind in OWN:
            found.setdefault(f"channels.{name}", OWN[kind])
    for name, system in settings.systems.items():
        found |= {f"systems.{name}": host for host in _hosts_of_system(system) if not is_here(host)}
    return dict(sorted(found.items()))


def _hosts_of_system(system: System) -> Iterator[str]:
    """The hosts of its requests, as far as its values name them."""
    values = {name: value for name, value in system.values.items() if "//" in value}
    for request in shape_of_system(system).requests():
        url = request.url
        for name, value in values.items():
            url = url.replace("{" + name + "}", value)
        yield _host_of(url)


def _named(node: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, BaseModel):
        for field in type(node).model_fields:
            value = getattr(node, field)
            if field in ADDRESSES and isinstance(value, str):
                host = _host_of(value)
                if not is_here(host):
                    yield where, host
            else:
                yield from _named(value, f"{where}.{field}" if where else field)
    elif isinstance(node, dict):
        for name, value in node.items():
            yield from _named(value, f"{where}.{name}")
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _named(value, where)


def _host_of(address: str) -> str:
    if "{" in address:  # a template, such as that of a described channel
        address = address.replace("{", "x").replace("}", "x")
    if "//" not in address:
        return address.partition("/")[0]
    if address.startswith("sqlite:"):
        return ""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return address
