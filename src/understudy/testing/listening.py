"""An HTTP server on this machine for the length of a test, in this event loop or in a thread of its own; it knows no provider."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

Answering = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
T = TypeVar("T")
BODY_BYTES_MAX = 2_000_000
STOP_S = 1.0


class Listening:
    """Answers HTTP on 127.0.0.1 while it is open; `port` 0 takes any free one. Subclasses say `answer`."""

    def __init__(self, *, port: int = 0) -> None:
        self._wanted_port = port
        self._runner: web.ServerRunner | None = None
        self.url = ""
        """Its address, once it is open."""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        raise NotImplementedError

    async def start(self) -> None:
        """Listen from now on."""
        self._runner = web.ServerRunner(web.Server(self.answer, access_log=None), shutdown_timeout=STOP_S)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._wanted_port)
        await site.start()
        self.url = f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """Close all connections, answered or not."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    @property
    def port(self) -> int:
        """The port it listens on."""
        assert self._runner is not None, "it is open"
        port: int = self._runner.addresses[0][1]
        return port

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


class OwnThread:
    """An event loop in a thread of its own, for tests that are no coroutines."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fakes", daemon=True)
        self._thread.start()

    def run(self, asked: Coroutine[Any, Any, T], *, within_s: float = 60.0) -> T:
        """Run a coroutine there and wait for it."""
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result(within_s)

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


class Plain:
    """Something that lives in a thread of its own, with all it has; what is a coroutine there is waited for here."""

    def __init__(self, one: Any, thread: OwnThread) -> None:
        self._one = one
        self._thread = thread

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._one, name)
        if not inspect.iscoroutinefunction(found):
            return found
        return lambda *given, **named: self._thread.run(found(*given, **named))

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("_one", "_thread"):
            object.__setattr__(self, name, value)
        else:
            setattr(self._one, name, value)
