"""Two thin senders over the same calls: `Client` blocks, `AsyncClient` awaits; what a call is stands in `calls`.

    with Client("http://127.0.0.1:8080", api_key) as understudy:
        turn = understudy.submit_turn(record, wait_s=30)

Repeats of safe calls are made here. The API key goes into one header and nowhere else: not into `repr`, not into
messages. Redirects are not followed, so the key never travels to another host.
"""

from __future__ import annotations

import asyncio
import functools
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

import httpx2
from pydantic import ValidationError

from understudy import __version__
from understudy.client import calls
from understudy.client.calls import Call
from understudy.client.errors import AnswerUnreadable, ApiError, ServerUnreachable
from understudy.client.models import Event, Hold, Page, Turn, read
from understudy.errors import ConfigurationError

T = TypeVar("T")
P = ParamSpec("P")

PAGE_ITEMS = 50
"""How many items of a list are fetched at a time where the caller does not say."""
EVENTS_SILENCE_S_MAX = 60.0
"""A stream that is silent for longer is taken for broken and resumed."""
EVENTS_ATTEMPTS_MAX = 8
"""How often in a row the stream is opened in vain before the failure is raised."""
EVENTS_PAUSE_S = 0.5
"""The pause before a broken stream is opened again; it doubles with each failure in a row, up to 10 s."""


class _Sender:
    """What both clients know: where to send, with which headers, for how long."""

    def __init__(self, base_url: str, api_key: str, timeout_s: float) -> None:
        try:
            url = httpx2.URL(base_url)
        except httpx2.InvalidURL as error:
            raise ConfigurationError(f"base_url {base_url!r} is not a URL: {error}") from error
        if url.scheme not in ("http", "https") or not url.host:
            raise ConfigurationError(f"base_url must be http://host… or https://host…, got {base_url!r}")
        if not api_key or not (api_key.isascii() and api_key.isprintable()):
            raise ConfigurationError("api_key is empty or has characters no header can carry; keys look like us_…")
        self.base_url = str(url.copy_with(userinfo=b"", query=None, fragment=None)).rstrip("/")
        self.timeout_s = timeout_s
        self._headers = httpx2.Headers(
            {"Authorization": f"Bearer {api_key}", "User-Agent": f"understudy-client/{__version__}"}
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    def _request(self, call: Call[Any]) -> dict[str, Any]:
        """The keyword arguments of one request."""
        headers = dict(call.headers)
        if call.content is not None:
            headers["Content-Type"] = "application/json"
        return {
            "method": call.method,
            "url": self.base_url + call.path,
            "params": dict(call.params) or None,
            "content": call.content,
            "headers": headers,
            "timeout": self.timeout_s + call.wait_s,
        }

    def _stream(self, last: int | None) -> dict[str, Any]:
        """The keyword arguments of the event stream, resumed behind `last`."""
        return {
            "url": f"{self.base_url}/v1/events",
            "headers": {} if last is None else {"Last-Event-ID": str(last)},
            "timeout": httpx2.Timeout(self.timeout_s, read=EVENTS_SILENCE_S_MAX),
        }


def _blocking(describe: Callable[P, Call[T]]) -> Callable[Concatenate[Client, P], T]:
    @functools.wraps(describe)
    def method(client: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return client.send(describe(*args, **kwargs))

    return method


def _awaited(describe: Callable[P, Call[T]]) -> Callable[Concatenate[AsyncClient, P], Awaitable[T]]:
    @functools.wraps(describe)
    def method(client: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        return client.send(describe(*args, **kwargs))

    return method


class Client(_Sender):
    """The blocking client; safe to share between threads.

    `timeout_s` is for one attempt and does not include a call's `wait_s`. `transport` and `sleep` are for tests.
    Every method raises `ApiError`, `ServerUnreachable` or `AnswerUnreadable`.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        timeout_s: float = 30,
        *,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,  # noqa: TID251 - in the caller's process there is no Clock
    ) -> None:
        super().__init__(base_url, api_key, timeout_s)
        self._sleep = sleep
        self._http = httpx2.Client(headers=self._headers, transport=transport)

    submit_turn = _blocking(calls.submit_turn)
    turn = _blocking(calls.turn)
    pipeline = _blocking(calls.pipeline)
    feedback = _blocking(calls.feedback)
    hold = _blocking(calls.hold)
    claim = _blocking(calls.claim)
    release = _blocking(calls.release)
    approve = _blocking(calls.approve)
    edit = _blocking(calls.edit)
    reject = _blocking(calls.reject)
    respond = _blocking(calls.respond)
    take_over = _blocking(calls.take_over)
    conversation = _blocking(calls.conversation)
    say = _blocking(calls.say)
    take_over_conversation = _blocking(calls.take_over_conversation)
    hand_back = _blocking(calls.hand_back)

    def turns(self, *, limit: int = PAGE_ITEMS) -> Iterator[Turn]:
        """Go through all turns, `limit` to a page, each page fetched when it is needed."""
        return self._pages(calls.turns_page, limit)

    def holds(self, *, limit: int = PAGE_ITEMS) -> Iterator[Hold]:
        """Go through the queue, first to be decided first, `limit` to a page."""
        return self._pages(calls.holds_page, limit)

    def events(self, after: int | None = None) -> Iterator[Event]:
        """Follow the ledger behind `after` (None: from now on), without end and without gaps or repeats.

        A broken stream is resumed behind the last event seen; `ServerUnreachable` after 8 vain attempts in a row.
        """
        last, failures = after, 0
        while True:
            try:
                with self._http.sse(**self._stream(last)) as source:
                    if not source.response.is_success:
                        source.response.read()
                        raise calls.refusal(source.response)
                    failures = 0
                    for message in source:
                        event = _event(message, last)
                        if event is not None:
                            last = event.seq
                            yield event
            except (httpx2.RequestError, ApiError) as error:
                failures += 1
                _raise_unless_worth_another_try(error, failures, self.base_url)
            self._sleep(_events_pause_s(failures))

    def send(self, call: Call[T]) -> T:
        """Make one call, repeated where that is safe."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return calls.receive(call, self._once(call))
            except (ApiError, ServerUnreachable) as failure:
                pause = calls.pause_s(call, attempt, failure)
                if pause is None:
                    raise
            self._sleep(pause)

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _once(self, call: Call[Any]) -> httpx2.Response:
        try:
            return self._http.request(**self._request(call))
        except httpx2.RequestError as error:
            raise calls.no_answer(self.base_url, error) from error

    def _pages(self, describe: Callable[[str | None, int], Call[Page[T]]], limit: int) -> Iterator[T]:
        cursor: str | None = None
        while True:
            page = self.send(describe(cursor, limit))
            yield from page.items
            if page.next is None or page.next == cursor:
                return
            cursor = page.next


class AsyncClient(_Sender):
    """The client for asyncio: the same calls as `Client`, awaited; `holds`, `turns` and `events` by `async for`."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        timeout_s: float = 30,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(base_url, api_key, timeout_s)
        self._sleep = sleep
        self._http = httpx2.AsyncClient(headers=self._headers, transport=transport)

    submit_turn = _awaited(calls.submit_turn)
    turn = _awaited(calls.turn)
    pipeline = _awaited(calls.pipeline)
    feedback = _awaited(calls.feedback)
    hold = _awaited(calls.hold)
    claim = _awaited(calls.claim)
    release = _awaited(calls.release)
    approve = _awaited(calls.approve)
    edit = _awaited(calls.edit)
    reject = _awaited(calls.reject)
    respond = _awaited(calls.respond)
    take_over = _awaited(calls.take_over)
    conversation = _awaited(calls.conversation)
    say = _awaited(calls.say)
    take_over_conversation = _awaited(calls.take_over_conversation)
    hand_back = _awaited(calls.hand_back)

    def turns(self, *, limit: int = PAGE_ITEMS) -> AsyncIterator[Turn]:
        """Go through all turns, `limit` to a page, each page fetched when it is needed."""
        return self._pages(calls.turns_page, limit)

    def holds(self, *, limit: int = PAGE_ITEMS) -> AsyncIterator[Hold]:
        """Go through the queue, first to be decided first, `limit` to a page."""
        return self._pages(calls.holds_page, limit)

    async def events(self, after: int | None = None) -> AsyncGenerator[Event, None]:
        """Follow the ledger behind `after`, exactly as `Client.events` does."""
        last, failures = after, 0
        while True:
            try:
                async with self._http.sse(**self._stream(last)) as source:
                    if not source.response.is_success:
                        await source.response.aread()
                        raise calls.refusal(source.response)
                    failures = 0
                    async for message in source:
                        event = _event(message, last)
                        if event is not None:
                            last = event.seq
                            yield event
            except (httpx2.RequestError, ApiError) as error:
                failures += 1
                _raise_unless_worth_another_try(error, failures, self.base_url)
            await self._sleep(_events_pause_s(failures))

    async def send(self, call: Call[T]) -> T:
        """Make one call, repeated where that is safe."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return calls.receive(call, await self._once(call))
            except (ApiError, ServerUnreachable) as failure:
                pause = calls.pause_s(call, attempt, failure)
                if pause is None:
                    raise
            await self._sleep(pause)

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _once(self, call: Call[Any]) -> httpx2.Response:
        try:
            return await self._http.request(**self._request(call))
        except httpx2.RequestError as error:
            raise calls.no_answer(self.base_url, error) from error

    async def _pages(self, describe: Callable[[str | None, int], Call[Page[T]]], limit: int) -> AsyncIterator[T]:
        cursor: str | None = None
        while True:
            page = await self.send(describe(cursor, limit))
            for item in page.items:
                yield item
            if page.next is None or page.next == cursor:
                return
            cursor = page.next


def _event(message: httpx2.ServerSentEvent, last: int | None) -> Event | None:
    """Read one message of the stream; None for a sign of life and for what was seen before the stream broke."""
    if not message.data:
        return None
    try:
        event = read(Event, json.loads(message.data))
    except (ValueError, ValidationError) as error:
        raise AnswerUnreadable(f"an event of the stream cannot be read: {message.data[:80]!r}") from error
    return event if last is None or event.seq > last else None


def _raise_unless_worth_another_try(error: httpx2.RequestError | ApiError, failures: int, url: str) -> None:
    if isinstance(error, ApiError):
        if not error.is_retryable or failures >= EVENTS_ATTEMPTS_MAX:
            raise error
    elif failures >= EVENTS_ATTEMPTS_MAX:
        raise calls.no_answer(url, error) from error


def _events_pause_s(failures: int) -> float:
    return min(EVENTS_PAUSE_S * 2.0 ** max(failures - 1, 0), calls.PAUSE_S_MAX)
