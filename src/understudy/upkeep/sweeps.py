"""Run named sweeps on a period, so that a lost hint costs a second and never a message; it knows no table itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from understudy.ports.clock import Clock
from understudy.ports.telemetry import StepFailed, Telemetry

PERIOD_S = 1.0


class Sweeps:
    """Calls every sweep once a period until stopped; one that breaks is reported and called again next time.

    `is_my_turn` is asked before each round: of many processes on one store, one sweeps for all.
    """

    def __init__(
        self,
        clock: Clock,
        telemetry: Telemetry,
        sweeps: Mapping[str, Callable[[], Awaitable[int]]],
        *,
        period_s: float = PERIOD_S,
        is_my_turn: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        self._clock = clock
        self._telemetry = telemetry
        self._sweeps = sweeps
        self._period_s = period_s
        self._is_my_turn = is_my_turn
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; needs a running event loop."""
        self._task = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        """Stop after the sweep under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def once(self) -> dict[str, int]:
        """Call every sweep once and say how much each announced."""
        announced = {}
        for name, sweep in self._sweeps.items():
            try:
                announced[name] = await sweep()
            except Exception as error:  # noqa: BLE001 - one broken sweep must not stop the others
                self._telemetry.emit(StepFailed(flow="sweep", key=name, error=f"{type(error).__name__}: {error}"))
        return announced

    async def _run(self) -> None:
        while True:
            if self._is_my_turn is None or await self._is_my_turn():
                await self.once()
            await self._clock.sleep(self._period_s)
