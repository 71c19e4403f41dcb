"""Ask the agent for a draft within a deadline: retries, a circuit breaker, a fallback agent. It judges no draft."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from understudy.backoff import backoff_s
from understudy.errors import AgentAnsweredNonsense, AgentError, AgentTimedOut, AgentUnavailable, MalformedInput
from understudy.ports.agent import Agent, DraftRequest
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.ports.telemetry import AgentAsked, BreakerChanged, Telemetry
from understudy.records.evidence import Draft
from understudy.turn.breaker import Breaker, BreakerState
from understudy.turn.gathering import fit_draft
from understudy.turn.places import Places, Waiting

FALLBACK_SHARE = 0.4
"""Part of the deadline, and of the wait for places, kept for the fallback agent, where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftingLimits:
    """`deadline_s` for the whole draft, tries and fallback included; `in_flight_max` drafts at once in this process.

    `place_wait_s_max`: how long it waits for places at its agents, in all, before `deadline_s` begins or while it stands.
    """

    deadline_s: float = 30.0
    place_wait_s_max: float = 120.0
    attempts_max: int = 3
    backoff_base_s: float = 0.2
    backoff_max_s: float = 2.0
    in_flight_max: int = 64

    def __post_init__(self) -> None:
        if self.deadline_s <= 0 or self.place_wait_s_max < 0 or self.attempts_max < 1 or self.in_flight_max < 1:
            raise ValueError(
                "drafting needs deadline_s > 0, place_wait_s_max >= 0, attempts_max >= 1 and in_flight_max >= 1"
            )


class _Budget:
    """Seconds for asking that count down, but not while one waits; and seconds for waiting for places."""

    def __init__(self, clock: Clock, *, whole_s: float, wait_s: float) -> None:
        self._clock = clock
        self.whole_s = whole_s
        self.wait_s = wait_s
        self.waited_s = 0.0
        self._began = clock.now()

    @property
    def spent_s(self) -> float:
        return (self._clock.now() - self._began).total_seconds()

    @property
    def left_s(self) -> float:
        return self.whole_s - self.spent_s

    @contextmanager
    def stopped(self, *, for_place: bool) -> Iterator[None]:
        """Let the time in this block count as waited for a place, or not at all."""
        since = self._clock.now()
        try:
            yield
        finally:
            took = self._clock.now() - since
            self._began += took
            if for_place:
                self.waited_s += took.total_seconds()


class Drafting:
    """Gets drafts from agents. `pick` gives the agents to ask for a request, the first preferred.

    `places` says when an agent may be asked; None: whenever there is something to ask.
    """

    def __init__(
        self,
        clock: Clock,
        telemetry: Telemetry,
        pick: Callable[[DraftRequest], tuple[Agent, ...]],
        *,
        limits: DraftingLimits,
        places: Places | None = None,
    ) -> None:
        self._clock = clock
        self._telemetry = telemetry
        self._pick = pick
        self._places = places
        self._limits = limits
        self._breakers: dict[str, Breaker] = {}
        self._in_flight = asyncio.Semaphore(limits.in_flight_max)

    @property
    def lease_s(self) -> float:
        """How long a drafting step may hold its turn: the deadline and some room for the commit."""
        return self._limits.deadline_s * 2 + 10

    async def draft(
        self,
        request: DraftRequest,
        *,
        trace: str | None = None,
        since: datetime | None = None,
        is_wanted: Callable[[Transaction], bool] = lambda _tx: True,
    ) -> Draft:
        """Get a draft from the first agent that gives one in time; raises the last `AgentError` where none does.

        Where it has to wait for a place at an agent, it waits in line as if `since` then (None: since now). A place is
        only taken if `is_wanted` by then; else `StepSuperseded` is raised.
        """
        agents = self._pick(request)
        failure: AgentError = AgentUnavailable(f"no agent is configured for channel {request.channel!r}")
        left_s, wait_left_s = self._limits.deadline_s, self._limits.place_wait_s_max
        waiting = Waiting(since=since or self._clock.now(), s_max=wait_left_s, is_wanted=is_wanted)
        for number, agent in enumerate(agents):
            share = 1 - FALLBACK_SHARE if number + 1 < len(agents) else 1.0
            budget = _Budget(self._clock, whole_s=left_s * share, wait_s=wait_left_s * share)
            try:
                return await self._ask_until(agent, request, budget, waiting, trace)
            except AgentError as error:
                failure = error
                left_s -= budget.spent_s
                wait_left_s -= budget.waited_s
        raise failure

    async def _ask_until(
        self, agent: Agent, request: DraftRequest, budget: _Budget, waiting: Waiting, trace: str | None
    ) -> Draft:
        """Ask one agent up to `attempts_max` times within its budget; raises its last `AgentError`."""
        attempt = 0
        while True:
            attempt += 1
            if budget.left_s <= 0:
                raise AgentTimedOut(f"agent {agent.name!r} did not answer within {budget.whole_s:.1f} s")
            try:
                async with AsyncExitStack() as places:
                    await self._have_place(places, agent, budget, waiting)
                    asked = replace(request, deadline_s=budget.left_s)
                    return await self._ask_once(agent, asked, attempt, trace)
            except AgentError as error:
                pause_s = backoff_s(
                    attempt,
                    self._clock.random(),
                    base_s=self._limits.backoff_base_s,
                    max_s=self._limits.backoff_max_s,
                    at_least_s=getattr(error, "retry_after_s", None) or 0.0,
                )
                in_time = pause_s < budget.left_s
                if not (error.is_retryable and attempt < self._limits.attempts_max and in_time):
                    raise
            await self._clock.sleep(pause_s)

    async def _have_place(self, places: AsyncExitStack, agent: Agent, budget: _Budget, waiting: Waiting) -> None:
        """Have a place among all requests to this agent and among the drafts of this process; the wait is free.

        In this order, so that those who wait for one agent keep nobody from the others.
        """
        if self._places is not None and self._places.are_limited(agent.name):
            _, ticket = self._breakers.get(agent.name, Breaker()).admit(self._clock.now())
            if ticket is not None:  # else it is not asked at all
                mine = replace(waiting, s_max=budget.wait_s - budget.waited_s)
                with budget.stopped(for_place=True):
                    await places.enter_async_context(self._places.place(agent.name, mine))
        with budget.stopped(for_place=False):
            await places.enter_async_context(self._in_flight)

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
