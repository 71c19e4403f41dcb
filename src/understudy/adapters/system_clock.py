"""The real time, waiting, ids and randomness; it decides nothing about when anything is due."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime

ID_TIME_CHARS = 10
"""Base32 digits of the millisecond since 1970 in an id: 50 bits, enough until the year 37648."""
ID_RANDOM_CHARS = 16
"""Base32 digits of randomness in an id: 80 bits, so that ids can be neither guessed nor met twice."""

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


class SystemClock:
    """The clock of a running server; keeps `ports.clock.Clock`."""

    def __init__(self) -> None:
        self._dice = secrets.SystemRandom()

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait; returns at once (after other tasks had their turn) for zero or less."""
        await asyncio.sleep(max(seconds, 0.0))

    def new_id(self, prefix: str) -> str:
        """Make `prefix-` and 26 base32 digits: the millisecond first, so that ids sort by time, then 80 random bits."""
        milliseconds = int(self.now().timestamp() * 1000)
        return f"{prefix}-{_base32(milliseconds, ID_TIME_CHARS)}{_base32(secrets.randbits(80), ID_RANDOM_CHARS)}"

    def random(self) -> float:
        """Draw uniformly from [0, 1) from the operating system's source."""
        return self._dice.random()


def _base32(number: int, digits: int) -> str:
    """Write a number with a fixed count of digits that sort as the numbers do; letters that look alike are left out."""
    return "".join([_DIGITS[(number >> place) & 31] for place in range(5 * digits - 5, -1, -5)])
