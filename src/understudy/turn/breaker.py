"""A circuit breaker as a value: it says whether an agent may be asked now; it asks nobody and reads no clock.

    closed ──5 failures in a row──> open ──time is up──> half open ──probe answered──> closed
                                     ^                       │
                                     └─────probe failed──────┘

Open lasts 30 s × the number of ejections, at most 10×. An ejection is forgotten for every 5 minutes the breaker stays
closed, so an agent that comes and goes is left alone for longer each time. Half open lets one probe through. A probe
whose result never comes (its task was cancelled) is given up after 60 s and another is let through.

Every admitted call carries a `Ticket`. A result counts only in the phase its ticket was drawn in: a slow answer to a
call from before the ejection neither closes an open breaker nor counts as the probe.

A failure is whatever gave no draft: unreachable, timed out, a 4xx, an answer that is no draft. The agent that answers
nonsense is as useless as one that does not answer, and asking it again costs the customer the same time.

    breaker, ticket = breaker.admit(now)
    if ticket is None: ...                                        # leave this agent alone for now
    breaker = breaker.settle(ticket, succeeded=True, now=later)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

FAILURES_TO_OPEN = 5
"""Failures in a row that open a closed breaker."""
OPEN_FOR = timedelta(seconds=30)
"""How long the first ejection lasts; the n-th lasts n times as long."""
EJECTIONS_MAX = 10
"""The ejection count at which waiting grows no more."""
FORGET_AFTER = timedelta(minutes=5)
"""Time closed after which one ejection is forgotten."""
PROBE_FOR = timedelta(seconds=60)
"""Time after which a probe without a result is given up."""


class BreakerState(StrEnum):
    """Closed: ask freely. Open: do not ask. Half open: one probe may ask."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Leave to ask once; hand it back with the result. `phase` is the breaker's phase it was drawn in."""

    phase: int
    is_probe: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """One agent's breaker. Keep the value that `admit` and `settle` return; all times are aware datetimes.

    `failures` counts in a row, while closed; `ejections` is in [0, 10]. `open_until` is None exactly while closed.
    `probe_until` is when the probe under way is given up. `closed_at` is when a probe last closed it.
    """

    failures: int = 0
    ejections: int = 0
    open_until: datetime | None = None
    probe_until: datetime | None = None
    closed_at: datetime | None = None
    phase: int = 0

    def state(self, now: datetime) -> BreakerState:
        """Say where it stands at this moment."""
        if self.open_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self.open_until else BreakerState.HALF_OPEN

    def admit(self, now: datetime) -> tuple[Breaker, Ticket | None]:
        """Ask for leave to ask the agent; None means leave it alone."""
        state = self.state(now)
        if state is BreakerState.CLOSED:
            return self, Ticket(phase=self.phase, is_probe=False)
        if state is BreakerState.OPEN or (self.probe_until is not None and now < self.probe_until):
            return self, None
        probing = replace(self, probe_until=now + PROBE_FOR, phase=self.phase + 1)
        return probing, Ticket(phase=probing.phase, is_probe=True)

    def settle(self, ticket: Ticket, *, succeeded: bool, now: datetime) -> Breaker:
        """Count the result of an admitted call; a result from an earlier phase changes nothing."""
        if ticket.phase != self.phase:
            return self
        if ticket.is_probe:
            return self._close(now) if succeeded else self._open(now)
        if succeeded:
            return replace(self, failures=0)
        if self.failures + 1 < FAILURES_TO_OPEN:
            return replace(self, failures=self.failures + 1)
        return self._open(now)

    def _close(self, now: datetime) -> Breaker:
        return Breaker(ejections=self.ejections, closed_at=now, phase=self.phase + 1)

    def _open(self, now: datetime) -> Breaker:
        forgotten = 0
        if self.closed_at is not None:
            forgotten = max(0, (now - self.closed_at) // FORGET_AFTER)
        ejections = min(max(0, self.ejections - forgotten) + 1, EJECTIONS_MAX)
        return Breaker(ejections=ejections, open_until=now + ejections * OPEN_FOR, phase=self.phase + 1)
