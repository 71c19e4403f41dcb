"""Help desks for tests, as strict as the real ones: whoever asks with the wrong token, path or flag is refused, and what is not
private would have reached the customer. What their people do comes out as web hooks, signed as the vendors sign.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug import Request, Response

from sinks import QuickServer
from understudy.adapters.channels.presets import shape_of
from understudy.adapters.channels.rest_desk import DeskChannel
from understudy.adapters.channels.schemes import scheme_of
from understudy.adapters.channels.signing import Signed
from understudy.ports.channel import InboundRequest
from understudy.ports.clock import Clock

SECRET, NOTE_SECRET = "s3cret-of-the-hook", "s3cret-of-the-notes"
ANY = re.compile(".*")
LOST, BUSY = "lost", "busy"
"""What a help desk may do with a request: take it and then fail, or say 503."""


class HelpDesk:
    """What both have in common. `said` is what its people read; `events` the web hooks that wait to be delivered."""

    scheme = "chatwoot"

    def __init__(self) -> None:
        self.url = ""
        self.faults: deque[str] = deque()
        self.asking_fails = False
        self.said: list[dict[str, Any]] = []
        self.to_customers: list[str] = []
        self.events: deque[tuple[str, dict[str, Any]]] = deque()
        self.refused: list[str] = []
        self.lock = threading.Lock()
        self._number = 100

    def number(self) -> int:
        self._number += 1
        return self._number

    def answer(self, request: Request) -> Response:
        with self.lock:
            fault = self.faults.popleft() if self.faults and request.method != "GET" else None
            if fault == BUSY:
                return Response("", 503)
            if self.asking_fails and request.method == "GET":
                return Response("", 503)
            try:
                answer = self.handle(request)
            except Refused as why:
                self.refused.append(f"{request.method} {request.path}: {why}")
                return Response(json.dumps({"error": str(why)}), why.status, content_type="application/json")
        if fault == LOST:
            return Response("", 500)
        return Response(json.dumps(answer), 200, content_type="application/json")

    def handle(self, request: Request) -> Any:
        raise NotImplementedError

    @property
    def texts(self) -> list[str]:
        return [one["content"] for one in self.said]

    def request(self, where: str, payload: dict[str, Any], clock: Clock) -> InboundRequest:
        """The web hook as it comes."""
        body = json.dumps(payload).encode()
        plain = InboundRequest(method="POST", url=f"http://x/webhooks/chat{where}", headers={}, body=body, received_at=clock.now())  # fmt: skip
        return self.signed(plain, where)

    def signed(self, plain: InboundRequest, where: str) -> InboundRequest:
        scheme = scheme_of(self.scheme)
        key = scheme.key(NOTE_SECRET if where else SECRET)
        naked = Signed(headers={}, body=plain.body, method="POST", url=plain.url)
        headers = scheme.sign(naked, key=key, at=plain.received_at)
        return InboundRequest(method="POST", url=plain.url, headers=headers, body=plain.body, received_at=plain.received_at)  # fmt: skip


class Refused(Exception):
    """The help desk does not do it."""

    def __init__(self, why: str, status: int = 422) -> None:
        super().__init__(why)
        self.status = status


class Chatwoot(HelpDesk):
    """An account with an agent bot; conversations are numbers. The bot may write messages and nothing else."""

    agents: list[dict[str, Any]]

    def __init__(self) -> None:
        super().__init__()
        self.agents = [
            {"id": 7, "name": "Rosa", "email": "rosa@shop.example", "confirmed": True, "role": "agent"},
            {"id": 8, "name": "Vic", "email": "vic@shop.example", "confirmed": True, "role": "agent"},
            {"id": 9, "name": "Una", "email": "una@shop.example", "confirmed": False, "role": "agent"},
        ]

    def channel(self, clock: Clock, *, takes_notes: bool = True, token: str | None = "of-an-admin") -> DeskChannel:
        credentials = {"access_token": "of-the-bot"} | ({} if token is None else {"notes_token": token})
        return DeskChannel(
            "chat",
            shape_of("chatwoot"),
            takes_notes=takes_notes,
            clock=clock,
            secrets=[SECRET],
            note_secrets=[NOTE_SECRET],
            credentials=credentials,
            values={"base_url": self.url, "account_id": "1"},
            timeout_s=5.0,
        )

    def handle(self, request: Request) -> Any:
        token, parts = request.headers.get("api-access-token"), request.path.strip("/").split("/")
        if parts[:4] != ["api", "v1", "accounts", "1"]:
            raise Refused("no such account", 404)
        if parts[4:] == ["agents"] and request.method == "GET":
            if token != "of-an-admin":
                raise Refused("Access to this endpoint is not authorized for bots", 401)
            return self.agents
        if len(parts) != 7 or parts[4] != "conversations" or parts[6] != "messages" or not parts[5].isdecimal():
            raise Refused("no such resource", 404)
        mine = [one for one in self.said if one["conversation"] == parts[5]]
        if request.method == "GET":
            if token != "of-an-admin":
                raise Refused("Access to this endpoint is not authorized for bots", 401)
            return {"meta": {}, "payload": [{**one, "sender": None} for one in mine[-20:]]}
        if token != "of-the-bot":
            raise Refused("Invalid Access Token", 401)
        body = json.loads(request.get_data())
        if (
            set(body) - {"content_attributes"} != {"content", "message_type", "private"}
            or set(body.get("content_attributes", ())) - {"ai_generated", "origin"}
            or body["message_type"] != "outgoing"
        ):
            raise Refused(f"unknown fields {sorted(body)}")
        if not isinstance(body["private"], bool) or not body["content"].strip():
            raise Refused("content and private are wanted")
        bot = {"id": 1, "name": "Understudy", "type": "agent_bot"}
        return self._write(parts[5], body["content"], private=body["private"], sender=bot)

    def _write(self, conversation: str, text: str, *, private: bool, sender: dict[str, Any] | None) -> dict[str, Any]:
        message = {"id": self.number(), "content": text, "private": private, "conversation": conversation}
        if private:
            self.said.append(message)
        else:
            self.to_customers.append(text)
        event = {
            "event": "message_created",
            "id": message["id"],
            "content": text,
            "message_type": "outgoing",
            "private": private,
            "created_at": "2026-01-01T12:00:00Z",
            "sender": sender,
            "conversation": {"id": int(conversation), "status": "pending"},
        }
        self.events.append(("", event))
        return message

    def remark(self, text: str, *, by: int = 7, conversation: str = "10", private: bool = True) -> dict[str, Any]:
        """One of its people writes a private note, or to the customer; the web hook of it."""
        agent = next((one for one in self.agents if one["id"] == by), {"id": by, "name": f"no. {by}", "email": "x"})
        sender = {"id": agent["id"], "name": agent["name"], "email": agent["email"], "type": "user"}
        with self.lock:
            self._write(conversation, text, private=private, sender=sender)
            return self.events[-1][1]


class Zendesk(HelpDesk):
    """Support and Sunshine Conversations of one account: a ticket is found by its number, and knows its conversation by an audit."""

    scheme = "zendesk"

    def __init__(self) -> None:
        super().__init__()
        self.tickets: dict[str, str | None] = {"35": "conv-1"}
        self.users = [
            {"id": 7, "name": "Rosa", "email": "rosa@shop.example", "verified": True, "role": "agent", "active": True, "suspended": False},
            {"id": 8, "name": "Vic", "email": "vic@shop.example", "verified": True, "role": "agent", "active": True, "suspended": False},
            {"id": 9, "name": "Una", "email": "una@shop.example", "verified": False, "role": "agent", "active": True, "suspended": False},
            {"id": 66, "name": "Cus", "email": "rosa@shop.example", "verified": True, "role": "end-user", "active": True, "suspended": False},
        ]  # fmt: skip

    def channel(self, clock: Clock, *, takes_notes: bool = True) -> DeskChannel:
        return DeskChannel(
            "chat",
            shape_of("zendesk"),
            takes_notes=takes_notes,
            clock=clock,
            secrets=[SECRET],
            note_secrets=[NOTE_SECRET],
            credentials={"key_secret": "sunshine", "notes_token": "support"},
            values={"subdomain": "acme", "app_id": "app", "key_id": "k", "notes_user": "bot@shop.example"},
            timeout_s=5.0,
            instead=self.url,
        )

    def signed(self, plain: InboundRequest, where: str) -> InboundRequest:
        if where:
            return super().signed(plain, where)
        return InboundRequest(method="POST", url=plain.url, headers={"x-api-key": SECRET}, body=plain.body, received_at=plain.received_at)  # fmt: skip

    def handle(self, request: Request) -> Any:
        parts = request.path.strip("/").split("/")
        if parts[:4] == ["sc", "v2", "apps", "app"]:
            self._demand(request, "k:sunshine")
            return self._sunshine(parts, json.loads(request.get_data() or b"null"))
        self._demand(request, "bot@shop.example/token:support")
        if parts[:3] != ["api", "v2", "tickets"]:
            raise Refused("no such resource", 404)
        ticket = parts[3].removesuffix(".json")
        if ticket not in self.tickets:
            raise Refused("RecordNotFound", 404)
        if parts[4:] == ["audits.json"]:
            first = [{"id": 1, "type": "Create", "field_name": "subject", "value": "x"}]
            if self.tickets[ticket] is not None:
                value = {"visitor_id": "v", "conversation_id": self.tickets[ticket]}
                first.append({"id": 2, "type": "ChatStartedEvent", "value": value})  # type: ignore[dict-item]
            return {"audits": [{"id": 3, "ticket_id": int(ticket), "events": first}], "meta": {"has_more": False}}
        if parts[4:] == ["comments.json"]:
            comments = [one for one in reversed(self.said) if one["ticket"] == ticket][:20]
            users = [one for one in self.users if request.args.get("include") == "users"]
            return {"comments": [{**one, "body": one["content"], "plain_body": one["content"]} for one in comments], "users": users}  # fmt: skip
        if len(parts) == 4 and request.method == "PUT":
            comment = json.loads(request.get_data())["ticket"]["comment"]
            if comment.get("public") is not False or not comment["body"].strip() or set(comment) != {"body", "public"}:
                raise Refused(f"a comment like {sorted(comment)} would reach the customer")
            made = self._comment(ticket, comment["body"], by=99, via="api")
            return {"ticket": {"id": int(ticket)}, "audit": {"id": 5, "events": [{"id": made["id"], "type": "Comment", "public": False}]}}  # fmt: skip
        raise Refused("no such resource", 404)

    def _demand(self, request: Request, login: str) -> None:
        wanted = f"Basic {base64.b64encode(login.encode()).decode()}"
        if request.headers.get("Authorization") != wanted:
            raise Refused("Couldn't authenticate you", 401)

    def _sunshine(self, parts: list[str], body: Any) -> Any:
        if body is None or parts[4] != "conversations" or body["author"] != {"type": "business"}:
            raise Refused("not as it should be")
        number = f"m{self.number()}"
        text = body["content"]["text"]
        self.to_customers.append(text)
        self._spoke(number, parts[5], text, source="api:conversations", metadata=body["metadata"])
        return {"messages": [{"id": number}]}

    def _spoke(self, number: str, conversation: str, text: str, *, source: str, metadata: dict[str, Any], name: str = "Shop") -> None:  # fmt: skip
        author = {"type": "business", "displayName": name}
        message = {"id": number, "received": "2026-01-01T12:00:00Z", "author": author, "content": {"type": "text", "text": text},
                   "source": {"type": source}, "metadata": metadata}  # fmt: skip
        payload = {"conversation": {"id": conversation}, "message": message}
        self.events.append(("", {"app": {"id": "app"}, "events": [{"id": f"e{number}", "type": "conversation:message", "payload": payload}]}))  # fmt: skip

    def _comment(self, ticket: str, text: str, *, by: int, via: str, public: bool = False) -> dict[str, Any]:
        comment = {"id": self.number(), "ticket": ticket, "content": text, "public": public, "author_id": by, "via": {"channel": via}}  # fmt: skip
        self.said.append(comment)
        person = next((one for one in self.users if one["id"] == by), {"name": "Bot", "role": "admin"})
        told = {
            "id": str(comment["id"]),
            "is_public": public,
            "body": text,
            "author": {"id": str(by), "is_staff": person["role"] != "end-user", "name": person["name"]},
        }
        self._ticket_event("ticket.comment_added", ticket, {"comment": told})
        return comment

    def _ticket_event(self, kind: str, ticket: str, event: dict[str, Any]) -> None:
        detail = {"id": ticket, "via": {"channel": "native_messaging"}}
        payload = {"type": f"zen:event-type:{kind}", "id": f"ev{self.number()}", "subject": f"zen:ticket:{ticket}",
                   "time": "2026-01-01T12:00:00Z", "detail": detail, "event": event}  # fmt: skip
        self.events.append(("/notes", payload))

    def begin(self, ticket: str = "35") -> None:
        """A ticket is made for the conversation."""
        self._ticket_event("ticket.created", ticket, {})

    def remark(self, text: str, *, by: int = 7, conversation: str = "35", private: bool = True, via: str = "web") -> dict[str, Any]:  # fmt: skip
        with self.lock:
            if private:
                self._comment(conversation, text, by=by, via=via)
            else:
                name = next(one["name"] for one in self.users if one["id"] == by)
                of = self.tickets[conversation] or ""
                self.to_customers.append(text)
                self._spoke(f"m{self.number()}", of, text, source="zd:agentWorkspace", metadata={}, name=str(name))
            return self.events[-1][1]


@contextmanager
def serving(desk: HelpDesk) -> Iterator[None]:
    """Serve a help desk; its `url` says where."""
    with QuickServer() as http:
        http.expect_request(ANY).respond_with_handler(desk.answer)
        desk.url = http.url_for("").rstrip("/")
        yield
