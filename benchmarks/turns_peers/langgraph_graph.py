"""The same turn on LangGraph: a thread per conversation, draft, assess, `interrupt` or deliver. It measures nothing.

Written for its strengths: async nodes, plain dicts as state, the default durability ("async": the next node runs while
the last checkpoint is written), the request acknowledged as soon as the input's checkpoint is stored, the drafts that
wait for a person remembered in memory and found again from the checkpoints after a restart. A lock per conversation
keeps the order, as two runs of one thread at once would fork it.

It runs in an environment of its own (`turns_harness/langgraph_environment.py`); nothing of it is a dependency.
"""

from __future__ import annotations

import asyncio
import operator
from contextlib import AsyncExitStack
from typing import Annotated, Any, TypedDict
from weakref import WeakValueDictionary

from langchain_core.runnables import RunnableConfig  # type: ignore[import-not-found]
from langgraph.checkpoint.base import BaseCheckpointSaver  # type: ignore[import-not-found]
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver  # type: ignore[import-not-found]
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver  # type: ignore[import-not-found]
from langgraph.graph import END, START, StateGraph  # type: ignore[import-not-found]
from langgraph.types import Command, interrupt  # type: ignore[import-not-found]
from psycopg.rows import dict_row

from turns_peers import agent
from turns_peers.face import AUTOMATIC, Channel, Message, serve

POOL_MAX = 20


class State(TypedDict):
    """One conversation."""

    messages: Annotated[list[dict[str, str]], operator.add]
    message_ids: Annotated[list[str], operator.add]
    address: str
    topic: str
    draft: dict[str, Any]
    decision: str


def graph(saver: BaseCheckpointSaver[str], channel: Channel) -> Any:
    """Compile the graph."""

    async def draft(state: State) -> dict[str, Any]:
        return {"draft": await agent.draft({"messages": state["messages"]})}

    async def assess(state: State) -> dict[str, Any]:
        return {"decision": "deliver" if state["topic"] == AUTOMATIC else "hold"}

    async def review(state: State) -> dict[str, Any]:
        verdict = interrupt({"draft": state["draft"]})
        return {"decision": "deliver" if verdict["action"] == "approve" else "reject"}

    async def deliver(state: State, config: RunnableConfig) -> dict[str, Any]:
        text = state["draft"]["text"]
        conversation = config["configurable"]["thread_id"]
        key = f"{conversation}:{state['message_ids'][-1]}"
        await channel.send(key=key, conversation=conversation, address=state["address"], text=text)
        return {"messages": [{"role": "assistant", "content": text}]}

    builder = StateGraph(State)
    for node in (draft, assess, review, deliver):
        builder.add_node(node.__name__, node)
    builder.add_edge(START, "draft")
    builder.add_edge("draft", "assess")
    builder.add_conditional_edges("assess", lambda state: "deliver" if state["decision"] == "deliver" else "review")
    builder.add_conditional_edges("review", lambda state: "deliver" if state["decision"] == "deliver" else END)
    builder.add_edge("deliver", END)
    return builder.compile(checkpointer=saver)


def telling(kind: type[Any], stored: dict[str, asyncio.Future[None]]) -> type[Any]:
    """A checkpointer that says when the checkpoint of a thread's new input is on disk."""

    class Telling(kind):  # type: ignore[misc]
        async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
            answer = await super().aput(config, checkpoint, metadata, new_versions)
            if metadata.get("source") == "input":
                waiting = stored.pop(config["configurable"]["thread_id"], None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(None)
            return answer

    return Telling


class LangGraph:
    """Keeps `face.Engine`."""

    def __init__(self, store: str, channel: Channel) -> None:
        self._store = store
        self._channel = channel
        self._open = AsyncExitStack()
        self._stored: dict[str, asyncio.Future[None]] = {}
        self._waiting: dict[str, str] = {}  # the last message's id, which names the hold, and its thread
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._saver = await self._checkpointer()
        await self._saver.setup()
        self._graph = graph(self._saver, self._channel)
        threads = {found.config["configurable"]["thread_id"] async for found in self._saver.alist(None)}
        for thread in threads:
            await self._recover(thread)

    async def stop(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._open.aclose()
        await self._channel.close()

    async def receive(self, message: Message) -> bool:
        thread = message.conversation
        lock = self._lock(thread)
        await lock.acquire()  # released by the run, which outlives the request
        known = await self._saver.aget_tuple(_config(thread))
        if known is not None and message.id in known.checkpoint["channel_values"].get("message_ids", ()):
            lock.release()
            return False
        state = {
            "messages": [{"role": "user", "content": message.text}],
            "message_ids": [message.id],
            "address": message.address,
            "topic": message.topic,
        }
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stored[thread] = stored
        self._spawn(self._run(thread, state, lock))
        await stored
        return True

    async def holds(self, limit: int) -> list[str]:
        return list(self._waiting)[:limit]

    async def approve(self, hold_id: str) -> None:
        thread = self._waiting.pop(hold_id, None)
        if thread is not None:
            async with self._lock(thread):
                await self._graph.ainvoke(Command(resume={"action": "approve"}), _config(thread))

    async def _run(self, thread: str, state: dict[str, Any] | None, lock: asyncio.Lock) -> None:
        try:
            result = await self._graph.ainvoke(state, _config(thread))
            if "__interrupt__" in result:
                self._waiting[result["message_ids"][-1]] = thread
        finally:
            lock.release()

    async def _recover(self, thread: str) -> None:
        snapshot = await self._graph.aget_state(_config(thread))
        if snapshot.interrupts:
            self._waiting[snapshot.values["message_ids"][-1]] = thread
        elif snapshot.next:
            lock = self._lock(thread)
            await lock.acquire()
            self._spawn(self._run(thread, None, lock))

    def _lock(self, thread: str) -> asyncio.Lock:
        """The lock of a thread, forgotten once nobody holds or awaits it."""
        return self._locks.setdefault(thread, asyncio.Lock())

    def _spawn(self, running: Any) -> None:
        task = asyncio.create_task(running)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _checkpointer(self) -> Any:
        if not self._store.startswith("postgresql"):
            saver = telling(AsyncSqliteSaver, self._stored).from_conn_string(self._store)
            return await self._open.enter_async_context(saver)
        from psycopg_pool import AsyncConnectionPool  # type: ignore[import-not-found,unused-ignore]

        settings = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
        pool = AsyncConnectionPool(self._store, min_size=4, max_size=POOL_MAX, kwargs=settings, open=False)
        return telling(AsyncPostgresSaver, self._stored)(await self._open.enter_async_context(pool))


def _config(thread: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread}}


if __name__ == "__main__":
    serve(LangGraph)
