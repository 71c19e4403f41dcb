"""The process that listens: uvicorn, told how to bind and how to stop; what it serves stands in `asgi.py`."""

from __future__ import annotations

import asyncio
import signal
import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from understudy.errors import ConfigurationError
from understudy.settings.model import Settings
from understudy.web.feed import Feed

STOP_WITHIN_S = 15


class Server(uvicorn.Server):
    """Uvicorn that ends open streams when it is told to stop; else a browser that listens would keep it from stopping."""

    def __init__(self, api: FastAPI, settings: Settings) -> None:
        self._api = api
        self._listens = asyncio.Event()
        super().__init__(
            uvicorn.Config(
                api,
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
        """Bind the port now, so that a taken one is a clear error and port 0 is known before anything is printed."""
        family = socket.AF_INET6 if ":" in self.config.host else socket.AF_INET
        # asyncio turns Nagle's delay off only where the protocol is named; with it an answer takes 40 ms longer.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((self.config.host, self.config.port))
        except OSError as error:
            listening.close()
            raise ConfigurationError(
                f"cannot listen on {self.config.host}:{self.config.port}: {error.strerror}; "
                "choose another with --port or server.port"
            ) from error
        return listening

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
        await super().startup(sockets=sockets)
        self._listens.set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Stop in order; a second Ctrl-C stops at once. Uvicorn's own way ends as if killed: to be stopped is no failure."""
        self.end_streams()
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    def end_streams(self) -> None:
        """Let every open stream finish."""
        feed: Feed = self._api.state.feed
        feed.close()
