"""The store's side of how much agents may be asked by all processes together, as a port; it asks no agent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """What an agent may be asked, by all processes together; None = as much as there is."""

    at_once_max: int | None
    per_minute_max: int | None


class AgentCalls(Protocol):
    """Requests to agents that have a limit: those under way, and those of the last minute."""

    def begin(self, call_id: str, agent: str, *, now: datetime, until: datetime, limits: CallLimits) -> float:
        """Note a call under way until it ends, at the latest at `until`, and return 0.

        Where the limits leave no room, note nothing and return after how many seconds, more than 0, it is worth asking
        again; there is no room before. Limits may differ from call to call: all calls count, whatever theirs were.
        """
        ...

    def renew(self, call_ids: Iterable[str], *, until: datetime) -> None:
        """Say that calls are still under way."""
        ...

    def end(self, call_id: str, *, now: datetime, limits: CallLimits) -> None:
        """Say that a call is over; where there is a limit by the minute, it still counts for its minute."""
        ...
