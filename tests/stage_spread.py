"""A store, a suite and two versions of an agent, for tests of trials that processes make beside each other."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from understudy.databases import open_store
from understudy.evaluation.judging import Judging
from understudy.evaluation.spread import Spread
from understudy.evaluations import Evaluations
from understudy.ports.agent import DraftRequest
from understudy.ports.calls import CallLimits
from understudy.ports.telemetry import Event
from understudy.records.evidence import Draft
from understudy.records.spread import GateState, PendingGate, RunProgress
from understudy.settings.model import Settings
from understudy.spreading import Benches, asking_of
from understudy.testing.scripted import FrozenClock, ScriptedAgent
from understudy.turn.places import Places

T = TypeVar("T")
CASES = 24
SETTINGS = Settings.model_validate({"releases": {"suites": ["shop"]}, "evaluation": {"attempts_max": 1}})


class SlowAgent:
    """An agent that answers by a coroutine."""

    name, version = "slow", None

    def __init__(self, answer: Callable[[DraftRequest], Awaitable[Any]]) -> None:
        self._answer = answer

    async def draft(self, request: DraftRequest) -> Any:
        return Draft(text=await self._answer(request))


class House:
    """A store, a suite, two versions of an agent, and as many processes as a test starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "suites" / "shop"
        self.folder.mkdir(parents=True)
        (self.folder / "suite.yaml").write_text("margin: 0.1\n")
        for number in range(CASES):
            self.write_case(number)
        self.base = folder
        self.clock = FrozenClock()
        self.store = open_store(SETTINGS, folder)
        self.evaluations = Evaluations(SETTINGS, folder)
        self.asking = asking_of(self.evaluations, self.store, self.clock)
        self.told: list[Event] = []
        self.fails = {"old": 0.1, "new": 0.1}
        self.agents = {name: ScriptedAgent(self._answers(name), name=name) for name in self.fails}

    def write_case(self, number: int, *, wants: str = "fine") -> None:
        text = f"id: c{number}\nmessages: [{{user: question {number}}}]\ngraders: [{{regex: {wants}}}]\n"
        (self.folder / f"c{number}.yaml").write_text(text)

    def _answers(self, name: str) -> Callable[[DraftRequest], str]:
        def answer(request: DraftRequest) -> str:
            assert request.rehearsal is not None
            dice = random.Random(f"{name} {request.rehearsal.case} {request.rehearsal.trial}")
            return "hm" if dice.random() < self.fails[name] else "fine"

        return answer

    def emit(self, event: Event) -> None:
        self.told.append(event)

    def process(self, *, limits: dict[str, CallLimits] | None = None, **options: Any) -> Spread:
        """Another process on the same store."""
        places = Places(self.store, self.clock, limits or {})
        benches = Benches(self.evaluations, self.agents, {f"rel-{name}": name for name in self.agents}, places)
        judging = Judging(self.store, self.clock)
        given = {"at_once_max": 4, **options}
        return Spread(self.store, self.clock, self, benches, judging, **given)

    async def ask(self) -> PendingGate:
        begin = await self.asking.prepare()
        return await self.store.write(lambda tx: begin(tx, "rel-new", "rel-old", "Ines"))

    async def until_judged(self, *processes: Spread) -> PendingGate:
        for _ in range(100):
            await asyncio.gather(*(process.sweep() for process in processes))
            await asyncio.gather(*(process.settled() for process in processes))
            await Judging(self.store, self.clock).sweep()
            gate = self.read(lambda tx: tx.pending_gates.latest("rel-new"))
            if gate.state is GateState.JUDGED:
                return gate
        raise AssertionError("it is never judged")

    def read(self, query: Callable[..., T]) -> T:
        return self.store.read_now(query)

    def asked(self, name: str) -> Counter[tuple[str, int]]:
        """Which trials an agent was asked for, and how often."""
        rehearsals = [request.rehearsal for request in self.agents[name].requests]
        return Counter((one.case, one.trial) for one in rehearsals if one is not None)

    def progress(self, run_id: str) -> RunProgress:
        return self.read(lambda tx: tx.spread.progress(run_id, now=self.clock.now()))


def keep(tx: Any, gate: PendingGate) -> None:
    """Keep a gate as if its release had been told of it."""
    tx.pending_gates.change(gate, was=gate.version - 1)
    tx.ledger.append("release.gated", at=gate.asked_at)


async def work(process: Spread) -> None:
    """Let a process make all it can."""
    await process.sweep()
    await process.settled()


def played(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test's coroutine."""

    @wraps(test)
    def run(**fixtures: Any) -> None:
        asyncio.run(test(**fixtures))

    return run
