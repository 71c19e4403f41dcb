"""Ask the agent for a draft within a deadline: retries, a circuit breaker, a fallback agent. It judges no draft."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from understudy.backoff import backoff_s
from understudy.errors import AgentAnsweredNonsense, AgentError, AgentTimedOut, AgentUnavailable, MalformedInput
from understudy.ports.agent import Agent, DraftRequest
from understudy.ports.clock import Clock
from understudy.ports.telemetry import AgentAsked, BreakerChanged, Telemetry
from understudy.records.evidence import Draft
from understudy.turn.breaker import Breaker, BreakerState
from understudy.turn.gathering import fit_draft

FALLBACK_SHARE = 0.4
"""Part of the deadline kept for the fallback agent, where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftingLimits:
    """`deadline_s` for the whole draft, tries and fallback included; `in_flight_max` drafts at once in this process."""

    deadline_s: float = 30.0
    attempts_max: int = 3
    backoff_base_s: float = 0.2
    backoff_max_s: float = 2.0
    in_flight_max: int = 64

    def __post_init__(self) -> None:
        if self.deadline_s <= 0 or self.attempts_max < 1 or self.in_flight_max < 1:
            raise ValueError("drafting needs deadline_s > 0, attempts_max >= 1 and in_flight_max >= 1")


class Drafting:
    """Gets drafts from agents. `pick` gives the agents to ask for a channel, the first preferred."""

    def __init__(
        self,
        clock: Clock,
        telemetry: Telemetry,
        pick: Callable[[str], tuple[Agent, ...]],
        *,
        limits: DraftingLimits,
    ) -> None:
        self._clock = clock
        self._telemetry = telemetry
        self._pick = pick
        self._limits = limits
        self._breakers: dict[str, Breaker] = {}
        self._in_flight = asyncio.Semaphore(limits.in_flight_max)

    @property
    def lease_s(self) -> float:
        """How long a drafting step may hold its turn: the deadline and some room for the commit."""
        return self._limits.deadline_s * 2 + 10

    async def draft(self, request: DraftRequest, *, trace: str | None = None) -> Draft:
        """Get a draft from the first agent that gives one in time; raises the last `AgentError` where none does."""
        agents = self._pick(request.channel)
        failure: AgentError = AgentUnavailable(f"no agent is configured for channel {request.channel!r}")
        async with self._in_flight:
            ends = self._clock.now().timestamp() + self._limits.deadline_s
            for number, agent in enumerate(agents):
                left_s = ends - self._clock.now().timestamp()
                share = 1 - FALLBACK_SHARE if number + 1 < len(agents) else 1.0
                try:
                    return await self._ask_until(agent, request, left_s * share, trace)
                except AgentError as error:
                    failure = error
        raise failure

    async def _ask_until(self, agent: Agent, request: DraftRequest, budget_s: float, trace: str | None) -> Draft:
        """Ask one agent up to `attempts_max` times within its budget; raises its last `AgentError`."""
        ends = self._clock.now().timestamp() + budget_s
        attempt = 0
        while True:
            attempt += 1
            left_s = ends - self._clock.now().timestamp()
            if left_s <= 0:
                raise AgentTimedOut(f"agent {agent.name!r} did not answer within {budget_s:.1f} s")
            try:
                return await self._ask_once(agent, replace(request, deadline_s=left_s), attempt, trace)
            except AgentError as error:
                pause_s = backoff_s(
                    attempt,
                    self._clock.random(),
                    base_s=self._limits.backoff_base_s,
                    max_s=self._limits.backoff_max_s,
                    at_least_s=getattr(error, "retry_after_s", None) or 0.0,
                )
                in_time = self._clock.now().timestamp() + pause_s < ends
                if not (error.is_retryable and attempt < self._limits.attempts_max and in_time):
                    raise
            await self._clock.sleep(pause_s)

    async def _ask_once(self, agent: Agent, request: DraftRequest, attempt: int, trace: str | None) -> Draft:
        started = self._clock.now()
        breaker = self._breakers.get(agent.name, Breaker())
        admitted, ticket = breaker.admit(started)
        self._keep(agent.name, breaker, admitted)
        if ticket is None:
            error = AgentUnavailable(
                f"agent {agent.name!r} is left alone until {breaker.open_until:%H:%M:%S} UTC after repeated failures"
            )
            error.is_retryable = False
            raise error
        if ticket.is_probe:
            self._telemetry.emit(BreakerChanged(agent=agent.name, state=BreakerState.HALF_OPEN.value))
        outcome = "cancelled"
        try:
            draft = await _within(agent, request)
            outcome = "draft"
            return draft
        except AgentError as error:
            outcome = error.code
            raise
        finally:
            ended = self._clock.now()
            if outcome != "cancelled":
                before = self._breakers.get(agent.name, Breaker())
                self._keep(agent.name, before, before.settle(ticket, succeeded=outcome == "draft", now=ended))
            self._telemetry.emit(
                AgentAsked(
                    turn_id=request.turn_id,
                    conversation_id=request.conversation_id,
                    agent=agent.name,
                    agent_version=agent.version,
                    outcome=outcome,
                    started_at=started,
                    took_ms=(ended - started).total_seconds() * 1000,
                    attempt=attempt,
                    trace=trace,
                )
            )

    def _keep(self, agent: str, before: Breaker, after: Breaker) -> None:
        self._breakers[agent] = after
        now = self._clock.now()
        if before.state(now) is not after.state(now):
            self._telemetry.emit(BreakerChanged(agent=agent, state=after.state(now).value))


async def _within(agent: Agent, request: DraftRequest) -> Draft:
    """Ask within the request's deadline; whatever else breaks inside the agent is an answer that is no draft."""
    try:
        async with asyncio.timeout(request.deadline_s):
            draft = await agent.draft(request)
    except AgentError:
        raise
    except TimeoutError as error:
        raise AgentTimedOut(f"agent {agent.name!r} did not answer within {request.deadline_s:.1f} s") from error
    except Exception as error:
        raise AgentAnsweredNonsense(f"agent {agent.name!r} failed: {type(error).__name__}: {error}") from error
    if not isinstance(draft, Draft):
        raise AgentAnsweredNonsense(f"agent {agent.name!r} answered a {type(draft).__name__}, not a draft")
    try:
        return fit_draft(draft)
    except MalformedInput as error:
        raise AgentAnsweredNonsense(f"agent {agent.name!r}: {error.message}") from error
