"""A fake Chatwoot: an account whose customers' conversations are an agent bot's; it has no screen and no database.

It does what the real one does: web hooks signed over `timestamp.body` with one delivery id over all tries, tried again
three times after 429 and 500 only, and a pending conversation opened for people where that fails; echoes of what the bot
wrote; `api-access-token`; 401, 404 and 422 as it words them. It knows no key: a repeated request is a second message.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from understudy.testing.provider import Manner, Provider, Wrong, need, object_of

CHARS_MAX: Final = 150_000
"""Of a message's content (`Limits::MESSAGE_CONTENT` there)."""
_ADDRESS = re.compile(r"/api/v1/accounts/([^/]+)/conversations/([^/]+)/(messages|toggle_status)")


class Chatwoot(Provider):
    """An account `account` of a Chatwoot installation, and the agent bot whose token is `token`.

    `opened` has the conversations that were opened for people, by the bot or because its web hook failed.
    """

    MANNER = Manner(timeout_s=5.0, pauses_s=(3.0, 3.0), statuses=lambda status: status in (429, 500), on_silence=False)

    def __init__(self, *, account: str = "1", token: str = "bot-token", secret: str = "chatwoot-secret", **more: Any) -> None:  # fmt: skip # noqa: S107 - a made-up one
        super().__init__(secret=secret, **more)
        self.account = account
        self.token = token
        self.opened: set[str] = set()
        self._known: set[str] = set()

    def written(self, message: str, conversation: str, text: str, name: str) -> Any:
        """The event of a customer's message."""
        self._known.add(conversation)
        sender = {"id": f"c-{conversation}", "name": name, "type": "contact"}
        return self._event(message, conversation, text, "incoming", sender, private=False)

    def signed(self, body: bytes, *, hook: str) -> Mapping[str, str]:
        """A signature over time and body; the delivery id is the same over all tries."""
        now = str(int(self.now().timestamp()))
        digest = hmac.new(self.secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        return {
            "x-chatwoot-signature": f"sha256={digest}",
            "x-chatwoot-timestamp": now,
            "x-chatwoot-delivery": f"delivery-{hook}",
        }

    async def not_delivered(self, message: str, conversation: str) -> None:
        """Open the conversation for people."""
        await super().not_delivered(message, conversation)
        self.opened.add(conversation)

    async def take(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        """Take a message of the bot, list messages, or change a conversation's status."""
        address = _ADDRESS.fullmatch(request.path)
        if address is None:
            raise Wrong(404, {"error": "Resource could not be found"}, "there is no such address")
        account, conversation, what = address.groups()
        self._let_in(request, account, conversation)
        if what == "toggle_status":
            return self._toggled(conversation, object_of(body, _unprocessable))
        if request.method == "GET":
            listed = [self._shown(one.id, one.conversation, one.text) for one in self.taken if one.conversation == conversation]  # fmt: skip
            return web.json_response({"meta": {}, "payload": listed})
        need(request.method == "POST", f"{request.method} is none of its methods", _unprocessable)
        return self._message(conversation, object_of(body, _unprocessable))

    def _let_in(self, request: web.BaseRequest, account: str, conversation: str) -> None:
        # To Rails both spellings are one header; proxies drop the one with underscores.
        token = request.headers.get("api-access-token") or request.headers.get("api_access_token")
        if token != self.token:
            refused = {"error": "Invalid Access Token"}
            raise Wrong(401, refused, "the header api-access-token is missing" if token is None else "the header api-access-token is not this bot's")  # fmt: skip
        if account != self.account:
            raise Wrong(404, {"error": "Resource could not be found"}, f"account {account} is not {self.account}")
        if conversation not in self._known:
            raise Wrong(404, {"error": "Resource could not be found"}, f"there is no conversation {conversation}")

    def _message(self, conversation: str, data: Mapping[str, Any]) -> web.Response:
        text, kind, private = data.get("content"), data.get("message_type", "outgoing"), data.get("private", False)
        need(isinstance(text, str) and text.strip() != "", f"content is {text!r:.40}, not a text", _unprocessable)
        assert isinstance(text, str), "just needed"
        need(len(text) <= CHARS_MAX, f"content has {len(text)} characters, {CHARS_MAX} fit", _unprocessable)
        need(kind in ("outgoing", "incoming"), f"message_type is {kind!r}", _unprocessable)
        need(kind == "outgoing", "message_type is incoming: the bot writes as if it were the customer", _unprocessable)
        need(isinstance(private, bool), f"private is {private!r}, not true or false", _unprocessable)
        message = self.new_id()
        if not private:
            self.keep(id=message, conversation=conversation, text=text, key=None)
        bot = {"id": 1, "name": "Bot", "type": "agent_bot"}
        echo = self._event(message, conversation, text, "outgoing", bot, private=private)
        self.post_later(echo, hook=message)
        return web.json_response(self._shown(message, conversation, text, private=private))

    def _toggled(self, conversation: str, data: Mapping[str, Any]) -> web.Response:
        status = data.get("status")
        need(status in ("open", "pending", "resolved", "snoozed"), f"status is {status!r}", _unprocessable)
        (self.opened.add if status == "open" else self.opened.discard)(conversation)
        return web.json_response({"payload": {"success": True, "current_status": status, "conversation_id": conversation}})  # fmt: skip

    def _shown(self, message: str, conversation: str, text: str, *, private: bool = False) -> dict[str, Any]:
        return {
            "id": int(message),
            "content": text,
            "conversation_id": conversation,
            "message_type": 1,
            "content_type": "text",
            "private": private,
            "status": "sent",
            "created_at": int(self.now().timestamp()),
        }

    def _event(
        self, message: str, conversation: str, text: str, kind: str, sender: Mapping[str, Any], *, private: bool
    ) -> dict[str, Any]:
        return {
            "event": "message_created",
            "id": int(message),
            "content": text,
            "message_type": kind,
            "content_type": "text",
            "private": private,
            "created_at": self.now().isoformat(),
            "sender": sender,
            "account": {"id": self.account, "name": "Fake"},
            "inbox": {"id": 1, "name": "Website"},
            "conversation": {
                "id": conversation,
                "status": "open" if conversation in self.opened else "pending",
                "contact_inbox": {"contact_id": f"c-{conversation}"},
            },
        }


def _unprocessable(what: str) -> Wrong:
    return Wrong(422, {"error": what}, what)
