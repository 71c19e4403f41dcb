"""Places at an agent: how many requests it gets at once and in a minute, from all processes together. It asks nobody.

Whoever waits for a place stands in line in this process, the turn that began first in front; the first of each process
looks whether there is room, at once where this process gave a place back and again and again where another might have.
Processes are not put in order among themselves. A place is a row in the store that lapses unless it is renewed, so that
a dead process keeps none for long.
"""

from __future__ import annotations

import asyncio
from bisect import insort
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from understudy.errors import AgentUnavailable, StepSuperseded, UnderstudyError
from understudy.ports.calls import CallLimits
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction

LAPSE_S = 6.0
"""A place that is not renewed for so long is free again: whoever had it is dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How somebody waits for places: in line as if since `since`, and at most `s_max` seconds.

    `is_wanted` is asked in the transaction that would take the place: what nobody wants any more takes none.
    """

    since: datetime
    s_max: float
    is_wanted: Callable[[Transaction], bool]


@dataclass(order=True, slots=True)
class _Standing:
    since: datetime
    number: int
    is_first: asyncio.Event = field(compare=False, default_factory=asyncio.Event)


class _Line:
    """Those who wait for one agent in this process. `stirred` is set when the first should look again."""

    def __init__(self) -> None:
        self._standing: list[_Standing] = []
        self._numbers = count()
        self.stirred = asyncio.Event()

    @contextmanager
    def joined(self, since: datetime) -> Iterator[_Standing]:
        """Stand in line while the block runs."""
        me = _Standing(since, next(self._numbers))
        insort(self._standing, me)
        self._call_first()
        try:
            yield me
        finally:
            self._standing.remove(me)
            self._call_first()

    def _call_first(self) -> None:
        for place, standing in enumerate(self._standing[:2]):
            if place == 0:
                standing.is_first.set()
            else:  # it may have been the first until now
                standing.is_first.clear()
        self.stirred.set()


class Places:
    """`limits` by agent; an agent without is asked as often as there is something to ask, at no cost."""

    def __init__(
        self, store: Store, clock: Clock, limits: Mapping[str, CallLimits], *, lapse_s: float = LAPSE_S
    ) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits
        self._lapse_s = lapse_s
        self._lines: defaultdict[str, _Line] = defaultdict(_Line)
        self._taken: set[str] = set()

    def are_limited(self, agent: str) -> bool:
        """Whether an agent has a limit."""
        return agent in self._limits

    @asynccontextmanager
    async def place(self, agent: str, waiting: Waiting) -> AsyncIterator[None]:
        """Wait for a place, and have it while the block runs.

        Raises `AgentUnavailable`, not to be tried again, where there is none in time or none can be in time; and
        `StepSuperseded` where it is not wanted any more. Where the place cannot be given back, it lapses.
        """
        limits = self._limits.get(agent)
        if limits is None:
            yield
            return
        line = self._lines[agent]
        call = self._clock.new_id("call")
        await self._take(call, agent, limits, line, waiting)
        self._taken.add(call)
        try:
            yield
        finally:
            self._taken.discard(call)
            with suppress(UnderstudyError):
                await self._store.write(lambda tx: tx.calls.end(call, now=self._clock.now(), limits=limits))
            line.stirred.set()

    async def renew(self) -> int:
        """Keep the places taken here; to be called several times in `lapse_s`. Returns how many there are."""
        taken = list(self._taken)
        if taken:
            until = self._clock.now() + timedelta(seconds=self._lapse_s)
            await self._store.write(lambda tx: tx.calls.renew(taken, until=until))
        return len(taken)

    async def _take(self, call: str, agent: str, limits: CallLimits, line: _Line, waiting: Waiting) -> None:
        gives_up_at = self._clock.now() + timedelta(seconds=waiting.s_max)
        with line.joined(waiting.since) as me:
            while True:
                if not me.is_first.is_set():
                    await self._until_first(me, agent, gives_up_at, waiting)
                line.stirred.clear()
                pause_s = await self._begin(call, agent, limits, waiting)
                if pause_s == 0:
                    return
                if pause_s > self._left_s(gives_up_at):
                    raise _no_place(agent, waiting)
                await self._pause(pause_s, line.stirred)

    async def _until_first(self, me: _Standing, agent: str, gives_up_at: datetime, waiting: Waiting) -> None:
        try:
            async with asyncio.timeout(self._left_s(gives_up_at)):
                await me.is_first.wait()
        except TimeoutError as error:
            raise _no_place(agent, waiting) from error

    async def _begin(self, call: str, agent: str, limits: CallLimits, waiting: Waiting) -> float:
        now = self._clock.now()
        until = now + timedelta(seconds=self._lapse_s)

        def step(tx: Transaction) -> float | None:
            return tx.calls.begin(call, agent, now=now, until=until, limits=limits) if waiting.is_wanted(tx) else None

        pause_s = await self._store.write(step)
        if pause_s is None:
            raise StepSuperseded(f"a draft of agent {agent!r} was not wanted any more once there was a place for it")
        return pause_s

    async def _pause(self, seconds: float, stirred: asyncio.Event) -> None:
        """Wait until it is time to look again or something stirs."""
        either = [asyncio.ensure_future(self._clock.sleep(seconds)), asyncio.ensure_future(stirred.wait())]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in either:
                one.cancel()

    def _left_s(self, until: datetime) -> float:
        return (until - self._clock.now()).total_seconds()


def _no_place(agent: str, waiting: Waiting) -> AgentUnavailable:
    error = AgentUnavailable(
        f"agent {agent!r} has no place free within {waiting.s_max:.0f} s (agents.{agent}.at_once_max and "
        "per_minute_max, drafting.place_wait_s_max)"
    )
    error.is_retryable = False
    return error
