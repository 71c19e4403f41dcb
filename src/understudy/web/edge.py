"""What holds for every request: a limit on its body, and headers that keep browsers from guessing. No route is here."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from understudy.web.problems import problem

DEFAULTS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
"""Set where the endpoint did not say otherwise."""


class Edge:
    """ASGI middleware; `body_bytes_max` covers declared lengths and what really arrives."""

    def __init__(self, app: ASGIApp, *, body_bytes_max: int) -> None:
        self._app = app
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_defaults(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                said = {name.lower() for name, _ in headers}
                message["headers"] = headers + [pair for pair in DEFAULTS if pair[0] not in said]
            await send(message)

        if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            refusal = problem("malformed", 400, "the address holds the character U+0000 (%00), which names nothing")
            await refusal(scope, receive, send_with_defaults)
            return
        declared = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"content-length"), "0")
        if not declared.isdigit() or int(declared) > self._body_bytes_max:
            refusal = problem("too-large", 413, self._refusal(f"{declared} bytes"))
            await refusal(scope, receive, send_with_defaults)
            return
        await self._app(scope, self._counted(receive), send_with_defaults)

    def _counted(self, receive: Receive) -> Receive:
        arrived = 0

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > self._body_bytes_max:
                raise HTTPException(413, self._refusal(f"more than {self._body_bytes_max} bytes"))
            return message

        return counted

    def _refusal(self, got: str) -> str:
        return (
            f"the body has {got}, at most {self._body_bytes_max} are taken (limits.body_bytes_max); nothing was stored"
        )
