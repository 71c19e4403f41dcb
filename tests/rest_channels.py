"""Channels over REST interfaces as tests have them: each vendor's as a user would configure it, and requests signed for them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from understudy.adapters.channels.presets import PRESETS, shape_of
from understudy.adapters.channels.rest import RestChannel
from understudy.connections import build_channel
from understudy.ports.channel import InboundRequest
from understudy.settings.model import Settings
from understudy.testing.scripted import FROZEN_START, FrozenClock

DATA = Path(__file__).parents[2] / "shared" / "data"
SECRET = "a-shared-secret"
PUBLIC = "https://understudy.example"
VENDORS: Mapping[str, dict[str, Any]] = {
    "twilio": {"account_sid": "AC" + "0" * 32, "sender": "+18005551212"},
    "kannel": {"base_url": "http://localhost:13013", "username": "u", "password": "p", "sender": "18005551212"},
    "sinch_sms": {"service_plan_id": "plan", "api_token": "t", "sender": "12025550142"},
    "sinch_conversation": {"project_id": "p", "app_id": "app1", "access_key_id": "k", "access_key": "s"},
    "whatsapp_cloud": {"phone_number_id": "1122334455667", "access_token": "t", "verify_token": "ours"},
    "slack": {"bot_token": "xoxb-1"},
    "chatwoot": {"base_url": "https://chat.example/", "account_id": "1", "access_token": "t"},
    "zendesk": {"subdomain": "acme", "app_id": "app1", "key_id": "k", "key_secret": "s"},
    "intercom": {"access_token": "t", "admin_id": "7"},
}
"""What a user writes beside `kind` and `secrets`."""
assert set(VENDORS) == set(PRESETS)


def channel_of(kind: str, *, name: str = "shop", clock: Any = None, **more: Any) -> RestChannel:
    """A channel of a kind, built as the product builds it."""
    written = {"kind": kind, "secrets": [SECRET], **VENDORS.get(kind, {}), **more}
    settings = Settings.model_validate({"channels": {name: written}, "server": {"public_url": PUBLIC}})
    channel = build_channel(name, settings.channels[name], clock or FrozenClock(), settings)
    assert isinstance(channel, RestChannel)
    return channel


def signed(kind: str, body: bytes, *, query: str = "", secret: str = SECRET) -> InboundRequest:
    """A request as the vendor signs it, made here by plain means and not by the code under test."""
    url = f"{PUBLIC}/webhooks/shop" + (f"?{query}" if query else "")
    now = str(int(FROZEN_START.timestamp()))
    key = secret.encode()
    headers: dict[str, str] = {}

    def mac(text: bytes, algorithm: str = "sha256") -> bytes:
        return hmac.new(key, text, algorithm).digest()

    match kind:
        case "twilio":
            fields = sorted(pair.split("=", 1) for pair in body.decode().split("&")) if body else []
            from urllib.parse import unquote_plus

            text = url + "".join(unquote_plus(name) + unquote_plus(value) for name, value in fields)
            headers["x-twilio-signature"] = base64.b64encode(mac(text.encode(), "sha1")).decode()
        case "sinch_sms":
            url += ("&" if query else "?") + urlencode({"token": secret})
        case "kannel":
            url += (
                ("&" if query else "?")
                + urlencode({"token": secret})
                + ("&" + quote(body, safe="=&+%") if body else "")
            )
            body = b""
        case "sinch_conversation":
            digest = base64.b64encode(mac(body + f".n-1.{now}".encode())).decode()
            headers |= {
                "x-sinch-webhook-signature": digest,
                "x-sinch-webhook-signature-nonce": "n-1",
                "x-sinch-webhook-signature-timestamp": now,
            }
        case "whatsapp_cloud":
            headers["x-hub-signature-256"] = "sha256=" + mac(body).hex()
        case "slack":
            digest = mac(f"v0:{now}:".encode() + body).hex()
            headers |= {"x-slack-signature": f"v0={digest}", "x-slack-request-timestamp": now}
        case "chatwoot":
            digest = mac(f"{now}.".encode() + body).hex()
            headers |= {"x-chatwoot-signature": f"sha256={digest}", "x-chatwoot-timestamp": now}
        case "zendesk":
            headers["x-api-key"] = secret
        case "intercom":
            headers["x-hub-signature"] = "sha1=" + hmac.new(key, body, hashlib.sha1).hexdigest()
        case _:
            raise ValueError(kind)
    return InboundRequest(method="POST", url=url, headers=headers, body=body, received_at=FROZEN_START)


def body_of(kind: str, payload: Any) -> bytes:
    """A payload as the vendor writes it."""
    return urlencode(payload).encode() if kind in ("twilio", "kannel") else json.dumps(payload).encode()


def rehosted(
    kind: str,
    server: str,
    *,
    name: str = "shop",
    clock: Any = None,
    timeout_s: float = 0.5,
    inspected: bool = False,
    **more: Any,
) -> RestChannel:
    """A vendor's channel whose requests go to a server of the test instead of the vendor's."""
    shape = shape_of(kind)
    requests = {part: getattr(shape, part) for part in ("send", "look_up", "probe") if getattr(shape, part) is not None}

    def elsewhere(one: Any) -> Any:
        return one.model_copy(update={"url": server + "/" + one.url.removeprefix("https://").partition("/")[2]})

    moved = {part: elsewhere(one) for part, one in requests.items()}
    inspections = [elsewhere(one) for one in shape.inspections] if inspected else []
    given = {field: str(value) for field, value in VENDORS[kind].items()}
    defaults = {"region": "us", "api_version": "v23.0", "base_url": server}
    values = {**defaults, **given, **more}
    return RestChannel(
        name,
        shape.model_copy(update={**moved, "inspections": inspections}),
        clock=clock or FrozenClock(),
        secrets=[SECRET],
        values=values,
        credentials={"verify_token": "ours"},
        public_url=PUBLIC,
        timeout_s=timeout_s,
    )
