"""HTTP/1.1 for the load generator: as little as keeps it from being the bottleneck. No chunked bodies, no TLS."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from contextlib import suppress

_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
_TAKEN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


class Messages(asyncio.Protocol):
    """Cuts a stream into heads and bodies."""

    def __init__(self) -> None:
        self._buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = _LENGTH.search(head)
            total = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < total:
                return
            body, self._buffer = self._buffer[end + 4 : total], self._buffer[total:]
            self.message(head, body)

    def message(self, head: bytes, body: bytes) -> None:
        raise NotImplementedError


class _Connection(Messages):
    """One request at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: asyncio.Future[tuple[int, bytes]] | None = None

    def message(self, head: bytes, body: bytes) -> None:
        if self.answer is not None and not self.answer.done():  # else the one who asked has given up
            self.answer.set_result((int(head[9:12]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(exc or ConnectionResetError("the server closed the connection"))
        self.transport = None


class Client:
    """Connections to one server, kept open; as many as there are requests under way."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._idle: deque[_Connection] = deque()

    async def request(self, method: str, path: str, *, headers: str = "", body: bytes = b"") -> tuple[int, bytes]:
        """Send a request; `headers` are whole lines that end in CRLF. Raises `ConnectionError`.

        A connection kept open for too long is closed by the server just when it is used again: then another is opened.
        """
        if self._idle:
            with suppress(ConnectionResetError):
                return await self._send(await self._connection(), method, path, headers, body)
        return await self._send(await self._connection(), method, path, headers, body)

    async def _send(
        self, connection: _Connection, method: str, path: str, headers: str, body: bytes
    ) -> tuple[int, bytes]:
        connection.answer = asyncio.get_running_loop().create_future()
        head = f"{method} {path} HTTP/1.1\r\nhost: {self._host}\r\n{headers}content-length: {len(body)}\r\n\r\n"
        assert connection.transport is not None
        connection.transport.write(head.encode() + body)
        answer = await connection.answer
        self._idle.append(connection)
        return answer

    def close(self) -> None:
        while self._idle:
            connection = self._idle.pop()
            if connection.transport is not None:
                connection.transport.close()

    async def _connection(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.transport is not None and not connection.transport.is_closing():
                return connection
        _, connection = await asyncio.get_running_loop().create_connection(_Connection, self._host, self._port)
        return connection


class _Receiver(Messages):
    def __init__(self, took: Callable[[str, bytes], None]) -> None:
        super().__init__()
        self._took = took

    def message(self, head: bytes, body: bytes) -> None:
        self._took(head.split(b" ", 2)[1].decode(), body)
        assert self.transport is not None
        self.transport.write(_TAKEN)


async def listen(took: Callable[[str, bytes], None]) -> tuple[asyncio.Server, int]:
    """Accept every request, telling `took` its path and body; returns the server and its port."""
    server = await asyncio.get_running_loop().create_server(lambda: _Receiver(took), "127.0.0.1", 0)
    return server, int(server.sockets[0].getsockname()[1])
