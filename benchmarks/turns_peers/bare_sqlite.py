"""The limit on SQLite: one table, four states, one writer thread that commits in groups. It keeps no evidence and no ledger.

    received ─> sending ─> done          a turn whose draft is delivered: three writes
    received ─> held ─> sending ─> done  one that waits for a verdict: four

Durable before the acknowledgement (WAL, synchronous=FULL); after a crash every open turn goes on, and a reply that was
under way is sent again under its key. The oldest open turn of a conversation is the only one that moves.
"""

from __future__ import annotations

import asyncio
import json
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from turns_peers import agent
from turns_peers.face import AUTOMATIC, Channel, Message, serve

T = TypeVar("T")
Step = Callable[[sqlite3.Connection], T]

GROUP_MAX = 256
SCHEMA = """
CREATE TABLE IF NOT EXISTS turns (
    id INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL UNIQUE,
    conversation TEXT NOT NULL,
    address TEXT NOT NULL,
    topic TEXT NOT NULL,
    text TEXT NOT NULL,
    state TEXT NOT NULL,
    draft TEXT,
    created_at REAL NOT NULL DEFAULT (julianday('now'))
);
CREATE INDEX IF NOT EXISTS open_turns ON turns (conversation, id) WHERE state <> 'done';
CREATE INDEX IF NOT EXISTS held_turns ON turns (id) WHERE state = 'held';
"""
HEAD = "SELECT id, conversation, address, topic, text, state, draft FROM turns WHERE conversation = ? AND state <> 'done' ORDER BY id LIMIT 1"


@dataclass(frozen=True, slots=True)
class Turn:
    """An open turn."""

    id: int
    conversation: str
    address: str
    topic: str
    text: str
    state: str
    draft: str | None


def connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


class Writer:
    """One thread; while a group is committed the next gathers."""

    def __init__(self, path: str) -> None:
        self._connection = connect(path)
        self._connection.executescript(SCHEMA)
        self._queue: queue.SimpleQueue[tuple[Step[Any], asyncio.Future[Any]] | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def write(self, step: Step[T]) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put((step, future))
        return future

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group = [first]
            while len(group) < GROUP_MAX:
                try:
                    following = self._queue.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    self._queue.put(None)
                    break
                group.append(following)
            self._connection.execute("BEGIN IMMEDIATE")
            results = [(future, step(self._connection)) for step, future in group]
            self._connection.execute("COMMIT")
            self._loop.call_soon_threadsafe(_settle, results)


def _settle(results: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, result in results:
        if not future.done():
            future.set_result(result)


class BareSqlite:
    """Keeps `face.Engine`."""

    def __init__(self, path: str, channel: Channel) -> None:
        self._path = path
        self._channel = channel
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._writer = Writer(self._path)
        self._reader = connect(self._path)
        self._reading = asyncio.Lock()
        rows = self._reader.execute("SELECT DISTINCT conversation FROM turns WHERE state <> 'done'").fetchall()
        for (conversation,) in rows:
            self._go_on(await self._writer.write(_look(conversation)))

    async def stop(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._writer.close()
        await self._channel.close()

    async def receive(self, message: Message) -> bool:
        def step(db: sqlite3.Connection) -> tuple[bool, Turn | None]:
            added = db.execute(
                "INSERT INTO turns (message_id, conversation, address, topic, text, state) "
                "VALUES (?, ?, ?, ?, ?, 'received') ON CONFLICT DO NOTHING",
                (message.id, message.conversation, message.address, message.topic, message.text),
            )
            if added.rowcount == 0:
                return False, None
            head = _head(db, message.conversation)
            return True, head if head is not None and head.id == added.lastrowid else None

        is_new, head = await self._writer.write(step)
        self._go_on(head)
        return is_new

    async def holds(self, limit: int) -> list[str]:
        async with self._reading:
            rows = await asyncio.to_thread(
                lambda: self._reader.execute(
                    "SELECT id FROM turns WHERE state = 'held' ORDER BY id LIMIT ?", (limit,)
                ).fetchall()
            )
        return [str(row[0]) for row in rows]

    async def approve(self, hold_id: str) -> None:
        def step(db: sqlite3.Connection) -> Turn | None:
            changed = db.execute("UPDATE turns SET state = 'sending' WHERE id = ? AND state = 'held'", (int(hold_id),))
            if changed.rowcount == 0:
                return None
            (conversation,) = db.execute("SELECT conversation FROM turns WHERE id = ?", (int(hold_id),)).fetchone()
            return _head(db, conversation)

        self._go_on(await self._writer.write(step))

    def _go_on(self, turn: Turn | None) -> None:
        if turn is not None and turn.state != "held":
            task = asyncio.create_task(self._advance(turn))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _advance(self, turn: Turn | None) -> None:
        while turn is not None and turn.state != "held":
            text = turn.draft
            if turn.state == "received":
                draft = await agent.draft({"messages": [{"role": "user", "content": turn.text}]})
                text = json.dumps(draft)
                state = "sending" if turn.topic == AUTOMATIC else "held"
                await self._writer.write(_decided(turn.id, state, text))
                if state == "held":
                    return
            assert text is not None
            await self._channel.send(
                key=f"turn-{turn.id}",
                conversation=turn.conversation,
                address=turn.address,
                text=json.loads(text)["text"],
            )
            turn = await self._writer.write(_done(turn))


def _head(db: sqlite3.Connection, conversation: str) -> Turn | None:
    row = db.execute(HEAD, (conversation,)).fetchone()
    return None if row is None else Turn(*row)


def _look(conversation: str) -> Step[Turn | None]:
    return lambda db: _head(db, conversation)


def _decided(turn_id: int, state: str, draft: str) -> Step[None]:
    def step(db: sqlite3.Connection) -> None:
        db.execute("UPDATE turns SET state = ?, draft = ? WHERE id = ? AND state = 'received'", (state, draft, turn_id))

    return step


def _done(turn: Turn) -> Step[Turn | None]:
    def step(db: sqlite3.Connection) -> Turn | None:
        db.execute("UPDATE turns SET state = 'done' WHERE id = ? AND state = 'sending'", (turn.id,))
        return _head(db, turn.conversation)

    return step


if __name__ == "__main__":
    serve(BareSqlite)
