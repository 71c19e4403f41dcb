"""A server that is about to stop says so with every answer: not ready, and this connection ends here. It stops nothing."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from understudy.web.problems import problem


class Drain:
    """ASGI middleware around everything else; `is_on` is set once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.is_on = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_the_last(message: Message) -> None:
            if self.is_on and message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        if self.is_on and scope["path"] == "/readyz":
            refusal = problem("not-ready", 503, "this process is about to stop; others go on")
            await refusal(scope, receive, send_the_last)
        else:
            await self._app(scope, receive, send_the_last)
