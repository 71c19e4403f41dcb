"""The receiver of all cells' replies: it hands each to its cell, which says how to answer. It judges nothing.

The path names the cell and the process: /CELL/SLOT. Beside it stands a judge, who agrees with every draft.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from turns_harness.http import Messages

_KEY = re.compile(rb"webhook-id: *([^\r\n]+)", re.IGNORECASE)
_HEAD = b"content-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
TAKEN = b"HTTP/1.1 200 OK\r\n" + _HEAD
JUDGE = "/judge"
_VERDICT = json.dumps({"choices": [{"message": {"role": "assistant", "content": '{"verdict": "pass"}'}}]}).encode()
AGREES = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    + f"content-length: {len(_VERDICT)}\r\n\r\n".encode()
    + _VERDICT
)
BUSY = b"HTTP/1.1 503 Busy\r\nretry-after: 0\r\n" + _HEAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """After how long to answer what, in seconds; None = close the connection without a word."""

    after_s: float
    says: bytes | None


class Receives(Protocol):
    """What a cell does with a reply."""

    def took(self, slot: str, key: str, body: bytes) -> Answer:
        """Take one request."""
        ...


class _Connection(Messages):
    def __init__(self, cell_of: Callable[[str], Receives]) -> None:
        super().__init__()
        self._cell_of = cell_of

    def message(self, head: bytes, body: bytes) -> None:
        path = head.split(b" ", 2)[1].decode()
        if path.startswith(JUDGE):
            self._answer(AGREES)
            return
        _, cell, slot = path.split("/")
        key = _KEY.search(head)
        assert key is not None, "every reply carries its key"
        answer = self._cell_of(cell).took(slot, key[1].decode().strip(), body)
        asyncio.get_running_loop().call_later(answer.after_s, self._answer, answer.says)

    def _answer(self, says: bytes | None) -> None:
        if self.transport is None or self.transport.is_closing():
            return  # the sender is dead
        if says is None:
            self.transport.abort()
        else:
            self.transport.write(says)


class Sink:
    """A listening receiver; cells are entered by name."""

    def __init__(self) -> None:
        self.cells: dict[str, Receives] = {}
        self.port = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Sink:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self.cells.__getitem__), "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def judge_url(self) -> str:
        """Where second opinions are asked for."""
        return f"http://127.0.0.1:{self.port}{JUDGE}"

    def url(self, cell: str, slot: str) -> str:
        """Where the process in a slot of a cell sends its replies."""
        return f"http://127.0.0.1:{self.port}/{cell}/{slot}"
