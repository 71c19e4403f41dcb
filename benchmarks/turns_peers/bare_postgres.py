"""The limit on PostgreSQL: one table, four states, work claimed by SKIP LOCKED, writes in batches. No evidence, no ledger.

    received ─> sending ─> done          a turn whose draft is delivered
    received ─> held ─> sending ─> done  one that waits for a verdict

Durable before the acknowledgement (synchronous_commit=on). A claim is a lease, so any number of processes may share
the table; what a dead one had claimed is claimed again, and its reply sent again under its key. Only the oldest open
turn of a conversation can be claimed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import psycopg

from turns_peers import agent
from turns_peers.face import AUTOMATIC, Channel, Message, serve

T = TypeVar("T")
R = TypeVar("R")

CLAIM_MAX = 128
BATCH_MAX = 256
POLL_S = 0.2
"""How soon work that another process left, or whose lease lapsed, is looked for; one's own is announced in memory."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS turns (
    id bigserial PRIMARY KEY,
    message_id text NOT NULL UNIQUE,
    conversation text NOT NULL,
    address text NOT NULL,
    topic text NOT NULL,
    text text NOT NULL,
    state text NOT NULL,
    draft text,
    leased_until timestamptz NOT NULL DEFAULT '-infinity',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS open_turns ON turns (conversation, id) WHERE state <> 'done';
CREATE INDEX IF NOT EXISTS ready_turns ON turns (id) WHERE state IN ('received', 'sending');
CREATE INDEX IF NOT EXISTS held_turns ON turns (id) WHERE state = 'held';
"""
RECEIVE = """
INSERT INTO turns (message_id, conversation, address, topic, text, state)
SELECT *, 'received' FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
ON CONFLICT DO NOTHING RETURNING message_id
"""
CLAIM = """
UPDATE turns SET leased_until = now() + interval '30 s' WHERE id IN (
    SELECT id FROM turns AS turn
    WHERE state IN ('received', 'sending') AND leased_until < now() AND NOT EXISTS (
        SELECT FROM turns AS older
        WHERE older.conversation = turn.conversation AND older.id < turn.id AND older.state <> 'done')
    ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id, conversation, address, topic, text, state, draft
"""
CHANGE = """
UPDATE turns SET state = new.state, draft = coalesce(new.draft, turns.draft)
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) AS new (id, was, state, draft)
WHERE turns.id = new.id AND turns.state = new.was
"""
APPROVE = "UPDATE turns SET state = 'sending', leased_until = '-infinity' WHERE id = ANY(%s) AND state = 'held'"
Change = tuple[int, str, str, str | None]


class Batch(Generic[T, R]):
    """Collects while the batch before it is written; each item gets its result once its batch is committed."""

    def __init__(self, write: Callable[[list[T]], Awaitable[list[R]]]) -> None:
        self._write = write
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._is_writing = False

    async def put(self, item: T) -> R:
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if not self._is_writing:
            self._is_writing = True
            self._task = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
            results = await self._write([item for item, _ in group])
            for (_, future), result in zip(group, results, strict=True):
                future.set_result(result)
        self._is_writing = False


class BarePostgres:
    """Keeps `face.Engine`."""

    def __init__(self, url: str, channel: Channel) -> None:
        self._url = url
        self._channel = channel
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._intake, self._claims, self._changes, self._verdicts = [
            await psycopg.AsyncConnection.connect(self._url, autocommit=True, prepare_threshold=0) for _ in range(4)
        ]
        await self._intake.execute(SCHEMA, prepare=False)
        self._received: Batch[Message, bool] = Batch(self._receive)
        self._changed: Batch[Change, None] = Batch(self._change)
        self._approved: Batch[int, None] = Batch(self._approve)
        self._work = asyncio.Event()
        self._claimer = asyncio.create_task(self._claim())

    async def stop(self) -> None:
        self._claimer.cancel()
        await asyncio.gather(self._claimer, *self._tasks, return_exceptions=True)
        for connection in (self._intake, self._claims, self._changes, self._verdicts):
            await connection.close()
        await self._channel.close()

    async def receive(self, message: Message) -> bool:
        return await self._received.put(message)

    async def holds(self, limit: int) -> list[str]:
        cursor = await self._verdicts.execute(
            "SELECT id FROM turns WHERE state = 'held' ORDER BY id LIMIT %s", (limit,)
        )
        return [str(row[0]) for row in await cursor.fetchall()]

    async def approve(self, hold_id: str) -> None:
        await self._approved.put(int(hold_id))

    async def _receive(self, messages: list[Message]) -> list[bool]:
        columns = [
            [getattr(one, name) for one in messages] for name in ("id", "conversation", "address", "topic", "text")
        ]
        cursor = await self._intake.execute(RECEIVE, columns)
        stored = {row[0] for row in await cursor.fetchall()}
        self._work.set()
        return [message.id in stored for message in messages]

    async def _change(self, changes: list[Change]) -> list[None]:
        await self._changes.execute(CHANGE, [list(column) for column in zip(*changes, strict=True)])
        return [None] * len(changes)

    async def _approve(self, ids: list[int]) -> list[None]:
        await self._verdicts.execute(APPROVE, (ids,))
        self._work.set()
        return [None] * len(ids)

    async def _claim(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._work.wait(), POLL_S)
            except TimeoutError:
                pass  # look for what others left
            self._work.clear()
            cursor = await self._claims.execute(CLAIM, (CLAIM_MAX,))
            rows = await cursor.fetchall()
            if len(rows) == CLAIM_MAX:
                self._work.set()
            for row in sorted(rows):
                task = asyncio.create_task(self._advance(row))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _advance(self, row: tuple[Any, ...]) -> None:
        turn_id, conversation, address, topic, question, state, stored = row
        if state == "received":
            stored = json.dumps(await agent.draft({"messages": [{"role": "user", "content": question}]}))
            to = "sending" if topic == AUTOMATIC else "held"
            await self._changed.put((turn_id, "received", to, stored))
            if to == "held":
                return
        text = json.loads(stored)["text"]
        await self._channel.send(key=f"turn-{turn_id}", conversation=conversation, address=address, text=text)
        await self._changed.put((turn_id, "sending", "done", None))
        self._work.set()  # a younger turn of the conversation may have waited


if __name__ == "__main__":
    serve(BarePostgres)
