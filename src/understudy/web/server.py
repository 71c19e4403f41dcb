"""The process that listens: uvicorn, told how to bind and how to stop; what it serves stands in `asgi.py`."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import suppress
from types import FrameType

import uvicorn
from fastapi import FastAPI

from understudy.app import App
from understudy.errors import ConfigurationError
from understudy.settings.model import Settings
from understudy.web.drain import Drain
from understudy.web.feed import Feed

STOP_WITHIN_S = 15
LAST_REQUESTS_S = 2.0
"""How long a process that no longer accepts waits for requests on connections it has: a connection that was accepted a
moment ago brings its request a moment later, and one that is closed then is a request refused."""


class Server(uvicorn.Server):
    """Uvicorn that stops in order. It ends open streams, else a browser that listens would keep it from stopping.

    `is_one_of_many`: other processes accept on the same socket, so this one may close it long before it stops.
    """

    def __init__(self, api: FastAPI, settings: Settings, *, is_one_of_many: bool = False) -> None:
        self._api = api
        self._listens = asyncio.Event()
        self._drain = Drain(api)
        self._draining: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_one_of_many = is_one_of_many
        self._drain_s = settings.server.drain_s
        super().__init__(
            uvicorn.Config(
                self._drain,
                host=settings.server.host,
                port=settings.server.port,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=True,
                forwarded_allow_ips=settings.server.trusted_proxies,
                timeout_graceful_shutdown=STOP_WITHIN_S,
            )
        )

    def listen(self) -> socket.socket:
        """Bind the port of the settings."""
        return bind(self.config.host, self.config.port)

    async def begin(self, listening: socket.socket) -> asyncio.Future[None]:
        """Serve from now on. Returns once requests are taken (`started`); what it returns is done when the server is."""
        serving = asyncio.ensure_future(self.serve(sockets=[listening]))
        listens = asyncio.ensure_future(self._listens.wait())
        try:
            await asyncio.wait({serving, listens}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:  # Ctrl-C before uvicorn heeds it
            self.should_exit = True
            await serving
            raise
        finally:
            listens.cancel()
        return serving

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)
        self._listens.set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Stop in order; a second Ctrl-C stops at once. Uvicorn's own way ends as if killed: to be stopped is no failure."""
        if self._drain.is_on or self._loop is None or not self.started:
            self.force_exit = self._drain.is_on and sig == signal.SIGINT
            self.end_streams()
            self.should_exit = True
        else:
            self._drain.is_on = True
            self._loop.call_soon_threadsafe(self.begin_drain)

    def begin_drain(self) -> None:
        """Begin to stop: leave turns to other processes, then let requests end, then exit."""
        self._drain.is_on = True
        app: App = self._api.state.understudy
        app.drain()
        if self._draining is None:
            self._draining = asyncio.ensure_future(self._until_drained())

    async def _until_drained(self) -> None:
        if self._drain_s:  # /readyz says 503, and whoever sends requests here learns to send them elsewhere
            await asyncio.sleep(self._drain_s)
        self.end_streams()
        if self._is_one_of_many or self._drain_s:
            for server in self.servers:
                server.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_REQUESTS_S):
                    while self.server_state.connections:  # noqa: ASYNC110 - uvicorn has no event for it
                        await asyncio.sleep(0.05)
        self.should_exit = True

    def end_streams(self) -> None:
        """Let every open stream finish."""
        feed: Feed = self._api.state.feed
        feed.close()


def bind(host: str, port: int) -> socket.socket:
    """Bind a port now, so that a taken one is a clear error and port 0 is known before anything is printed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only where the protocol is named; with it an answer takes 40 ms longer.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port or server.port"
        ) from error
    return listening
