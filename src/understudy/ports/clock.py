"""Time, ids and dice as a port, so that tests own them; nothing else may read the wall clock."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The moment, waiting, and what must be unguessable."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; returns at once for zero or less."""
        ...

    def new_id(self, prefix: str) -> str:
        """Make a new id `prefix-…` that sorts roughly by time and cannot be guessed."""
        ...

    def random(self) -> float:
        """Draw uniformly from [0, 1)."""
        ...
