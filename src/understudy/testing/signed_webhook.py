"""A fake service of your own behind a signed web hook (Standard Webhooks): it posts what customers write and takes replies."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import web

from understudy.testing.provider import Manner, Provider, Wrong, need, object_of

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the standard's own example
TOLERANCE: Final = timedelta(minutes=5)


class SignedWebhook(Provider):
    """Your service. `honours_keys`: a repeated webhook-id is answered with 409 and reaches the customer once."""

    MANNER = Manner(
        timeout_s=10.0,
        pauses_s=(1.0, 5.0, 30.0, 120.0),
        statuses=lambda status: status >= 500 or status in (408, 425, 429),
        on_silence=True,
    )

    def __init__(self, *, secret: str = SECRET, honours_keys: bool = True, **more: Any) -> None:
        super().__init__(secret=secret, **more)
        self._honours_keys = honours_keys
        self._seen_keys: set[str] = set()

    def written(self, message: str, conversation: str, text: str, name: str) -> Any:
        """The event of a customer's message."""
        data = {"conversation_id": conversation, "from": f"c-{conversation}", "text": text, "name": name, "id": message}
        return {"type": "message.received", "timestamp": self.now().isoformat(), "data": data}

    def signed(self, body: bytes, *, hook: str) -> Mapping[str, str]:
        """A signature over id, time and body."""
        now = str(int(self.now().timestamp()))
        return {
            "webhook-id": f"msg_{hook}",
            "webhook-timestamp": now,
            "webhook-signature": f"v1,{self._digest(f'msg_{hook}', now, body)}",
        }

    async def take(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        """Take a reply."""
        need(request.method == "POST", f"{request.method} is none of its methods", _bad)
        key = self._verified(request, body)
        data = object_of(body, _bad)
        need(data.get("type") == "message.reply", f"type is {data.get('type')!r}, not message.reply", _bad)
        reply = data.get("data")
        need(isinstance(reply, dict), "data is no object", _bad)
        assert isinstance(reply, dict), "just needed"
        for field in ("id", "conversation_id", "to", "text", "author"):
            need(isinstance(reply.get(field), str) and reply[field] != "", f"data.{field} is no text", _bad)
        need(reply["id"] == key, f"data.id is {reply['id']}, webhook-id {key}", _bad)
        need(isinstance(reply.get("ai_generated"), bool), "data.ai_generated is not true or false", _bad)
        if self._honours_keys and key in self._seen_keys:
            return web.json_response({}, status=409)
        self._seen_keys.add(key)
        message = self.new_id()
        self.keep(id=message, conversation=reply["conversation_id"], text=reply["text"], key=key)
        return web.json_response({"id": message})

    def _verified(self, request: web.BaseRequest, body: bytes) -> str:
        """The id of a signed request; raises `Wrong`."""
        given = [request.headers.get(f"webhook-{part}") for part in ("id", "timestamp", "signature")]
        key, at, signatures = given
        if key is None or at is None or signatures is None:
            raise Wrong(401, {"error": "unsigned"}, "a header of the signature is missing")
        need(at.isdigit(), f"webhook-timestamp is {at!r:.30}, no seconds", _bad)
        if abs(self.now() - datetime.fromtimestamp(int(at), UTC)) > TOLERANCE:
            raise Wrong(401, {"error": "too old"}, "webhook-timestamp is more than five minutes away")
        wanted = f"v1,{self._digest(key, at, body)}"
        if not any(hmac.compare_digest(wanted, one) for one in signatures.split(" ")):
            raise Wrong(401, {"error": "signature"}, "no signature matches")
        return key

    def _digest(self, key: str, at: str, body: bytes) -> str:
        try:
            secret = base64.b64decode(self.secret.removeprefix("whsec_"), validate=True)
        except binascii.Error as error:
            raise ValueError("the secret is whsec_ and base64") from error
        signed = hmac.new(secret, f"{key}.{at}.".encode() + body, hashlib.sha256)
        return base64.b64encode(signed.digest()).decode()


def _bad(what: str) -> Wrong:
    return Wrong(400, {"error": what}, what)
