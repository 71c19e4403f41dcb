"""A proxy in front of one dependency that lets every kind of fault happen, by a plan; it knows no dependency.

proxy = FaultProxy("http://127.0.0.1:9001", plan=Plan([Rule(fault=Fault.DRIP, path="/v1/*", share=0.2)], seed=7))
async with proxy:
    ...                                                  # ask proxy.url instead
    proxy.strike_by([])                                  # and now everything passes
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp import web
from yarl import URL

from understudy.testing.faults import Fault, Plan, Rule, Struck, drifted, malformed
from understudy.testing.listening import Listening

DRIP_S: Final = 0.25
"""The pause between two bytes of an answer that drips."""
UPSTREAM_S: Final = 120.0
_MAKE_SOMETHING_OF_THE_ANSWER: Final = frozenset({Fault.DRIP, Fault.MALFORMED, Fault.DRIFT, Fault.PARTIAL})
_HOPS: Final = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection", "host", "content-length"}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One request that came by: to which path, and which fault struck it; None: none did."""

    method: str
    path: str
    fault: Fault | None
    reached: bool


class FaultProxy(Listening):
    """Hands requests on to `upstream`, except where its plan lets a fault strike. Ask it under `url`.

    `passed` has what came by. Time in rules counts from the last `strike_by`, or from `start`. A name that stands for it
    (`understudy.testing.names`) fails while `name_fails`.
    """

    def __init__(self, upstream: str, *, plan: Plan | None = None, port: int = 0) -> None:
        super().__init__(port=port)
        self.upstream = URL(upstream)
        self.plan = plan or Plan()
        self.passed: list[Passed] = []
        self._client: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ends = asyncio.Event()
        self._since = 0.0

    async def start(self) -> None:
        """Listen from now on."""
        self._client = aiohttp.ClientSession(
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=UPSTREAM_S),
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
        )
        self._loop, self._ends = asyncio.get_running_loop(), asyncio.Event()
        self._since = self._loop.time()
        await super().start()

    async def stop(self) -> None:
        """Close all connections."""
        self._ends.set()
        await super().stop()
        if self._client is not None:
            await self._client.close()

    def strike_by(self, rules: Sequence[Rule]) -> None:
        """Let these rules be in force from now on, with the seed as it was."""
        assert self._loop is not None, "it is open"
        self.plan, self._since = Plan(rules, seed=self.plan.seed), self._loop.time()

    def lift(self) -> None:
        """Let everything pass from now on; what struck so far stays counted."""
        before = self.plan
        self.strike_by([])
        self.plan.struck.update(before.struck)

    @property
    def name_fails(self) -> bool:
        """Whether its name cannot be resolved now."""
        return self.plan.names_fail(self._at_s())

    def _at_s(self) -> float:
        return 0.0 if self._loop is None else self._loop.time() - self._since

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Hand one request on, or let a fault strike it."""
        struck = self.plan.strike(request.path, at_s=self._at_s())
        fault = None if struck is None else struck.fault
        reaches = struck is None or struck.reaches or fault in _MAKE_SOMETHING_OF_THE_ANSWER
        self.passed.append(Passed(method=request.method, path=request.path, fault=fault, reached=reaches))
        body = await request.read()
        if not reaches:
            return await self._struck(request, struck, None)
        try:
            answered = await self._handed_on(request, body)
        except (aiohttp.ClientError, TimeoutError) as error:
            return web.json_response({"error": f"the dependency behind this proxy: {error}"}, status=502)
        return await self._struck(request, struck, answered)

    async def _handed_on(self, request: web.BaseRequest, body: bytes) -> web.Response:
        assert self._client is not None, "it is open"
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOPS}
        url = URL(str(self.upstream).rstrip("/") + request.raw_path, encoded=True)
        asking = self._client.request(request.method, url, headers=headers, data=body, allow_redirects=False)
        async with asking as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOPS}
            return web.Response(status=answer.status, headers=kept, body=await answer.read())

    async def _struck(
        self, request: web.BaseRequest, struck: Struck | None, true: web.Response | None
    ) -> web.StreamResponse:
        """The answer as the fault lets it arrive."""
        body = b"" if true is None or not isinstance(true.body, bytes) else true.body
        match None if struck is None else struck.fault:
            case None:
                assert true is not None, "an answer that nothing struck is the true one"
                return true
            case Fault.TIMEOUT:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._ends.wait(), UPSTREAM_S)
                return _reset(request)
            case Fault.ERROR:
                return web.json_response({"error": "internal error"}, status=500)
            case Fault.RATE_LIMIT:
                assert struck is not None, "matched"
                return _rate_limited(struck.rule.retry_after_s)
            case Fault.DRIP:
                return await _dripping(request, true, body)
            case Fault.MALFORMED:
                return _with_body(true, malformed(body))
            case Fault.DRIFT:
                assert struck is not None, "matched"
                return _with_body(true, drifted(body, struck.dice))
            case Fault.PARTIAL:
                return await _broken_off(request, true, body)
            case Fault.EMPTY:
                return web.Response(status=200)
            case Fault.RESET | Fault.DNS:
                return _reset(request)


def _with_body(true: web.Response | None, body: bytes) -> web.Response:
    assert true is not None, "there is an answer to change"
    return web.Response(status=true.status, headers=true.headers, body=body)


def _rate_limited(after_s: float) -> web.Response:
    wait = str(max(1, round(after_s)))
    body = json.dumps({"error": {"message": "too many requests", "code": "rate_limit_exceeded"}})
    return web.Response(status=429, headers={"retry-after": wait}, text=body, content_type="application/json")


async def _dripping(request: web.BaseRequest, true: web.Response | None, body: bytes) -> web.StreamResponse:
    assert true is not None, "there is an answer to let drip"
    response = web.StreamResponse(status=true.status, headers=true.headers)
    response.content_length = len(body)
    with suppress(ConnectionError):  # whoever asked has had enough
        await response.prepare(request)
        for number in range(len(body)):
            await response.write(body[number : number + 1])
            await asyncio.sleep(DRIP_S)
    return response


async def _broken_off(request: web.BaseRequest, true: web.Response | None, body: bytes) -> web.StreamResponse:
    assert true is not None, "there is an answer to break off"
    response = web.StreamResponse(status=true.status, headers=true.headers)
    response.content_length = len(body) + 1
    with suppress(ConnectionError):
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


def _reset(request: web.BaseRequest) -> web.Response:
    """Cut the connection so that the other side sees a reset and not an orderly end."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=500)
