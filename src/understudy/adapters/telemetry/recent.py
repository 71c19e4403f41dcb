"""The events of the last minutes in memory, for what one process knows of agents; it writes nothing anywhere."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from understudy.ports.clock import Clock
from understudy.ports.telemetry import AgentAsked, BreakerChanged, Event, StepFailed, SystemAsked
from understudy.records.health import AgentKnown, Known, took

KEPT_FOR = timedelta(minutes=15)
KEPT_MAX = 2_000
"""So many tries of one agent are remembered; of more the latest."""
CLOSED = "closed"
SYSTEM_FAILURES = frozenset({"timed_out", "unreachable", "refused", "nonsense", "rate_limited"})
"""Of the outcomes of a look-up those that are the system's fault."""


@dataclass(slots=True)
class _OfAgent:
    breaker: str = CLOSED
    since: datetime | None = None
    tries: deque[tuple[datetime, bool, float]] = field(default_factory=lambda: deque(maxlen=KEPT_MAX))


class Recent:
    """`ports.telemetry.Telemetry` that remembers a little."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._agents: dict[str, _OfAgent] = {}
        self._steps_failed = 0

    def emit(self, event: Event) -> None:
        match event:
            case AgentAsked():
                tries = self._agents.setdefault(event.agent, _OfAgent()).tries
                tries.append((self._clock.now(), event.outcome == "draft", event.took_ms))
            case SystemAsked():
                tries = self._agents.setdefault(f"systems.{event.system}", _OfAgent()).tries
                tries.append((self._clock.now(), event.outcome not in SYSTEM_FAILURES, event.took_ms))
            case BreakerChanged():
                known = self._agents.setdefault(event.agent, _OfAgent())
                known.breaker, known.since = event.state, self._clock.now()
            case StepFailed():
                self._steps_failed += 1
            case _:
                pass

    def known(self) -> Known:
        """What is remembered now."""
        after = self._clock.now() - KEPT_FOR
        agents = []
        for name, one in sorted(self._agents.items()):
            tries = [(is_draft, took_ms) for at, is_draft, took_ms in list(one.tries) if at > after]
            failed = sum(1 for is_draft, _ in tries if not is_draft)
            times = took([took_ms for _, took_ms in tries])
            agents.append(
                AgentKnown(
                    agent=name, breaker=one.breaker, since=one.since, tries=len(tries), failed=failed, took=times
                )
            )
        return Known(agents=tuple(agents), steps_failed=self._steps_failed)
