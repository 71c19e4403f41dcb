"""Direct chats on Matrix as a channel, by the client-server API: a long poll in, a PUT out. It speaks no encryption.

The cursor is the server's `next_batch`, so that a batch is stored as a whole before the next is asked for. A reply's
transaction id is its key: the server drops a repeated one of the same access token, so a send of unknown outcome is
repeated safely. Replies in rooms with more than two people would be read by others, so nobody is answered there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import httpx2
from yarl import URL

from understudy.adapters.channels.matrix_reading import MatrixReading, place_of
from understudy.adapters.channels.outlet import RETRY_AFTER_S_MAX, TIMEOUT_S, Outlet, ahead_of, body_of, checked_url
from understudy.errors import ChannelUnreachable, MalformedInput
from understudy.ports.channel import Arrival, Capabilities, Checked, Events, Fetched, InboundRequest, Reached
from understudy.ports.clock import Clock
from understudy.records.conversation import Author, Inbound
from understudy.records.outbox import Accepted, OutboxEntry, Rejected, Retry, SendResult, Unknown, origin_of

BATCH = 50
PAGES_MAX = 50
"""Of a room in which more was said than a batch holds, so many pages are read to close the gap."""
FILTER = json.dumps(
    {
        "presence": {"types": []},
        "account_data": {"types": []},
        "room": {
            "timeline": {"limit": BATCH},
            "state": {"types": []},
            "ephemeral": {"types": []},
            "account_data": {"types": []},
        },
    }
)
SLACK_S = 15.0
"""How much longer than it was asked to wait a server may take to answer."""
ALONE_MAX = 2
AI_GENERATED, ORIGIN = "org.understudy.ai_generated", "org.understudy.origin"
"""What of a message says whose work it is, under names that clients which do not know them pass over."""


class MatrixChannel(Fetched, Checked):
    """An account on a homeserver. `invite_servers`: whose users may invite it; empty = anybody."""

    def __init__(
        self,
        name: str,
        *,
        homeserver: str,
        user_id: str,
        access_token: str,
        clock: Clock,
        text_chars_max: int,
        invite_servers: Sequence[str] = (),
        per_sender_hour_max: int | None = None,
        timeout_s: float = TIMEOUT_S,
        chars_max: int | None = None,
    ) -> None:
        self.name = name
        self._clock = clock
        self._base = homeserver.rstrip("/")
        self._user_id = user_id
        self._headers = {"authorization": f"Bearer {access_token}"}
        self._reading = MatrixReading(user_id=user_id, text_chars_max=text_chars_max)
        self._invite_servers = frozenset(invite_servers)
        self.per_sender_hour_max = per_sender_hour_max
        self._outlet = Outlet(checked_url(name, homeserver), clock=clock, timeout_s=timeout_s, honours_keys=True)
        self._client: httpx2.AsyncClient | None = None
        self._dated: str | None = None
        # A repeated key is dropped, and a room keeps its order.
        self.capabilities = Capabilities(honours_keys=True, chars_max=chars_max)

    def __repr__(self) -> str:
        return f"MatrixChannel({self.name!r}, {self._user_id!r})"

    def parse(self, request: InboundRequest) -> tuple[Inbound, ...]:  # noqa: ARG002
        """Refuse: nothing is posted here."""
        raise MalformedInput(f"channel {self.name!r} is an account on Matrix: write to {self._user_id}")

    # In ------------------------------------------------------------------------------------------------------

    async def fetch(self, cursor: str | None, *, wait_s: float) -> tuple[Arrival, ...]:
        """The next batch, as one arrival. Invitations are accepted on the way, which may be done twice without harm."""
        asked = {"filter": FILTER, "timeout": str(int(wait_s * 1000) if cursor is not None else 0)}
        if cursor is not None:
            asked["since"] = cursor
        batch = await self._ask("GET", "sync", params=asked, timeout_s=wait_s + SLACK_S)
        following = batch.get("next_batch")
        if not isinstance(following, str) or not following:
            raise ChannelUnreachable(f"{self._base} answered a sync without next_batch")
        try:
            found = await self._found(batch.get("rooms") or {}, cursor)
        except (AttributeError, TypeError, ValueError) as error:
            raise ChannelUnreachable(f"{self._base} answered a sync that is none: {error}") from error
        if cursor is None:  # what was said before nobody asked for
            return (Arrival(events=Events(), cursor=following),)
        if not found and following == cursor:
            return ()
        events = Events(
            messages=tuple(one for one in found if isinstance(one, Inbound)),
            ignored=tuple(one for one in found if isinstance(one, str)),
        )
        return (Arrival(events=events, cursor=following, id=following[:100]),)

    async def _found(self, rooms: Any, cursor: str | None) -> list[Inbound | str]:
        """What a batch holds, once its invitations are answered."""
        for room, invited in (rooms.get("invite") or {}).items():
            await self._answer_invitation(room, invited)
        found: list[Inbound | str] = []
        for room, joined in (rooms.get("join") or {}).items() if cursor is not None else ():
            found += await self._said_in(room, joined.get("timeline") or {}, cursor or "")
        return found

    async def _said_in(self, room: str, timeline: dict[str, Any], since: str) -> list[Inbound | str]:
        events = list(timeline.get("events") or [])
        if timeline.get("limited") and isinstance(timeline.get("prev_batch"), str):
            events = [*await self._missing(room, timeline["prev_batch"], since), *events]
        said = [one for event in events if (one := self._reading.read(room, event)) is not None]
        if any(isinstance(one, Inbound) for one in said) and not await self._is_between_two(room):
            return ["said in a room with more than two people, where others would read the answer"]
        return said

    async def _missing(self, room: str, before: str, since: str) -> list[Any]:
        """What was said in a room between two batches, oldest first."""
        pages: list[Any] = []
        for _ in range(PAGES_MAX):
            asked = {"dir": "b", "from": before, "to": since, "limit": "100"}
            page = await self._ask("GET", f"rooms/{quote(room, safe='')}/messages", params=asked)
            pages += page.get("chunk") or []
            if not page.get("chunk") or not isinstance(page.get("end"), str) or page["end"] == before:
                break
            before = page["end"]
        return pages[::-1]

    async def _is_between_two(self, room: str) -> bool:
        members = await self._ask("GET", f"rooms/{quote(room, safe='')}/joined_members")
        return len(members.get("joined") or {}) <= ALONE_MAX

    async def _answer_invitation(self, room: str, invited: Any) -> None:
        by = next(_inviters(invited, self._user_id), "")
        server = by.partition(":")[2]
        is_welcome = not self._invite_servers or server in self._invite_servers
        path = f"join/{quote(room, safe='')}" if is_welcome else f"rooms/{quote(room, safe='')}/leave"
        try:
            await self._ask("POST", path, body={})
        except ChannelUnreachable as error:
            if error.__cause__ is not None:  # a server that says no has taken the invitation back
                raise

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        body: Any = None,
        timeout_s: float = TIMEOUT_S,
    ) -> dict[str, Any]:
        """Ask the homeserver and read its answer; raises `ChannelUnreachable`, with a cause where there was none."""
        if self._client is None:
            self._client = httpx2.AsyncClient(headers=self._headers)
        url = f"{self._base}/_matrix/client/v3/{path}"
        try:
            answer = await self._client.request(method, url, params=params, json=body, timeout=timeout_s)
            said = answer.json()
        except (httpx2.HTTPError, ValueError, RecursionError) as error:
            raise ChannelUnreachable(
                f"{self._base} cannot be asked for {path.partition('/')[0]}: {error or type(error).__name__}"
            ) from error
        self._dated = answer.headers.get("date")
        if not isinstance(said, dict) or answer.status_code != 200:
            raise ChannelUnreachable(
                f"{self._base} refuses {path.partition('/')[0]}: {_refusal(answer.status_code, said)}"
            )
        return said

    async def check(self) -> Reached:
        """Ask whose the access token is; raises `ChannelUnreachable`."""
        who = (await self._ask("GET", "account/whoami")).get("user_id")
        if who != self._user_id:
            raise ChannelUnreachable(f"the access token is {who}'s, not {self._user_id}'s")
        says = f"{urlsplit(self._base).hostname} lets {who} in"
        return Reached(says=says, clock_ahead_s=ahead_of(self._dated, self._clock.now()))

    # Out -----------------------------------------------------------------------------------------------------

    async def send(self, entry: OutboxEntry) -> SendResult:
        """Say something in the room, under the key as transaction id."""
        limit = self.capabilities.chars_max
        if limit is not None and len(entry.text) > limit:
            return Rejected(reason=f"the reply is {len(entry.text)} characters long, {self.name} takes {limit}")
        room, thread = place_of(entry.external_id)
        if not room.startswith("!"):
            return Rejected(reason=f"{room[:100]!r} is no room; give one such as !abc:shop.example")
        content: dict[str, Any] = {
            "msgtype": "m.text" if entry.author is Author.REVIEWER else "m.notice",
            "body": entry.text,
            AI_GENERATED: entry.ai_generated,
            ORIGIN: origin_of(entry),
        }
        if thread is not None:
            content["m.relates_to"] = {"rel_type": "m.thread", "event_id": thread}
        path = f"rooms/{quote(room, safe='')}/send/m.room.message/{quote(entry.id, safe='')}"
        url = URL(f"{self._base}/_matrix/client/v3/{path}", encoded=True)
        headers = {**self._headers, "content-type": "application/json"}
        body = json.dumps(content, ensure_ascii=False).encode()
        return await self._outlet.send("PUT", url, headers=headers, body=body, read=self._meaning)

    async def _meaning(self, answer: aiohttp.ClientResponse, deadline: asyncio.Timeout) -> SendResult:  # noqa: ARG002
        try:
            said = json.loads(await body_of(answer) or b"null")
        except (ValueError, RecursionError):
            said = None
        if answer.status == 200:
            name = said.get("event_id") if isinstance(said, dict) else None
            if isinstance(name, str) and 0 < len(name) <= 500:
                return Accepted(provider_id=name)
            return Unknown(reason=f"{self._outlet.host} answered without the event's id")
        detail = f": {_refusal(answer.status, said)}"
        wait_ms = said.get("retry_after_ms") if isinstance(said, dict) else None
        after_s = min(wait_ms / 1000, RETRY_AFTER_S_MAX) if isinstance(wait_ms, int | float) and wait_ms >= 0 else None
        if answer.status == 401:
            return Retry(reason=f"{self._outlet.host} does not let {self._user_id} in{detail}", after_s=60.0)
        return self._outlet.refusal(answer, detail=detail, after_s=after_s)

    async def look_up(self, entry: OutboxEntry) -> SendResult:  # noqa: ARG002
        """Answer `Unknown`: it may be sent again under its key, so nobody needs to ask."""
        return Unknown(
            reason=f"{self.name} takes a repeated reply for the same one, so it is sent again and not looked up"
        )

    async def close(self) -> None:
        """Close the connections to the homeserver."""
        await self._outlet.close()
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def _inviters(invited: Any, user_id: str) -> Iterator[str]:
    events = ((invited or {}).get("invite_state") or {}).get("events") or []
    for event in events:
        if isinstance(event, dict) and event.get("type") == "m.room.member" and event.get("state_key") == user_id:
            yield str(event.get("sender", ""))


def _refusal(status: int, said: Any) -> str:
    if not isinstance(said, dict):
        return str(status)
    return f"{status} {said.get('errcode', '')} {said.get('error', '')}".strip()[:300]
