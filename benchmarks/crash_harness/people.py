"""The people of a cell: customers who write until they are acknowledged, and a reviewer who tells the truth.

They speak HTTP to whichever process serves, as they would to a load balancer, and repeat under the same name what was
not answered. Of an unsure send the reviewer says what the customer has, a second after the hold was opened: by then
bytes of a dead process have arrived. They know no store.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from crash_harness.books import Books, Conversation, Question
from turns_harness.http import Client
from turns_harness.traffic import Address

AUTOMATIC, HELD = "shipping", "returns"
HELD_SHARE = 0.15
IMPATIENT_SHARE = 0.25
"""How many messages are followed by another without waiting for the reply."""
MESSAGES_MIN, MESSAGES_MAX = 2, 4
PAUSE_S_MAX = 0.25
ANSWER_WITHIN_S = 15.0
TRY_AGAIN_S = 0.1
REPLY_WITHIN_S = 60.0
LOOK_AT_QUEUE_S = 0.2
SURE_AFTER_S = 1.0
LATER_SHARE, TAKEN_BACK_SHARE, UNDO_S = 0.5, 0.3, 0.3
"""How many drafts are approved so that it can be taken back, how many of those are, and within how long."""
HELD_WANTED = {"hold.opened", "verdict.given", "hold.deciding", "hold.reopened"}
"""What comes only where a person has to look at a draft; `LATER_WANTED`: only where what they say can be taken back."""
LATER_WANTED = {"hold.deciding": (0.9, TAKEN_BACK_SHARE), "hold.reopened": (0.9, 0.9)}
BROKEN = (OSError, TimeoutError, asyncio.IncompleteReadError)


class Door:
    """The processes of a cell that serve, and how to reach one of them."""

    def __init__(self, addresses: Sequence[Address], dice: random.Random) -> None:
        self._clients = [(address, Client(address.host, address.port)) for address in addresses]
        self._dice = dice

    async def request(
        self, method: str, path: str, *, headers: Callable[[Address], str], body: bytes = b""
    ) -> tuple[int, bytes] | None:
        """Ask one of them; None where it gave no answer, and nobody knows what it did."""
        address, client = self._dice.choice(self._clients)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await client.request(method, path, headers=headers(address), body=body)
        except BROKEN:
            return None

    def close(self) -> None:
        for _, client in self._clients:
            client.close()


class Customers:
    """Customers who write at the same time; `are_done` once they are told that it is over and all have ended."""

    def __init__(self, door: Door, books: Books, dice: random.Random) -> None:
        self._door = door
        self._books = books
        self._dice = dice
        self.is_over = False
        self.held_share, self.impatient_share = HELD_SHARE, IMPATIENT_SHARE

    async def write(self) -> None:
        """Be one customer after the other, until it is over."""
        while not self.is_over:
            conversation = self._books.begin(is_held=self._dice.random() < self.held_share)
            for _ in range(self._dice.randint(MESSAGES_MIN, MESSAGES_MAX)):
                question = self._books.ask(conversation)
                await self.send(conversation, question)
                if self._dice.random() >= self.impatient_share:
                    try:
                        await asyncio.wait_for(question.replied.wait(), REPLY_WITHIN_S)
                    except TimeoutError:
                        break  # the books say whether it is lost
                    await asyncio.sleep(self._dice.random() * PAUSE_S_MAX)
                else:
                    await asyncio.sleep(self._dice.random() * 0.05)

    async def send(self, conversation: Conversation, question: Question) -> None:
        """Send a message again and again until it is acknowledged."""
        data = {
            "id": f"m{question.number}",
            "conversation_id": conversation.id,
            "from": f"{conversation.id}@example.com",
            "text": f"Hello, when will my parcel {question.number} arrive?",
            "topic": HELD if conversation.is_held else AUTOMATIC,
        }
        body = json.dumps({"type": "message.received", "data": data}, separators=(",", ":")).encode()
        while True:
            answer = await self._door.request(
                "POST", "/webhooks/desk", headers=lambda address: address.sign(data["id"], body), body=body
            )
            if answer is not None and answer[0] == 200:
                self._books.counts["recognised"] += json.loads(answer[1])["duplicates"]
                self._books.acknowledged(question)
                return
            self._books.counts["not_acknowledged"] += 1
            self._books.counts["no_answer" if answer is None else f"answered_{answer[0]}"] += 1
            if answer is not None and answer[0] not in (500, 503):
                raise RuntimeError(f"a message was answered {answer[0]}: {answer[1][:300]!r}")
            await asyncio.sleep(TRY_AGAIN_S * self._dice.uniform(0.5, 1.5))


class Reviewer:
    """Approves every draft, some only after having taken it back, and says of every unsure send what the customer has."""

    def __init__(self, door: Door, books: Books, dice: random.Random) -> None:
        self._door = door
        self._books = books
        self._dice = dice
        self.waiting = 0
        self.unsure_seen: set[str] = set()
        self.later_share, self.taken_back_share = LATER_SHARE, TAKEN_BACK_SHARE

    async def review(self) -> None:
        """Look at the queue for ever."""
        while True:
            holds = await self._queue()
            if holds is not None:
                self.waiting = len(holds)
                for hold in holds:
                    await self._decide(hold)
            await asyncio.sleep(LOOK_AT_QUEUE_S)

    async def _queue(self) -> list[dict[str, Any]] | None:
        answer = await self._door.request("GET", "/v1/holds?limit=200", headers=_key)
        if answer is None or answer[0] != 200:
            return None
        items: list[dict[str, Any]] = json.loads(answer[1])["items"]
        return items

    async def _decide(self, hold: dict[str, Any]) -> None:
        verdict: dict[str, Any] | None = {"action": "approve"}
        if hold["kind"] not in ("draft", "audit"):
            verdict = await self._look_into(hold)
        if verdict is None:
            return
        is_later = hold["kind"] == "draft" and self._dice.random() < self.later_share
        if is_later:
            verdict["undo_s"] = UNDO_S
        answer = await self._door.request(
            "POST",
            f"/v1/holds/{hold['id']}/verdict",
            headers=lambda address: (
                f'{_key(address)}if-match: "{hold["version"]}"\r\ncontent-type: application/json\r\n'
            ),
            body=json.dumps(verdict).encode(),
        )
        if answer is not None and answer[0] == 200:
            self._books.counts[f"{hold['kind']}_{verdict['action']}"] += 1
            if is_later and self._dice.random() < self.taken_back_share:
                await self._take_back(hold["id"])
        elif answer is not None and answer[0] not in (409, 412, 500, 503):
            raise RuntimeError(f"a verdict on {hold} was answered {answer[0]}: {answer[1][:300]!r}")

    async def _take_back(self, hold_id: str) -> None:
        answer = await self._door.request("DELETE", f"/v1/holds/{hold_id}/verdict", headers=_key)
        if answer is not None and answer[0] == 200:
            self._books.counts["taken_back"] += 1
        elif answer is not None and answer[0] not in (409, 500, 503):
            raise RuntimeError(f"taking back the verdict on {hold_id} was answered {answer[0]}: {answer[1][:300]!r}")

    async def _look_into(self, hold: dict[str, Any]) -> dict[str, Any] | None:
        """What to say of a hold that is no draft; None = not yet."""
        answer = await self._door.request("GET", f"/v1/holds/{hold['id']}", headers=_key)
        if answer is None or answer[0] != 200:
            return None
        detail = json.loads(answer[1])
        name = detail["conversation"]["external_id"]
        for number in sorted(self._books.open):
            conversation = self._books.questions[number].conversation
            conversation.needs_person |= conversation.id == name
        if hold["kind"] == "hand_off":
            numbers = " and ".join(
                str(one.number) for one in self._books.questions.values()
                if one.conversation.id == name and one.is_open
            )  # fmt: skip
            return {"action": "respond", "text": f"By hand: {numbers}"} if numbers else {"action": "take_over"}
        self.unsure_seen.add(hold["id"])
        age = datetime.now(UTC) - datetime.fromisoformat(hold["created_at"])
        if age.total_seconds() < SURE_AFTER_S:
            return None
        return {"action": "reject" if self._books.has_reached(detail["turn"]["reply"]["text"]) else "approve"}


def lead_to(event: str, customers: Customers, reviewer: Reviewer) -> None:
    """Let people do more often than by themselves what leads to an event; the empty one: as ever."""
    customers.held_share = 0.7 if event in HELD_WANTED else HELD_SHARE
    customers.impatient_share = 0.9 if event == "turn.superseded" else IMPATIENT_SHARE
    reviewer.later_share, reviewer.taken_back_share = LATER_WANTED.get(event, (LATER_SHARE, TAKEN_BACK_SHARE))


def _key(address: Address) -> str:
    return f"authorization: Bearer {address.api_key}\r\n"
