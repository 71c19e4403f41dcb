"""What the fakes of messaging providers have in common: customers who write, web hooks with retries, strictness, limits.

A fake checks strictly what it receives: what is wrong is answered as the provider answers it, and said in `complaints`.
Web hooks are posted in order within a conversation and repeated as the provider repeats them; pauses are shortened by
`pace`. Nothing of it needs the network.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
from aiohttp import web

from understudy.testing.listening import Listening

Clock = Callable[[], datetime]
RETRY_AFTER_S: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a provider posts web hooks: how long it waits for an answer, how often it tries again and when it does.

    `pauses_s` has the wait before each further try. `statuses`: answers after which it tries again; `on_silence`: whether
    it does so when no answer came.
    """

    timeout_s: float
    pauses_s: tuple[float, ...]
    statuses: Callable[[int], bool]
    on_silence: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A reply that was taken for a customer, in the order of taking. `key`: what the sender calls it, where it says."""

    id: str
    conversation: str
    text: str
    key: str | None
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A web hook as it was posted, and what came back; `status` None: nothing did."""

    id: str
    attempt: int
    status: int | None
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrote:
    """A message that a customer wrote; `is_acknowledged`: the receiver said that it has it."""

    id: str
    conversation: str
    text: str
    is_acknowledged: bool
    took_s: float


class Wrong(Exception):
    """A request that the provider refuses: the status and body of its answer, and what was wrong for whoever reads the test."""

    def __init__(self, status: int, body: Any, what: str) -> None:
        super().__init__(what)
        self.status = status
        self.body = body
        self.what = what


class Provider(Listening):
    """A provider's interface and its customers, on this machine. Subclasses know one provider's forms.

    `webhook`: where it posts what customers write; without one they write in vain. `secret` signs that. `per_minute_max`
    is its limit on requests. `doubles`: the share of web hooks it posts twice though the first was answered.
    """

    MANNER: Manner

    def __init__(
        self,
        *,
        secret: str,
        webhook: str | None = None,
        per_minute_max: int | None = None,
        doubles: float = 0.0,
        pace: float = 1.0,
        seed: int = 0,
        port: int = 0,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(port=port)
        self.webhook = webhook
        self.secret = secret
        self.per_minute_max = per_minute_max
        self.complaints: list[str] = []
        self.taken: list[Taken] = []
        self.hooks: list[Hook] = []
        self.given_up: list[str] = []
        self._doubles = doubles
        self._pace = pace
        self._dice = random.Random(seed)
        self._clock = clock
        self._numbers = itertools.count(101)
        self._asked_at: deque[float] = deque()
        self._client: aiohttp.ClientSession | None = None
        self._later: set[asyncio.Task[None]] = set()
        self._began = 0.0
        self.began_at = clock()
        """The moment from which `at_s` counts."""

    async def start(self) -> None:
        """Listen from now on."""
        self._client = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._began, self.began_at = asyncio.get_running_loop().time(), self.now()
        await super().start()

    async def stop(self) -> None:
        """Post nothing more, and close all connections."""
        for task in list(self._later):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if self._client is not None:
            await self._client.close()
        await super().stop()

    def seen(self, conversation: str) -> list[str]:
        """What the customer of a conversation saw, in order."""
        return [one.text for one in self.taken if one.conversation == conversation]

    async def customer_writes(self, text: str, *, conversation: str = "1", name: str = "Ada") -> Wrote:
        """Let a customer write, and post it until it is acknowledged or the provider gives up."""
        message = self.new_id()
        began = self._now_s()
        acknowledged = await self.post(self.written(message, conversation, text, name), hook=message)
        if not acknowledged:
            await self.not_delivered(message, conversation)
        return Wrote(
            id=message, conversation=conversation, text=text, is_acknowledged=acknowledged, took_s=self._now_s() - began
        )

    @abstractmethod
    def written(self, message: str, conversation: str, text: str, name: str) -> Any:
        """The payload of a customer's message."""

    @abstractmethod
    def signed(self, body: bytes, *, hook: str) -> Mapping[str, str]:
        """The headers by which the receiver knows that a web hook is the provider's, made anew for each try."""

    @abstractmethod
    async def take(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        """Answer a request; raises `Wrong`."""

    async def not_delivered(self, message: str, conversation: str) -> None:  # noqa: ARG002 - some hand it to people
        """Do what the provider does once it has given a web hook up."""
        self.given_up.append(message)

    def too_many(self) -> Wrong:
        """How the provider refuses what is more than its limit."""
        return Wrong(429, {"error": "too many requests"}, "more requests than the limit")

    def new_id(self) -> str:
        """The next id."""
        return str(next(self._numbers))

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer as the provider does; whatever is wrong is kept in `complaints`."""
        body = await request.read()
        try:
            self._count()
            return await self.take(request, body)
        except Wrong as wrong:
            self.complaints.append(f"{request.method} {request.path}: {wrong.what}")
            headers = {"retry-after": str(RETRY_AFTER_S)} if wrong.status == 429 else {}
            return web.json_response(wrong.body, status=wrong.status, headers=headers)

    def keep(self, *, id: str, conversation: str, text: str, key: str | None) -> None:  # noqa: A002 - the provider's word
        """Let a customer see a reply."""
        self.taken.append(Taken(id=id, conversation=conversation, text=text, key=key, at_s=self._now_s()))

    async def post(self, payload: Any, *, hook: str) -> bool:
        """Post a web hook until it is acknowledged; False where the provider gives up, or posts to nobody."""
        if self.webhook is None:
            return False
        body = json.dumps(payload, ensure_ascii=False).encode()
        for attempt, pause_s in enumerate((*self.MANNER.pauses_s, None), start=1):
            status = await self._posted(body, hook, attempt)
            if status is not None and 200 <= status < 300:
                if self._dice.random() < self._doubles:
                    await self._posted(body, hook, attempt + 1)
                return True
            again = self.MANNER.on_silence if status is None else self.MANNER.statuses(status)
            if pause_s is None or not again:
                return False
            await asyncio.sleep(pause_s * self._pace)
        return False

    def post_later(self, payload: Any, *, hook: str, after_s: float = 0.0) -> None:
        """Post a web hook by itself: an echo, or what became of a reply."""

        async def posting() -> None:
            await asyncio.sleep(after_s * self._pace)
            await self.post(payload, hook=hook)

        self._begin(posting())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _posted(self, body: bytes, hook: str, attempt: int) -> int | None:
        assert self._client is not None and self.webhook is not None, "it is open and posts somewhere"  # noqa: PT018
        began, status = self._now_s(), None
        headers = {"content-type": "application/json", **self.signed(body, hook=hook)}
        try:
            async with asyncio.timeout(self.MANNER.timeout_s):
                async with self._client.post(self.webhook, data=body, headers=headers) as answer:
                    await answer.read()
                    status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            pass  # silence, which the provider treats in its own manner
        self.hooks.append(Hook(id=hook, attempt=attempt, status=status, took_s=self._now_s() - began))
        return status

    def _count(self) -> None:
        """Count a request against the limit."""
        if self.per_minute_max is None:
            return
        now = self._now_s()
        while self._asked_at and self._asked_at[0] <= now - 60:
            self._asked_at.popleft()
        if len(self._asked_at) >= self.per_minute_max:
            raise self.too_many()
        self._asked_at.append(now)

    def now(self) -> datetime:
        """The moment of its clock."""
        return self._clock()

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time() - self._began


def object_of(body: bytes, refused: Callable[[str], Wrong]) -> dict[str, Any]:
    """The JSON object that a body is; raises what `refused` makes of the reason."""
    try:
        data = json.loads(body)
    except ValueError as error:
        raise refused(f"the body is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise refused(f"the body is a JSON {type(data).__name__}, not an object")
    return data


def need(holds: bool, what: str, refused: Callable[[str], Wrong]) -> None:
    """Raise what `refused` makes of it unless something holds."""
    if not holds:
        raise refused(what)
