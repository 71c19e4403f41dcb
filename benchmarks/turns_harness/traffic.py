"""Customers and reviewers: how a system is loaded. It knows Understudy's HTTP API, which the peers share, and no system.

*Saturated*: so many customers write at once, each waiting for the reply before the next message; one question in five
is on the topic that waits for a person. A reviewer reads the queue and approves what is new. *At low load*: a message
every so often, whatever became of the last. *Waiting*: nothing but drafts for people.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import time
from base64 import b64encode
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from turns_harness.books import Books, Question
from turns_harness.http import Client

AUTOMATIC, HELD = "shipping", "returns"
HELD_SHARE = 0.2
QUEUE_PAGE = 200
QUEUE_POLL_S = 0.2
REVIEWERS = 8
DRAIN_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """How to reach a system. `signing_key` None: it takes unsigned messages; `api_key` None: it asks for none."""

    host: str
    port: int
    signing_key: bytes | None
    api_key: str | None

    def sign(self, message_id: str, body: bytes) -> str:
        """Make the header lines of an inbound message (Standard Webhooks)."""
        if self.signing_key is None:
            return "content-type: application/json\r\n"
        now = str(int(time.time()))
        signed = hmac.digest(self.signing_key, f"{message_id}.{now}.".encode() + body, hashlib.sha256)
        return (
            f"content-type: application/json\r\nwebhook-id: {message_id}\r\nwebhook-timestamp: {now}\r\n"
            f"webhook-signature: v1,{b64encode(signed).decode()}\r\n"
        )


class Traffic:
    """Drives one system and enters all in its books."""

    def __init__(self, address: Address, books: Books, *, seed: int = 7) -> None:
        self._address = address
        self._books = books
        self._http = Client(address.host, address.port)
        self._dice = random.Random(seed)
        self._auth = "" if address.api_key is None else f"authorization: Bearer {address.api_key}\r\n"
        self._is_over = False

    async def saturate(self, *, customers: int, until: asyncio.Event) -> None:
        """Load the system until told otherwise, then wait for every reply."""
        self._is_over = False

        async def write() -> None:
            await _all([self._customer(until) for _ in range(customers)])
            await self._drain()

        await _all([self._review(), write()])

    async def trickle(self, *, per_s: float, seconds: float) -> None:
        """Write `per_s` messages a second, all on the automatic topic."""
        asking: list[asyncio.Task[bool]] = []
        began = time.perf_counter()
        for number in range(int(per_s * seconds)):
            await asyncio.sleep(max(0.0, began + (number + self._dice.random() * 0.5) / per_s - time.perf_counter()))
            asking.append(asyncio.create_task(self._ask(self._books.ask(is_automatic=True))))
        await asyncio.gather(*asking)
        await self._drain()

    async def pile_up(self, count: int, *, customers: int) -> None:
        """Write `count` messages that all wait for a person; returns when the queue has them all."""
        numbers = iter(range(count))

        async def customer() -> None:
            for _ in numbers:
                self._books.ready.clear()
                # A full backlog is waited for; nothing tells when it is not full any more.
                while not await self._ask(self._books.ask(is_automatic=False)):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)

        await _all([customer() for _ in range(customers)])

    async def release(self) -> None:
        """Approve all that waits, and wait for the replies."""
        self._is_over = False
        await _all([self._review(), self._drain()])

    async def queue_page_ms(self, times: int) -> list[float]:
        """Read the first page of the queue so often; milliseconds each."""
        took = []
        for _ in range(times):
            began = time.perf_counter()
            await self._holds(limit=50)
            took.append((time.perf_counter() - began) * 1000)
        return took

    def close(self) -> None:
        self._http.close()

    async def _customer(self, until: asyncio.Event) -> None:
        while not until.is_set():
            is_automatic = self._dice.random() >= HELD_SHARE
            question = self._books.ask(is_automatic=is_automatic)
            if not await self._ask(question):
                await asyncio.sleep(0.05)
            elif is_automatic:
                try:
                    await asyncio.wait_for(question.replied.wait(), DRAIN_S)
                except TimeoutError:
                    return  # the books say what is lost

    async def _ask(self, question: Question) -> bool:
        conversation = question.conversation.id
        data = {
            "id": f"m{question.number}",
            "conversation_id": conversation,
            "from": f"{conversation}@example.com",
            "text": f"Hello, could you tell me when my order {question.number} will arrive? I need it this week.",
            "topic": AUTOMATIC if question.is_automatic else HELD,
        }
        body = json.dumps({"type": "message.received", "data": data}, separators=(",", ":")).encode()
        question.sent_at = time.perf_counter()
        headers = self._address.sign(data["id"], body)
        status, answer = await self._http.request("POST", "/webhooks/bench", headers=headers, body=body)
        if status == 503:
            self._books.refused(question)
            return False
        if status != 200:
            raise RuntimeError(f"{self._books.name} answered {status} to a message: {answer[:300]!r}")
        question.acknowledged_at = time.perf_counter()
        return True

    async def _review(self) -> None:
        """Read the queue again and again, and approve what is new."""
        approved: set[str] = set()
        gate = asyncio.Semaphore(REVIEWERS)

        async def approve(hold: dict[str, Any]) -> None:
            async with gate:
                headers = f'{self._auth}if-match: "{hold["version"]}"\r\ncontent-type: application/json\r\n'
                path = f"/v1/holds/{hold['id']}/verdict"
                status, answer = await self._http.request("POST", path, headers=headers, body=b'{"action":"approve"}')
                if status != 200:
                    raise RuntimeError(f"{self._books.name} answered {status} to a verdict: {answer[:300]!r}")

        while not self._is_over:
            new = [hold for hold in await self._holds(limit=QUEUE_PAGE) if hold["id"] not in approved]
            approved.update(hold["id"] for hold in new)
            await _all([approve(hold) for hold in new])
            if len(new) < QUEUE_PAGE / 2:
                await asyncio.sleep(QUEUE_POLL_S)

    async def _holds(self, *, limit: int) -> list[dict[str, Any]]:
        status, body = await self._http.request("GET", f"/v1/holds?limit={limit}", headers=self._auth)
        if status != 200:
            raise RuntimeError(f"{self._books.name} answered {status} to a look at the queue: {body[:300]!r}")
        items: list[dict[str, Any]] = json.loads(body)["items"]
        return items

    async def _drain(self) -> None:
        """Wait until every question has its reply; what has none after `DRAIN_S` without any progress is lost."""
        last, since = self._books.unanswered, time.perf_counter()
        while self._books.unanswered and time.perf_counter() - since < DRAIN_S:
            await asyncio.sleep(0.02)
            if self._books.unanswered != last:
                last, since = self._books.unanswered, time.perf_counter()
        self._is_over = True


async def _all(running: list[Coroutine[Any, Any, None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for one in running:
            group.create_task(one)
