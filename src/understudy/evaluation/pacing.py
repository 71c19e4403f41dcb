"""An agent that is asked no oftener than allowed, and not more than a budget; one that is asked only from a place at it; and
one whose answers are remembered.

All keep `ports.agent.Agent` over another agent, so that every request passes them: tries, tool calls in between and
the replies of a conversation alike.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from understudy.errors import BudgetSpent, MalformedInput
from understudy.ports.agent import Agent, DraftRequest
from understudy.ports.clock import Clock
from understudy.records.codec import canonical, digest, dump, load, plain
from understudy.records.evidence import Draft

MINUTE_S: Final = 60.0


class _Wrapped:
    """An agent around another: of its name and version; how it drafts is what the kinds differ in."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    @property
    def name(self) -> str:
        return self._agent.name

    @property
    def version(self) -> str | None:
        return self._agent.version

    async def check(self) -> str:
        return await self._agent.check()

    async def close(self) -> None:
        await self._agent.close()


class PacedAgent(_Wrapped):
    """At most `per_minute_max` requests in any 60 s, and at most `calls_max` in all; None = as much as there is."""

    def __init__(self, agent: Agent, clock: Clock, *, per_minute_max: int | None, calls_max: int | None) -> None:
        super().__init__(agent)
        self._clock = clock
        self._per_minute_max = per_minute_max
        self._calls_max = calls_max
        self._asked: deque[float] = deque()
        self.calls = 0

    async def draft(self, request: DraftRequest) -> Draft:
        if self._calls_max is not None and self.calls >= self._calls_max:
            raise BudgetSpent(f"the budget of {self._calls_max} requests to the agent is spent")
        self.calls += 1
        await self._have_room()
        return await self._agent.draft(request)

    async def _have_room(self) -> None:
        """Take the next free moment; requests that wait have theirs already, so they keep their order."""
        if self._per_minute_max is None:
            return
        now = self._clock.now().timestamp()
        while self._asked and self._asked[0] <= now - MINUTE_S:
            self._asked.popleft()
        at = now
        if len(self._asked) >= self._per_minute_max:
            at = max(now, self._asked[-self._per_minute_max] + MINUTE_S)
        self._asked.append(at)
        await self._clock.sleep(at - now)


class PlacedAgent(_Wrapped):
    """An agent that is asked only while its caller has a place at it; `place` waits for one."""

    def __init__(self, agent: Agent, place: Callable[[], AbstractAsyncContextManager[None]]) -> None:
        super().__init__(agent)
        self._place = place

    async def draft(self, request: DraftRequest) -> Draft:
        async with self._place():
            return await self._agent.draft(request)


class RememberingAgent(_Wrapped):
    """Keeps answers in a folder, under the content of the request and of the release; an equal one is answered from there.

    The number of the trial belongs to the content: two trials of a case are two answers, on purpose. Failures are not
    kept.
    """

    def __init__(self, agent: Agent, folder: Path, *, release_key: str) -> None:
        super().__init__(agent)
        self._folder = folder
        self._key = release_key
        self.found = 0

    async def draft(self, request: DraftRequest) -> Draft:
        path = self._path(request)
        known = _read(path)
        if known is not None:
            self.found += 1
            return known
        draft = await self._agent.draft(request)
        _write(path, draft)
        return draft

    def _path(self, request: DraftRequest) -> Path:
        asked: dict[str, Any] = plain(replace(request, deadline_s=0.0, traceparent=None))
        name = digest(canonical({"release": self._key, "asked": asked}))
        return self._folder / name[:2] / f"{name}.json"


def _read(path: Path) -> Draft | None:
    try:
        return load(Draft, path.read_bytes())
    except (OSError, MalformedInput):  # not there, or of another version: ask
        return None


def _write(path: Path, draft: Draft) -> None:
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(dump(draft), encoding="utf-8")
        part.replace(path)
    except (OSError, ValueError):
        part.unlink(missing_ok=True)  # what cannot be remembered is asked again
