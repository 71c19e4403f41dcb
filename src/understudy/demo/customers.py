"""The demo's customers: they write their lines into the web chat, over HTTP, when it is their turn. They read nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx2

from understudy.app import App
from understudy.demo.story import Line
from understudy.ports.store import Transaction
from understudy.records.turn import TurnState

CHANNEL = "webchat"
LOOK_EVERY_S = 0.05
WAIT_S_MAX = 20.0
ATTEMPTS_MAX = 5


class Customers:
    """Plays a story against a running server; `said` is called after each line with how many were said so far."""

    def __init__(self, app: App, http: httpx2.AsyncClient, *, pace: float, said: Callable[[int], None]) -> None:
        self._app = app
        self._http = http
        self._pace = pace
        self._said = said
        self._sessions: dict[str, dict[str, str]] = {}

    async def play(self, story: tuple[Line, ...]) -> None:
        """Say every line in order; `pace` stretches (above 1) or shortens the pauses between customers."""
        for number, line in enumerate(story, start=1):
            # The pauses inside a burst are the story; only those between customers are stretched.
            await asyncio.sleep(line.after_s if line.kind == "burst" else line.after_s * self._pace)
            session = await self._session(line.conversation)
            if line.wait_for is not None:
                await self._until(session["conversation_id"], line.wait_for)
            await self._say(session["token"], f"line-{number}", line)
            self._said(number)

    async def _session(self, conversation: str) -> dict[str, str]:
        if conversation not in self._sessions:
            answer = await self._http.post("/chat/sessions", json={})
            answer.raise_for_status()
            self._sessions[conversation] = answer.json()
        return self._sessions[conversation]

    async def _say(self, token: str, client_id: str, line: Line) -> None:
        body = {"id": client_id, "text": line.text, "name": line.name}
        for attempt in range(1, ATTEMPTS_MAX + 1):
            answer = await self._http.post("/chat/messages", json=body, headers={"Authorization": f"Bearer {token}"})
            if answer.status_code != 503 or attempt == ATTEMPTS_MAX:
                answer.raise_for_status()
                return
            await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))

    async def _until(self, external_id: str, wanted: str) -> None:
        """Wait until the customer's last turn got so far; after `WAIT_S_MAX` the customer writes all the same."""
        states = (
            {TurnState.HELD} if wanted == "held" else {TurnState.ANSWERED, TurnState.HANDED_OFF, TurnState.SUPERSEDED}
        )

        def query(tx: Transaction) -> bool:
            conversation = tx.conversations.find(CHANNEL, external_id)
            turn = None if conversation is None else tx.turns.latest_of(conversation.id)
            return turn is not None and turn.state in states

        await wait_until(lambda: self._app.store.read(query), limit_s=WAIT_S_MAX)


async def wait_until(holds: Callable[[], Awaitable[bool]], *, limit_s: float) -> bool:
    """Look again and again until it holds; False where the time ran out first."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + limit_s
    while not await holds():
        if loop.time() >= ends:
            return False
        await asyncio.sleep(LOOK_EVERY_S)
    return True
