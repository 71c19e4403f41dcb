"""How often something may be done within an hour, as one process counts it; it reads no clock and keeps nothing over a restart."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Final

HOUR: Final = timedelta(hours=1)


class Hourly:
    """A budget of so many an hour, at any moment looked at backwards; `most` >= 0. Times do not go back."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._spent: deque[datetime] = deque()

    def room(self, now: datetime) -> int:
        """How many more may be done now; never less than 0."""
        while self._spent and self._spent[0] <= now - HOUR:
            self._spent.popleft()
        return max(0, self._most - len(self._spent))

    def spend(self, at: datetime, count: int = 1) -> None:
        """Note that so many are done at a moment."""
        self._spent.extend([at] * count)
