"""A fake Zendesk messaging (Sunshine Conversations v2): an app, its customers' conversations and its web hook; it has no tickets.

It does what the real one does: web hooks with the shared secret as X-API-Key, tried five times over a quarter of an hour
after 408, 429, 5xx or silence; the business's own messages come back as events; delivery reports; Basic authentication; pages of
messages with `hasMore`. A repeated request is a second message, but `metadata` comes back with it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from understudy.testing.provider import Manner, Provider, Taken, Wrong, need, object_of

CHARS_MAX: Final = 4_096
PAGE: Final = 100
METADATA_BYTES_MAX: Final = 4_096
_ADDRESS = re.compile(r"/sc/v2/apps/([^/]+)(?:/conversations/([^/]+)/messages)?")


class Zendesk(Provider):
    """The Sunshine app `app`, whose API key is `key_id` with `key_secret`. `reports`: it tells what became of replies."""

    MANNER = Manner(
        timeout_s=20.0,
        pauses_s=(60.0, 120.0, 240.0, 480.0),
        statuses=lambda status: status in (408, 429) or status >= 500,
        on_silence=True,
    )

    def __init__(
        self,
        *,
        app: str = "app",
        key_id: str = "key",
        key_secret: str = "key-secret",  # noqa: S107 - a made-up one
        secret: str = "zendesk-secret",  # noqa: S107 - a made-up one
        reports: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(secret=secret, **more)
        self.app = app
        self._login = base64.b64encode(f"{key_id}:{key_secret}".encode()).decode()
        self._reports = reports
        self._known: set[str] = set()
        self._metadata: dict[str, Any] = {}

    def written(self, message: str, conversation: str, text: str, name: str) -> Any:
        """The event of a customer's message."""
        self._known.add(conversation)
        author = {"type": "user", "userId": f"u-{conversation}", "displayName": name}
        return self._hook("conversation:message", message, self._payload(message, conversation, text, author))

    def signed(self, body: bytes, *, hook: str) -> Mapping[str, str]:  # noqa: ARG002 - it signs nothing
        """The shared secret; Sunshine signs nothing."""
        return {"x-api-key": self.secret}

    async def take(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        """Take a message of the business, list messages, or show the app."""
        address = _ADDRESS.fullmatch(request.path)
        if address is None:
            raise _refusal(404, "not_found", "there is no such address")
        self._let_in(request, address[1])
        if (conversation := address[2]) is None:
            return web.json_response({"app": {"id": self.app, "displayName": "Fake"}})
        if conversation not in self._known:
            raise _refusal(404, "conversation_not_found", f"there is no conversation {conversation}")
        if request.method == "GET":
            return self._listed(conversation)
        need(request.method == "POST", f"{request.method} is none of its methods", _bad)
        return self._message(conversation, object_of(body, _bad))

    def too_many(self) -> Wrong:
        """How it refuses what is more than its limit."""
        return _refusal(429, "too_many_requests", "more requests than the limit")

    def _let_in(self, request: web.BaseRequest, app: str) -> None:
        given = request.headers.get("authorization")
        if given != f"Basic {self._login}":
            what = "there is no authorization" if given is None else "the authorization is not this API key's"
            raise _refusal(401, "unauthorized", what)
        if app != self.app:
            raise _refusal(403, "forbidden", f"app {app} is not {self.app}")

    def _message(self, conversation: str, data: Mapping[str, Any]) -> web.Response:
        author, content, metadata = data.get("author"), data.get("content"), data.get("metadata")
        need(isinstance(author, dict) and author.get("type") == "business", "author.type is not business", _bad)
        need(isinstance(content, dict) and content.get("type") == "text", "content.type is not text", _bad)
        assert isinstance(content, dict), "just needed"
        text = content.get("text")
        need(isinstance(text, str) and text != "", "content.text is no text", _bad)
        assert isinstance(text, str), "just needed"
        need(len(text) <= CHARS_MAX, f"content.text has {len(text)} characters, {CHARS_MAX} fit", _bad)
        need(metadata is None or isinstance(metadata, dict), "metadata is no object", _bad)
        need(len(str(metadata)) <= METADATA_BYTES_MAX, f"metadata is larger than {METADATA_BYTES_MAX} bytes", _bad)
        message, key = self.new_id(), (metadata or {}).get("understudy_key")
        self._metadata[message] = metadata
        self.keep(id=message, conversation=conversation, text=text, key=key)
        shown = self._payload(message, conversation, text, {"type": "business"})
        self.post_later(self._hook("conversation:message", message, shown), hook=f"{message}-echo")
        if self._reports:
            of = {"id": message, **({"metadata": metadata} if metadata else {})}
            told = {"conversation": {"id": conversation}, "message": of, "isFinalEvent": True}
            report = self._hook("conversation:message:delivery:user", f"{message}-report", told)
            self.post_later(report, hook=f"{message}-report", after_s=1.0)
        return web.json_response({"messages": [shown["message"]]}, status=201)

    def _listed(self, conversation: str) -> web.Response:
        there = [one for one in self.taken if one.conversation == conversation]
        page = [self._shown(one) for one in there[-PAGE:]]
        return web.json_response({"messages": page, "meta": {"hasMore": len(there) > PAGE}, "links": {}})

    def _shown(self, one: Taken) -> dict[str, Any]:
        message: dict[str, Any] = self._payload(one.id, one.conversation, one.text, {"type": "business"})["message"]
        return message

    def _payload(self, message: str, conversation: str, text: str, author: Mapping[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": message,
            "received": self._moment(),
            "author": author,
            "content": {"type": "text", "text": text},
            "source": {"type": "web"},
        }
        if metadata := self._metadata.get(message):
            shown["metadata"] = metadata
        return {"conversation": {"id": conversation, "type": "personal"}, "message": shown}

    def _hook(self, kind: str, event: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        one = {"id": f"ev-{event}", "createdAt": self._moment(), "type": kind, "payload": payload}
        return {"app": {"id": self.app}, "webhook": {"id": "hook", "version": "v2"}, "events": [one]}

    def _moment(self) -> str:
        return self.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _refusal(status: int, code: str, what: str) -> Wrong:
    return Wrong(status, {"errors": [{"code": code, "title": what}]}, what)


def _bad(what: str) -> Wrong:
    return _refusal(400, "bad_request", what)
