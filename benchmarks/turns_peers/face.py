"""The HTTP face that all peers share: FastAPI on uvicorn, as Understudy's is. It stores nothing and decides nothing.

The requests are Understudy's own, so that one load generator drives all; peers take them unsigned, which spares them
an HMAC in and one out. Replies go out by the load generator's own HTTP client, which costs a tenth of a general one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI, Request

from turns_harness.http import Client

AUTOMATIC = "shipping"
"""The topic whose drafts are delivered at once; drafts on any other wait for a verdict. This is the coin."""
SEND_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A customer's message."""

    id: str
    conversation: str
    address: str
    topic: str
    text: str


class Engine(Protocol):
    """What makes turns durable. `receive` and `approve` return once what they were told is on disk."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def receive(self, message: Message) -> bool:
        """Store a message; False where its id was known."""
        ...

    async def holds(self, limit: int) -> list[str]:
        """The ids of the oldest drafts that wait for a verdict."""
        ...

    async def approve(self, hold_id: str) -> None: ...


class Channel:
    """Posts replies under an idempotency key, and tries again until they are taken; as lean as HTTP can be."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._path = parts.path
        self._http = Client(parts.hostname, parts.port)

    async def send(self, *, key: str, conversation: str, address: str, text: str) -> None:
        data = {"id": key, "conversation_id": conversation, "to": address, "text": text}
        body = json.dumps({"type": "message.reply", "data": data}, separators=(",", ":")).encode()
        headers = f"content-type: application/json\r\nwebhook-id: {key}\r\n"
        for attempt in range(8):
            try:
                status, _ = await asyncio.wait_for(
                    self._http.request("POST", self._path, headers=headers, body=body), SEND_S
                )
                if 200 <= status < 300:
                    return
            except (OSError, TimeoutError):
                pass  # the receiver honours keys, so that an unknown outcome may be tried again
            await asyncio.sleep(0.1 * 2**attempt)
        raise RuntimeError(f"the channel does not take {key}")

    async def close(self) -> None:
        self._http.close()


def face(engine: Engine) -> FastAPI:
    """Put the routes on an engine."""

    @asynccontextmanager
    async def lifespan(_api: FastAPI) -> AsyncIterator[None]:
        await engine.start()
        try:
            yield
        finally:
            await engine.stop()

    api = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None)

    @api.get("/readyz")
    async def readyz() -> dict[str, str]:
        return {"status": "ready"}

    @api.post("/webhooks/bench")
    async def take(request: Request) -> dict[str, int]:
        data = json.loads(await request.body())["data"]
        message = Message(
            id=data["id"],
            conversation=data["conversation_id"],
            address=data["from"],
            topic=data["topic"],
            text=data["text"],
        )
        is_new = await engine.receive(message)
        return {"received": 1, "duplicates": int(not is_new)}

    @api.get("/v1/holds")
    async def holds(limit: int = 50) -> dict[str, Any]:
        return {"items": [{"id": hold, "version": 1} for hold in await engine.holds(limit)]}

    @api.post("/v1/holds/{hold_id}/verdict")
    async def verdict(hold_id: str, request: Request) -> dict[str, str]:
        assert json.loads(await request.body())["action"] == "approve"
        await engine.approve(hold_id)
        return {"hold": hold_id}

    return api


def serve(build: Callable[[str, Channel], Engine]) -> None:
    """Run a peer: `--store` and `--sink` say where turns are kept and replies go; prints its URL as a JSON line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", required=True, help="path of a SQLite file, or a PostgreSQL URL")
    parser.add_argument("--sink", required=True, help="where replies are posted")
    chosen = parser.parse_args()
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    print(json.dumps({"url": f"http://127.0.0.1:{listening.getsockname()[1]}"}), flush=True)
    api = face(build(chosen.store, Channel(chosen.sink)))
    config = uvicorn.Config(api, log_config=None, access_log=False, server_header=False)
    uvicorn.Server(config).run(sockets=[listening])
