"""A fake WhatsApp Cloud API: a business's number and the people who write to it; it has no templates and fetches no media.

It does what the real one does: web hooks signed over the raw body and repeated for days until a 200; the handshake that
asks whose address it is; statuses sent, delivered and read for each reply, with `biz_opaque_callback_data`, in any order; the 24-hour
window (131047); limits (130429 for all, 131056 for one person); refusals with Meta's codes. It knows no key: a repeated request is a second message.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web

from understudy.testing.provider import Manner, Provider, Wrong, need, object_of

CHARS_MAX: Final = 4_096
WINDOW: Final = timedelta(hours=24)
_ADDRESS = re.compile(r"/v\d+\.\d+/([^/]+)(/messages)?")
_FIELDS: Final = frozenset({"messaging_product", "recipient_type", "to", "type", "text", "context", "biz_opaque_callback_data"})  # fmt: skip


class WhatsApp(Provider):
    """The number with the id `phone_number_id`; `token` lets in. `statuses`: what is told of each reply, in this order.

    `shuffles`: statuses come in any order. `per_person_max`: so many replies to one person, and then 131056.
    """

    MANNER = Manner(
        timeout_s=10.0,
        pauses_s=(1.0, 5.0, 30.0, 120.0, 600.0, 3_600.0),
        statuses=lambda status: status != 200,
        on_silence=True,
    )

    def __init__(
        self,
        *,
        phone_number_id: str = "106540352242922",
        token: str = "meta-token",  # noqa: S107 - a made-up one
        secret: str = "app-secret",  # noqa: S107 - a made-up one
        statuses: tuple[str, ...] = ("sent", "delivered", "read"),
        shuffles: bool = False,
        per_person_max: int | None = None,
        **more: Any,
    ) -> None:
        super().__init__(secret=secret, **more)
        self.phone_number_id = phone_number_id
        self._token = token
        self._statuses = statuses
        self._shuffles = shuffles
        self._per_person_max = per_person_max
        self._sent_to: Counter[str] = Counter()
        self._last_wrote: dict[str, datetime] = {}

    def written(self, message: str, conversation: str, text: str, name: str) -> Any:
        """The change of a customer's message; the conversation is their number."""
        self._last_wrote[conversation] = self.now()
        one = {
            "from": conversation,
            "id": message,
            "timestamp": str(int(self.now().timestamp())),
            "type": "text",
            "text": {"body": text},
        }
        return self._change({"contacts": [{"profile": {"name": name}, "wa_id": conversation}], "messages": [one]})

    def signed(self, body: bytes, *, hook: str) -> Mapping[str, str]:  # noqa: ARG002 - it signs the body alone
        """A signature over the raw body; there is no time in it."""
        return {"x-hub-signature-256": f"sha256={hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()}"}

    def new_id(self) -> str:
        """The next id, in WhatsApp's form."""
        return f"wamid.{super().new_id()}"

    async def shake_hands(self, verify_token: str) -> str | None:
        """Ask the web hook's address whether it is theirs; what it said where that was right, else None."""
        assert self._client is not None and self.webhook is not None, "it is open and has a web hook"  # noqa: PT018
        query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": verify_token}
        async with self._client.get(self.webhook, params=query) as answer:
            said = await answer.text()
            return said if answer.status == 200 and said == query["hub.challenge"] else None

    async def take(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        """Take a reply, or show the number."""
        address = _ADDRESS.fullmatch(request.path)
        self._let_in(request)
        if address is None or address[1] != self.phone_number_id:
            raise _refusal(400, 100, f"{request.path} is no object of this account")
        if address[2] is None:
            return web.json_response({"id": self.phone_number_id, "display_phone_number": "15550783881"})
        need(request.method == "POST", f"{request.method} is none of its methods", _bad)
        return self._message(object_of(body, _bad))

    def too_many(self) -> Wrong:
        """How it refuses what is more than its limit."""
        return _refusal(429, 130429, "more requests than the limit")

    def _let_in(self, request: web.BaseRequest) -> None:
        given = request.headers.get("authorization")
        if given != f"Bearer {self._token}":
            what = "there is no authorization" if given is None else "the authorization is not this token"
            raise _refusal(401, 190, what)

    def _message(self, data: Mapping[str, Any]) -> web.Response:
        to, text = self._read(data)
        if to not in self._last_wrote or self.now() - self._last_wrote[to] > WINDOW:
            raise _refusal(400, 131047, f"{to} has not written within 24 hours")
        if self._per_person_max is not None and self._sent_to[to] >= self._per_person_max:
            raise _refusal(429, 131056, f"more than {self._per_person_max} replies to {to}")
        self._sent_to[to] += 1
        message, key = self.new_id(), data.get("biz_opaque_callback_data")
        self.keep(id=message, conversation=to, text=text, key=key)
        statuses = list(self._statuses)
        if self._shuffles:
            self._dice.shuffle(statuses)
        for number, status in enumerate(statuses):
            told = {"id": message, "status": status, "timestamp": str(int(self.now().timestamp())), "recipient_id": to}
            if key is not None:
                told["biz_opaque_callback_data"] = key
            self.post_later(self._change({"statuses": [told]}), hook=f"{message}-{status}", after_s=0.5 * number)
        contacts = [{"input": to, "wa_id": to}]
        return web.json_response({"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": message}]})

    def _read(self, data: Mapping[str, Any]) -> tuple[str, str]:
        """To whom, and what; raises `Wrong`."""
        strange = sorted(data.keys() - _FIELDS)
        need(not strange, f"{', '.join(strange)} is no field of a text message", _bad)
        need(data.get("messaging_product") == "whatsapp", "messaging_product is not whatsapp", _bad)
        need(data.get("recipient_type", "individual") == "individual", "recipient_type is not individual", _bad)
        need(data.get("type") == "text", f"type is {data.get('type')!r}; this fake takes text", _bad)
        to, text, key = data.get("to"), data.get("text"), data.get("biz_opaque_callback_data", "")
        need(isinstance(to, str) and re.fullmatch(r"\+?\d{5,15}", to) is not None, f"to is {to!r:.40}, no number", _bad)
        need(isinstance(text, dict) and isinstance(text.get("body"), str), "text.body is no text", _bad)
        assert isinstance(text, dict) and isinstance(to, str), "just needed"  # noqa: PT018
        body = text["body"]
        need(0 < len(body) <= CHARS_MAX, f"text.body has {len(body)} characters, 1 to {CHARS_MAX} fit", _bad)
        need(isinstance(key, str) and len(key) <= 512, "biz_opaque_callback_data is no text of up to 512", _bad)
        return to.removeprefix("+"), body

    def _change(self, value: Mapping[str, Any]) -> dict[str, Any]:
        number = {"display_phone_number": "15550783881", "phone_number_id": self.phone_number_id}
        change = {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": number, **value}}
        return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}


def _refusal(status: int, code: int, what: str) -> Wrong:
    kind = "OAuthException"
    return Wrong(status, {"error": {"message": f"(#{code}) {what}", "type": kind, "code": code, "fbtrace_id": "A1"}}, what)  # fmt: skip


def _bad(what: str) -> Wrong:
    return _refusal(400, 100, what)
