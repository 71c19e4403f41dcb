"""An account on Matrix on trial, against a homeserver of its own that says what each case tells it; it holds no case."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from understudy.adapters.channels.matrix import MatrixChannel
from understudy.connector_kit.trial import CaseFailed, Server, answer, demand, reply_on_trial, serving
from understudy.errors import ChannelUnreachable, UnderstudyError
from understudy.ports.channel import Arrival
from understudy.records.conversation import Inbound
from understudy.records.outbox import OutboxEntry, SendResult
from understudy.settings.matrix import Matrix
from understudy.settings.model import Settings
from understudy.testing.scripted import FrozenClock

TIMEOUT_S = 0.5
ADA = "@ada:home.example"
ROOM = "!kettle:home.example"


def once(status: str, body: bytes = b"{}") -> bytes:
    """An answer after which the connection is over, as it is here."""
    return answer(status, body, "connection: close")


@dataclass
class Homeserver(Server):
    """Answers by what stands in the path, and else with `answer`."""

    routes: Mapping[str, bytes] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Look at the path, then answer as a server with one answer does."""
        peeked = await reader.readline()
        path = peeked.decode("latin-1")
        said = next((body for part, body in self.routes.items() if part in path), self.answer)
        one = Server(answer=said, hold_s=self.hold_s, drip_s=self.drip_s)
        rest = asyncio.StreamReader()
        rest.feed_data(peeked)

        async def pump() -> None:
            while data := await reader.read(65_536):
                rest.feed_data(data)
            rest.feed_eof()

        pumping = asyncio.ensure_future(pump())
        try:
            await one.serve(rest, writer)
        finally:
            pumping.cancel()
            self.requests += one.requests


class MatrixTrial:
    """The account `name` of a configuration."""

    def __init__(self, settings: Settings, name: str, channel: Matrix) -> None:
        self.settings, self.name, self.configured = settings, name, channel
        self.built = self._channel("http://127.0.0.1:9")

    def _channel(self, url: str) -> MatrixChannel:
        return MatrixChannel(
            self.name,
            homeserver=url,
            user_id=self.configured.user_id,
            access_token="t",  # noqa: S106 - nobody is asked for it
            clock=FrozenClock(),
            text_chars_max=self.settings.limits.message_chars_max,
            invite_servers=self.configured.invite_servers,
            timeout_s=TIMEOUT_S,
            chars_max=self.configured.chars_max,
        )

    def event(self, body: str = "Where is my kettle?", **more: Any) -> dict[str, Any]:
        """What a customer says, as a homeserver tells of it."""
        content = {"msgtype": "m.text", "body": body, **more.pop("content", {})}
        return {"type": "m.room.message", "sender": ADA, "event_id": "$e1", "origin_server_ts": 1767268800000, "content": content, **more}  # fmt: skip

    def batch(self, *events: Any, **rooms: Any) -> bytes:
        """A sync in which these events were said in a room."""
        joined = {ROOM: {"timeline": {"events": list(events), "limited": False}}}
        return json.dumps({"next_batch": "s2", "rooms": {"join": joined, **rooms}}).encode()

    def fetched(
        self, batch: bytes, *, cursor: str | None = "s1", members: int = 2, status: str = "200 OK"
    ) -> tuple[list[Any], Homeserver]:
        """What is found in a batch, messages and why others are none, and what the server was asked."""
        joined: dict[str, Any] = {f"@u{n}:home.example": {} for n in range(members)}
        routes = {
            "/sync": once(status, batch),
            "joined_members": once("200 OK", json.dumps({"joined": joined}).encode()),
        }
        server = Homeserver(answer=once("200 OK"), routes=routes)

        async def scene() -> tuple[Arrival, ...]:
            async with serving(server):
                channel = self._channel(server.url)
                try:
                    return await channel.fetch(cursor, wait_s=0.0)
                finally:
                    await channel.close()

        try:
            arrivals = asyncio.run(scene())
        except UnderstudyError:
            raise
        except Exception as error:
            raise CaseFailed(f"broke with {type(error).__name__}: {error}") from error
        return [one for arrival in arrivals for one in (*arrival.events.messages, *arrival.events.ignored)], server

    def message(self, event: dict[str, Any]) -> Inbound:
        """The one message that an event is."""
        found, _ = self.fetched(self.batch(event))
        demand(len(found) == 1 and isinstance(found[0], Inbound), f"is taken for {found}")
        one: Inbound = found[0]
        return one

    def passed_over(self, event: dict[str, Any], *, members: int = 2) -> None:
        """Fail unless an event is passed over for a reason."""
        found, _ = self.fetched(self.batch(event), members=members)
        demand(len(found) == 1 and isinstance(found[0], str), f"is taken for {found}")

    def survives(self, batch: bytes) -> None:
        """Fail unless a batch is read or refused as what it is."""
        try:
            self.fetched(batch)
        except ChannelUnreachable:
            return

    def entry(self, text: str = "It left on Monday.", **changes: Any) -> OutboxEntry:
        """A reply into the room."""
        return reply_on_trial(self.name, text, {"address": ADA, "external_id": ROOM, **changes})

    def sent(self, server: Server, *entries: OutboxEntry) -> list[SendResult]:
        """Send replies to a server; what became of each."""

        async def scene() -> list[SendResult]:
            async with serving(server):
                channel = self._channel(server.url)
                try:
                    return [await channel.send(entry) for entry in entries or (self.entry(),)]
                finally:
                    await channel.close()

        return asyncio.run(scene())
