"""Time that passes only when everything waits: an event loop that jumps to its next timer, and a clock on the same time.

It runs no thread and opens no socket; `asyncio.sleep`, `asyncio.timeout` and `call_later` all live on its time.
"""

from __future__ import annotations

import asyncio
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
LOOKS_MAX = 400_000
"""Rounds of one loop; a world that needs more goes round in circles."""


class NothingLeft(RuntimeError):
    """Everything waits and no timer will ever wake it, or the loop never comes to rest."""


class VirtualLoop(BaseEventLoop):
    """An event loop whose `time()` stands still while anything runs."""

    def __init__(self) -> None:
        super().__init__()
        self._moment = 0.0
        self._looks = 0
        self._selector = self  # the only thing the base class asks of a selector is `select`

    def time(self) -> float:
        """Seconds since the world began."""
        return self._moment

    def select(self, timeout: float | None) -> list[Any]:
        """Let the time pass for which the base class would have waited for sockets."""
        self._looks += 1
        if timeout is None or self._looks > LOOKS_MAX:
            raise NothingLeft("no timer is left" if timeout is None else f"{LOOKS_MAX} rounds and no end")
        if timeout > 0:
            self._moment += timeout
        return []

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """There is no other thread that would have to wake this one."""


class VirtualClock:
    """`ports.clock.Clock` on the loop's time, with ids and dice that the world hands out."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        number: Callable[[], int],
        draw: Callable[[], float],
        fast_by_s: float = 0.0,
    ) -> None:
        self._loop, self._number, self._draw = loop, number, draw
        self._start = START + timedelta(seconds=fast_by_s)

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.time())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.0))

    def new_id(self, prefix: str) -> str:
        return f"{prefix}-{self._number():05d}"

    def random(self) -> float:
        return self._draw()
