"""One server process of the world: the real flows, wired as `understudy.app` wires them, until it dies.

A killed process does nothing any more: its tasks are cancelled, and whatever they do about it reaches neither the
store nor a channel. What it had begun outside (bytes on their way, a commit) goes on or not, as the world decides.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from simulation.agent import SimulatedAgent
from simulation.channel import SimulatedChannel
from simulation.database import SimulatedStore
from simulation.system import REFUND, SimulatedExecutor
from simulation.terms import LAPSE_S
from simulation.virtual_time import VirtualClock
from understudy.adapters.dispatch.embedded import EmbeddedDispatcher
from understudy.delivery.acting import Acting
from understudy.delivery.dead_letters import DeadLetters
from understudy.delivery.outbox import Outbox
from understudy.errors import StoreError, UnderstudyError
from understudy.learning.flow import Learning
from understudy.ports.store import Committed
from understudy.ports.telemetry import Event
from understudy.records.turn import ACTION_JOB, HOLD_JOB, LEARNING_JOB, OUTBOX_JOB, TURN_JOB, VERDICT_JOB, Job
from understudy.review.conversations import Conversations
from understudy.review.holds import Holds
from understudy.review.verdicts import Verdicts
from understudy.turn.drafting import Drafting
from understudy.turn.flow import TurnFlow
from understudy.turn.intake import Intake
from understudy.upkeep.sweeps import Sweeps

if TYPE_CHECKING:
    from simulation.world import World

T = TypeVar("T")

STORE_TAKES_S = (0.0002, 0.004)
SLOW_STORE_TAKES_S = (0.05, 2.0)
FROZEN_FOR_S = (1.0, 25.0)
STOP_GRACE_S = 3.0

OWNER: contextvars.ContextVar[Process | None] = contextvars.ContextVar("owner", default=None)
"""Whose task is running; None for the world's own: customers, people, providers."""


class ConnectionLost(Exception):
    """Whoever called the process does not know whether it did what it was asked."""


class Process:
    """See the module. `name` is new for every start."""

    def __init__(self, world: World, name: str, *, fast_by_s: float) -> None:
        self.world, self.name = world, name
        self.is_dead = False
        self.is_serving = False
        self.died = asyncio.Event()
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self._thaws_at = 0.0
        self._calls: dict[asyncio.Future[Any], None] = {}
        self._context = contextvars.copy_context()
        self._context.run(OWNER.set, self)
        terms = world.terms
        self.clock = VirtualClock(world.loop, number=world.number, draw=world.dice.random, fast_by_s=fast_by_s)
        self.store = store = SimulatedStore(self)
        self.dispatcher = EmbeddedDispatcher(self.clock, self)
        agents = tuple(SimulatedAgent(self, name) for name in terms.agents)
        channels = {name: SimulatedChannel(self, provider) for name, provider in world.providers.items()}
        drafting = Drafting(self.clock, self, lambda _channel: agents, limits=terms.drafting)
        self.outbox = outbox = Outbox(store, self.clock, self, channels, limits=terms.outbox)
        self.flow = flow = TurnFlow(
            store, self.clock, self, drafting, lambda: terms.rulebook, limits=terms.flow, following=outbox
        )
        self.intake = Intake(store, self.clock, self, limits=terms.intake, coalescing=terms.coalescing, following=flow)
        self.holds = Holds(store, self.clock, self, limits=terms.review, expiry_reply=terms.expiry_reply)
        self.verdicts = Verdicts(
            store,
            self.clock,
            self,
            business=lambda: terms.rulebook.rules.profile.name,
            hold_expires_after_s=terms.flow.hold_expires_after_s,
            following=outbox,
            actions=lambda: terms.rulebook.rules.actions,
        )
        executors = {} if world.system is None else {REFUND.name: SimulatedExecutor(self, world.system)}
        self.acting = Acting(store, self.clock, self, executors, limits=terms.acting)
        self.conversations = Conversations(store, self.clock)
        self.learning = Learning(
            store,
            self.clock,
            self,
            lambda: terms.rulebook.rules,
            targets_of=lambda _topic: terms.targets,
            terms=terms.earning,
        )
        self.dead_letters = DeadLetters(store, self.clock, self)
        self._sweeps = Sweeps(
            self.clock,
            self,
            {
                "turns": self.flow.sweep,
                "outbox": self.outbox.sweep,
                "verdicts": self.verdicts.sweep,
                "holds": self.holds.sweep,
                "learning": self.learning.sweep,
                **({} if world.system is None else {"actions": self.acting.sweep}),
            },
            period_s=terms.sweep_period_s,
            is_my_turn=self._may_sweep,
        )
        renewals = {"turns": self.flow.renew, "outbox": self.outbox.renew}
        self._renewals = Sweeps(self.clock, self, renewals, period_s=LAPSE_S / 3)

    # Life and death ------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Do what `App.start` does; where it cannot, end."""
        try:
            await self._start()
        except StoreError:
            self.kill("cannot start")

    async def _start(self) -> None:
        self.store.subscribe(self._announce)
        handlers = {
            TURN_JOB: self.flow.advance,
            OUTBOX_JOB: self.outbox.deliver,
            HOLD_JOB: self.holds.look,
            VERDICT_JOB: self.verdicts.look,
            LEARNING_JOB: self.learning.look,
            ACTION_JOB: self.acting.carry_out,
        }
        self.dispatcher.start({kind: self._while_alive(handler) for kind, handler in handlers.items()})
        self.flow.begin(self.dispatcher)
        self.outbox.begin(self.dispatcher)
        if self.world.terms.replicas == 1:
            await self.flow.release_leases()
            await self.outbox.release_leases()
        else:
            self._renewals.start()
        self._sweeps.start()
        self.is_serving = True

    async def stop(self) -> None:
        """Do what `App.stop` does, and end."""
        self.is_serving = False
        await self._sweeps.stop()
        await self.dispatcher.stop(grace_s=STOP_GRACE_S)
        await self._renewals.stop()
        with suppress(UnderstudyError):
            await self.flow.hand_over()
            await self.outbox.hand_over()
        self.kill("stopped")

    def kill(self, where: str) -> None:
        """Die at once."""
        if self.is_dead:
            return
        self.world.note(self.name, f"dies: {where}")
        self.is_dead, self.is_serving = True, False
        self.dispatcher._is_stopping = True  # so that none of its timers makes a task any more
        for task in list(self.tasks):
            task.cancel()
        for call in list(self._calls):
            if not call.done():
                call.set_exception(ConnectionLost())
        self.died.set()

    def dies(self, where: str) -> bool:
        """Draw whether the process dies here; then the caller must not go on."""
        if not self.is_dead and self.world.weather.crashes():
            self.kill(where)
        return self.is_dead

    async def breathe(self, where: str) -> None:
        """Go on only in a living, unfrozen process."""
        if self.dies(where):
            await asyncio.Event().wait()  # Until the cancellation comes: the next await must not be passed.
        if (frozen_s := self._thaws_at - self.world.loop.time()) > 0:
            await asyncio.sleep(frozen_s)
            await self.breathe(where)  # It may have been frozen again meanwhile.

    # Time and tasks ------------------------------------------------------------------------------------------

    def later(self, act: Callable[[], None]) -> None:
        """Do something after as long as a store takes, if the process is alive then, and not while it is frozen."""
        weather = self.world.weather
        self.may_freeze()
        takes = SLOW_STORE_TAKES_S if weather.strikes("slow_store") else STORE_TAKES_S
        self.world.loop.call_later(weather.between(*takes), self._act, act)

    def _act(self, act: Callable[[], None]) -> None:
        if self.is_dead:
            return
        if self._thaws_at > self.world.loop.time():
            self.world.loop.call_at(self._thaws_at, self._act, act)
        else:
            act()

    def may_freeze(self, fault: str = "freeze") -> None:
        """Draw whether the process stands still now: suspended, or collecting garbage."""
        weather = self.world.weather
        if weather.strikes(fault):
            self._thaws_at = self.world.loop.time() + weather.between(*FROZEN_FOR_S)
            self.world.note(self.name, f"frozen until {self._thaws_at:.3f}")

    def call(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Ask the process for something from outside; `ConnectionLost` where it dies before it answers."""
        answer: asyncio.Future[T] = self.world.loop.create_future()
        if self.is_dead:
            coroutine.close()
            answer.set_exception(ConnectionLost())
            return answer
        self._calls[answer] = None
        task = self.spawn(coroutine)

        def finished(done: asyncio.Task[T]) -> None:
            self._calls.pop(answer, None)
            if answer.done():
                return
            if done.cancelled():
                answer.set_exception(ConnectionLost())
            elif (error := done.exception()) is not None:
                answer.set_exception(error)
            elif self.world.weather.strikes("answer_lost"):
                answer.set_exception(ConnectionLost())
            else:
                answer.set_result(done.result())

        task.add_done_callback(finished)
        return answer

    def spawn(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin a task of this process."""
        return self._context.copy().run(self.world.loop.create_task, coroutine)

    def _while_alive(self, handler: Callable[[str], Awaitable[None]]) -> Callable[[str], Awaitable[None]]:
        async def handle(key: str) -> None:
            if not self.is_dead:
                await handler(key)

        return handle

    async def _may_sweep(self) -> bool:
        """Whether this is the one process that sweeps for all; which one that is, the others learn late."""
        return self.world.sweeper() is self

    # What the flows tell -------------------------------------------------------------------------------------

    def _announce(self, committed: Committed) -> None:
        for job, at in committed.jobs:
            self.world.carry(self, job, at)

    def hint(self, job: Job, at: datetime | None) -> None:
        """Take a hint from wherever it comes."""
        if not self.is_dead:
            self._context.copy().run(self.dispatcher.hint, job, at=at)

    def emit(self, event: Event) -> None:
        """Be the flows' telemetry."""
        if not self.is_dead:
            self.world.inspector.told(self.name, event)
