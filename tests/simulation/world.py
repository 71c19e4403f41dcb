"""One world from one seed: processes, customers, people and providers in one thread on a virtual clock.

    storm   everybody acts and everything that the weather names goes wrong
    calm    nothing goes wrong any more and no person acts: the machine must come to rest by itself
    people  reviewers work off what waits for them: nobody may be left waiting

Two plays of one seed are the same to the last step, on every machine.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Coroutine, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from simulation.channel import Provider
from simulation.customers import Customer
from simulation.database import database
from simulation.inspector import Inspector
from simulation.people import Person, work_off
from simulation.process import OWNER, Process
from simulation.reckoning import reckon_at_rest, reckon_at_the_end
from simulation.system import REFUND, RecordSystem
from simulation.terms import CHANNELS, Terms
from simulation.violation import Violation
from simulation.virtual_time import NothingLeft, VirtualLoop
from simulation.weather import Weather
from understudy.records.codec import digest, dump
from understudy.records.rulebook import Rulebook
from understudy.records.turn import Job

STORM_S = (30.0, 90.0)
CALM_S = 75.0
"""By then every lease, retry and deadline of the machine has passed, and every sweep has come round."""
PEOPLE_S = 200.0
DOWN_S = (0.2, 12.0)
UNSWEPT_S = 6.0
"""How long a dead sweeper is taken for alive."""
CLOCKS_DIFFER_BY_S = 0.5
HISTORY_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A draft that was made: for which turn, and what of the customer's it had read."""

    turn_id: str
    read: tuple[str, ...]


@dataclass(slots=True)
class Outcome:
    """What one play came to. `violation` is None where every promise was kept."""

    seed: int
    acts: bool = False
    violation: Violation | None = None
    history: list[tuple[float, str, str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def digest(self) -> str:
        """Name the history: two plays of a seed have the same."""
        return hashlib.sha256(repr(self.history).encode()).hexdigest()

    def told(self) -> str:
        """Say what went wrong, how it came to it, and how to see it again."""
        lines = [f"{moment:9.4f}  {who:10}  {what}" for moment, who, what in self.history[-HISTORY_SHOWN:]]
        return "\n".join(
            [
                *lines,
                "",
                f"seed {self.seed}: {self.violation}",
                f"again: ./dev simulate --seed {self.seed}{' --acts' if self.acts else ''}",
            ]
        )


class World:
    """See the module; `play` makes one and plays it."""

    def __init__(self, seed: int, loop: VirtualLoop, rates: Mapping[str, float], **terms: Any) -> None:
        self.loop = loop
        self.dice = random.Random(seed)
        self.terms = replace(Terms.drawn(self.dice), **terms)
        self.weather = Weather.drawn(self.dice)
        self.weather.rates.update(rates)
        self.outcome = Outcome(seed, acts=self.terms.acts)
        self.database = database()
        self.database.begin_anew()
        self.drafts: dict[str, Made] = {}
        self.processes: list[Process | None] = [None] * self.terms.replicas
        self.inspector = Inspector(self)
        if self.terms.acts:
            rules = replace(self.terms.rulebook.rules, actions=(REFUND,))
            self.terms = replace(self.terms, rulebook=Rulebook(id=digest(dump(rules)), rules=rules))
        self.system = RecordSystem(self) if self.terms.acts else None
        self.providers = {name: Provider(self, name, capabilities) for name, capabilities in CHANNELS.items()}
        self.customers = [Customer(self, number) for number in range(self.terms.conversations)]
        self.people = [Person(self, f"reviewer-{number}") for number in range(self.terms.reviewers)]
        self._numbers = 0
        self._starts = 0
        self._sweeper: Process | None = None
        self._sweeper_since = 0.0
        self._is_ending = False
        self.failed: asyncio.Future[None] = loop.create_future()
        make_task: Any = _owned
        loop.set_task_factory(make_task)
        loop.set_exception_handler(self._task_broke)

    # What everybody in it uses -------------------------------------------------------------------------------

    def number(self) -> int:
        """Hand out the next number."""
        self._numbers += 1
        return self._numbers

    def note(self, who: str, what: str) -> None:
        """Write a line of history."""
        if self._is_ending:
            return
        self.outcome.history.append((self.loop.time(), who, what))

    def violated(self, promise: str, what: str) -> None:
        """End the world because a promise was broken; only the first counts."""
        if self.outcome.violation is None:
            self.outcome.violation = Violation(promise, what)
            self.note("inspector", f"{promise}: {what}")
            self.failed.set_result(None)

    def drafted(self, turn_id: str, text: str, read: tuple[str, ...]) -> None:
        """Remember a draft."""
        self.drafts[text] = Made(turn_id=turn_id, read=read)

    def alive(self) -> Process | None:
        """Pick a living process, as a load balancer does."""
        living = [process for process in self.processes if process is not None and process.is_serving]
        return self.dice.choice(living) if living else None

    def sweeper(self) -> Process | None:
        """The process that sweeps for all; when it dies, nobody does for a while."""
        if (self._sweeper is None or self._sweeper.is_dead) and self.loop.time() >= self._sweeper_since:
            self._sweeper, died = self.alive(), self._sweeper
            if died is not None:
                self._sweeper_since = self.loop.time() + self.weather.between(0.0, UNSWEPT_S)
                return None
        return self._sweeper

    def carry(self, sender: Process, job: Job, at: datetime | None) -> None:
        """Carry a hint from the store to the dispatcher of the sender, or of any replica where there are several."""
        weather = self.weather
        if weather.strikes("hint_lost"):
            return
        for _ in range(2 if weather.strikes("hint_doubled") else 1):
            receiver = self.alive() if self.terms.replicas > 1 else sender
            if receiver is None:
                return
            late_s = weather.between(0.0, 3.0) if weather.strikes("hint_late") else 0.0
            if late_s:
                self.loop.call_later(late_s, receiver.hint, job, at)
            else:
                receiver.hint(job, at)

    # The play ------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Play everything; returns early where a promise was broken."""
        play = self.loop.create_task(self._play())
        await asyncio.wait({play, self.failed}, return_when=asyncio.FIRST_COMPLETED)
        if play.done():
            play.result()

    async def _play(self) -> None:
        keepers = [self.loop.create_task(self._keep_running(slot)) for slot in range(self.terms.replicas)]
        acting = [self.loop.create_task(customer.act()) for customer in self.customers]
        acting += [self.loop.create_task(person.act()) for person in self.people]
        await asyncio.sleep(self.weather.between(*STORM_S))
        self.weather.calm_down()
        self.note("world", "calm")
        for person in self.people:
            person.is_at_work = False
        await asyncio.sleep(CALM_S)
        reckon_at_rest(self)
        self.note("world", "people")
        await work_off(self, PEOPLE_S)
        reckon_at_the_end(self)
        for task in (*keepers, *acting):
            task.cancel()

    async def _keep_running(self, slot: int) -> None:
        """Start a process anew whenever it has died, and now and then in good order."""
        while True:
            self._starts += 1
            differ_s = CLOCKS_DIFFER_BY_S if self.terms.replicas > 1 else 0.0
            process = Process(self, f"process-{self._starts}", fast_by_s=self.weather.between(-differ_s, differ_s))
            self.processes[slot] = process
            self.note(process.name, "starts")
            process.spawn(process.start())
            if self.weather.strikes("restart"):
                self.loop.call_later(self.weather.between(5.0, 60.0), _stop, process)
            await process.died.wait()
            self.processes[slot] = None
            await asyncio.sleep(self.weather.between(*DOWN_S))

    def end(self) -> None:
        """Let go of everything that still runs."""
        self._is_ending = True
        for process in self.processes:
            if process is not None:
                process.kill("the end")
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self.outcome.counts = {**self.inspector.counts, **self.weather.struck}

    def _task_broke(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if isinstance(context.get("future"), asyncio.Task) and not self._is_ending:
            self.inspector.broke(str(context.get("message")), context.get("exception"))  # else: an answer nobody wanted


def _stop(process: Process) -> None:
    if not process.is_dead:
        process.spawn(process.stop())


def _owned(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **more: Any) -> asyncio.Task[Any]:
    """Make a task and note whose it is, so that it dies with its process."""
    task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **more)
    owner = OWNER.get()
    if owner is not None:
        if owner.is_dead:
            task.cancel()
        owner.tasks[task] = None
        task.add_done_callback(lambda done: owner.tasks.pop(done, None))
    return task


def play(seed: int, *, rates: Mapping[str, float] | None = None, **terms: Any) -> Outcome:
    """Play the world of a seed to its end, or to the first broken promise.

    `rates` and `terms` take the place of what the seed draws for these faults and of the configuration.
    """
    with closing(VirtualLoop()) as loop:
        world = World(seed, loop, rates or {}, **terms)
        try:
            loop.run_until_complete(world.run())
        except NothingLeft as stuck:
            world.violated("every turn ends in time", str(stuck))
        finally:
            world.end()
        return world.outcome
