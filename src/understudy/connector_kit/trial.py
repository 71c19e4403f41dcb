"""A configured channel on trial: built as the server would, signed for, and sending to a server of its own; it holds no case."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from understudy.adapters.channels.rest import RestChannel
from understudy.adapters.channels.rest_verifying import signed
from understudy.connections import rest_channel, shape_of_channel
from understudy.errors import ConfigurationError
from understudy.ports.channel import Events, InboundRequest
from understudy.records.conversation import Author, Inbound
from understudy.records.outbox import OutboxEntry, OutboxState, SendResult
from understudy.records.rest_notes import DeskShape
from understudy.settings.channels import Remote
from understudy.settings.model import Settings
from understudy.testing.scripted import FROZEN_START, FrozenClock

TIMEOUT_S = 0.5
"""How long a send may take here: a case that is about silence takes that long."""


class CaseFailed(Exception):
    """The channel did not do what the case asks; the message says what it did."""


def demand(holds: bool, what: str) -> None:
    """Fail the case where something does not hold."""
    if not holds:
        raise CaseFailed(what)


@dataclass
class Server:
    """A provider that answers each request with these bytes; None closes at once, `hold_s` waits before closing."""

    answer: bytes | None
    hold_s: float = 0.0
    drip_s: float | None = None
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request and answer it."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            body = await reader.readexactly(int(lengths[0])) if lengths else b""
            self.requests.append((head.decode("latin-1"), body))
            for piece in [self.answer] if self.drip_s is None else [bytes([byte]) for byte in self.answer or b""]:
                writer.write(piece or b"")
                await writer.drain()
                await asyncio.sleep(self.drip_s or 0.0)
            await asyncio.sleep(self.hold_s)
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Server]:
    """Serve on a free port of this machine; at the end no connection is left."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "connections are served by tasks"
        tasks.add(task)
        await server.serve(reader, writer)

    listening = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with listening:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield server
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def answer(status: str, body: bytes = b"{}", *headers: str) -> bytes:
    """An HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def reply_on_trial(channel: str, text: str, fields: Mapping[str, Any]) -> OutboxEntry:
    """A reply under way to whom `fields` say, `address` at least; they may say anything else otherwise, too."""
    usual: dict[str, Any] = {
        "id": "out-trial-1",
        "seq": 1,
        "turn_id": None,
        "conversation_id": "conv-trial",
        "external_id": None,
        "author": Author.AGENT,
        "author_name": None,
        "ai_generated": True,
        "state": OutboxState.SENDING,
        "attempts": 1,
        "due_at": None,
        "last_error": None,
        "created_at": FROZEN_START,
    }
    return OutboxEntry(channel=channel, text=text, **{**usual, **fields})


class Trial:
    """The channel `name` of a configuration, on trial. Raises `ConfigurationError` where it cannot be tried."""

    def __init__(self, settings: Settings, name: str) -> None:
        channel = settings.channels.get(name)
        if not isinstance(channel, Remote):
            names = [one for one, known in settings.channels.items() if isinstance(known, Remote)]
            raise ConfigurationError(
                f"{name!r} is no channel that can be tried; those of kind rest and of vendors can: {', '.join(names) or 'none'}"
            )
        self.settings, self.name, self.configured = settings, name, channel
        self.shape: DeskShape = shape_of_channel(channel)
        if self.shape.inbound.sample is None or self.shape.answer.sample is None:
            raise ConfigurationError(
                f"channel {name!r} has no samples: give a customer's message as channels.{name}.inbound.sample and the "
                f"answer to a reply that was taken as channels.{name}.answer.sample"
            )
        self.sample = self._filled(self.shape.inbound.sample)
        self.taken = self._filled(self.shape.answer.sample).encode()
        self.fine = f"{self.shape.answer.sample_status} OK"
        self.built = self.channel("http://127.0.0.1:9")
        self.secret = channel.secrets[0].get_secret_value() if channel.secrets else ""

    def _filled(self, sample: str) -> str:
        for name in type(self.configured).model_fields:
            if isinstance(value := getattr(self.configured, name), str):
                sample = sample.replace("{" + name + "}", value)
        for name, value in getattr(self.configured, "values", {}).items():
            sample = sample.replace("{" + name + "}", value)
        return sample

    def channel(self, server: str) -> RestChannel:
        """The channel anew, sending to this server."""
        quick = self.configured.model_copy(update={"timeout_s": TIMEOUT_S})
        return rest_channel(self.name, quick, FrozenClock(), self.settings, instead=server)

    # In ------------------------------------------------------------------------------------------------------

    @property
    def payload(self) -> Any:
        """The sample as it is read: JSON, or the fields of a form."""
        return json.loads(self.sample) if self.shape.inbound.form == "json" else dict(parse_qsl(self.sample, True))

    def body(self, payload: Any) -> bytes:
        """A payload as the provider writes it."""
        if self.shape.inbound.form != "json":
            return urlencode(payload if isinstance(payload, dict) else {}).encode()
        return json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace")

    def request(self, body: bytes, *, secret: str | None = None, at: datetime = FROZEN_START) -> InboundRequest:
        """A request as the provider would sign it."""
        public = (self.settings.server.public_url or "http://127.0.0.1:8080").rstrip("/")
        url = f"{public}/webhooks/{self.name}"
        if self.shape.inbound.form == "query":
            url, body = f"{url}?{quote(body, safe='=&%+')}", b""
        plain = InboundRequest(method="POST", url=url, headers={}, body=body, received_at=at)
        return signed(self.name, self.shape.signature, plain, secret=self.secret if secret is None else secret)

    def read(self, body: bytes) -> Events:
        """What the channel reads in a request that its provider signed."""
        return self.built.read(self.request(body))

    def scope(self, sample: str) -> Any:
        """All there is to see of a sample."""
        return self.built.scope(self.request(sample.encode()))

    def message(self) -> Inbound:
        """The one message of the sample."""
        events = self.read(self.sample.encode())
        demand(len(events.messages) == 1, f"the sample gives {len(events.messages)} messages: {events}")
        return events.messages[0]

    def saying(self, text: str) -> bytes:
        """The sample with another text."""
        words = self.message().text
        changed = [0]

        def swap(node: Any) -> Any:
            if isinstance(node, str) and words in node:
                changed[0] += 1
                return node.replace(words, text)
            if isinstance(node, dict):
                return {name: swap(inner) for name, inner in node.items()}
            return [swap(inner) for inner in node] if isinstance(node, list) else node

        payload = swap(self.payload)
        demand(changed[0] > 0, f"the sample does not hold its own text {words!r}")
        return self.body(payload)

    # Out -----------------------------------------------------------------------------------------------------

    def entry(self, text: str = "It left on Monday.", **changes: Any) -> OutboxEntry:
        """A reply to the sample's customer."""
        asked = self.message()
        return reply_on_trial(self.name, text, {"address": asked.address, "external_id": asked.external_id, **changes})

    def sent(self, server: Server, *entries: OutboxEntry, how: str = "send") -> list[SendResult]:
        """What becomes of sends, or look-ups, to a provider that answers so."""

        async def scene() -> list[SendResult]:
            async with serving(server):
                channel = self.channel(server.url)
                ask: Callable[[OutboxEntry], Any] = channel.send if how == "send" else channel.look_up
                try:
                    return [await ask(entry) for entry in entries or (self.entry(),)]
                finally:
                    await channel.close()

        return asyncio.run(scene())


def paths_in(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in JSON data."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield (*at, key)
        yield from paths_in(value, (*at, key))


def changed(payload: Any, at: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    """A copy of JSON data in which one value was changed."""
    copy = json.loads(json.dumps(payload))
    node = copy
    for key in at[:-1]:
        node = node[key]
    change(node, at[-1])
    return copy
