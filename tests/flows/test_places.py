"""Places at an agent: processes together ask no more than the limits say, and waiting costs no turn its deadline or its end.

Two `Drafting`s over two connections to one file are two processes; time is virtual and passes only when all wait.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

TESTS = Path(__file__).parents[1]
if str(TESTS) not in sys.path:
    sys.path.insert(0, str(TESTS))  # tests are no package; the simulation is one

from simulation.virtual_time import VirtualClock, VirtualLoop  # noqa: E402
from understudy.adapters.stores.sql_store import SqlStore  # noqa: E402
from understudy.errors import AgentUnavailable, StepSuperseded, StoreError  # noqa: E402
from understudy.ports.agent import DraftRequest  # noqa: E402
from understudy.ports.calls import CallLimits  # noqa: E402
from understudy.ports.telemetry import AgentAsked  # noqa: E402
from understudy.records.evidence import ChatMessage, ContactFacts, Draft  # noqa: E402
from understudy.testing.scripted import ScriptedAgent  # noqa: E402
from understudy.turn.drafting import Drafting, DraftingLimits  # noqa: E402
from understudy.turn.places import LAPSE_S, Places  # noqa: E402

T = TypeVar("T")

REQUEST = DraftRequest(
    turn_id="t-1",
    conversation_id="c-1",
    channel="webchat",
    topic=None,
    messages=(ChatMessage(role="user", content="When?"),),
    contact=ContactFacts(),
    deadline_s=30.0,
)


class Beside:
    """A store that needs no thread: nothing but the virtual loop may be waited for."""

    def __init__(self, path: Path) -> None:
        self.kept = SqlStore(f"sqlite:///{path}")
        self.is_broken = False

    async def write(self, step: Callable[[Any], T]) -> T:
        await asyncio.sleep(0.001)
        if self.is_broken:
            raise StoreError("the disk is full")
        return self.kept.write_now(step)


class Slow:
    """An agent that takes `takes_s` for a draft and notes when it was asked and how many requests it had at once."""

    version = None

    def __init__(self, takes_s: float = 1.0, *, name: str = "slow") -> None:
        self.name, self.takes_s = name, takes_s
        self.asked: list[tuple[float, DraftRequest]] = []
        self.now, self.most = 0, 0

    async def draft(self, request: DraftRequest) -> Draft:
        self.now += 1
        self.most = max(self.most, self.now)
        self.asked.append((asyncio.get_running_loop().time(), request))
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.now -= 1
        return Draft(text="Tomorrow.", agent=self.name, agent_version="v1")

    @property
    def turns(self) -> list[str]:
        return [request.turn_id for _, request in self.asked]


@dataclass
class House:
    """Processes on one store before one agent, in virtual time."""

    path: Path
    loop: VirtualLoop = field(default_factory=VirtualLoop)
    stores: list[Beside] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        numbers = count(1)
        self.clock = VirtualClock(self.loop, number=lambda: next(numbers), draw=lambda: 0.5)

    def emit(self, event: Any) -> None:
        self.events.append(event)

    def process(self, agent: Any, *more: Any, wait_s: float = 120.0, **limits: int) -> tuple[Drafting, Places]:
        """Start a process; its first agent has limits, and what it takes is renewed for as long as anything runs."""
        self.stores.append(Beside(self.path))
        store: Any = self.stores[-1]
        bounds = CallLimits(at_once_max=limits.get("at_once"), per_minute_max=limits.get("per_minute"))
        places = Places(store, self.clock, {agent.name: bounds})
        drafting = Drafting(
            self.clock,
            self,
            lambda _channel: (agent, *more),
            limits=DraftingLimits(attempts_max=2, place_wait_s_max=wait_s),
            places=places,
        )
        return drafting, places

    def run(self, scene: Coroutine[Any, Any, T], *renewed: Places) -> T:
        """Play a scene to its end."""

        async def renew() -> None:
            while True:
                for places in renewed:
                    await places.renew()
                await asyncio.sleep(LAPSE_S / 3)

        async def played() -> T:
            renewing = asyncio.ensure_future(renew()) if renewed else None
            try:
                return await asyncio.wait_for(scene, 3600)
            finally:
                if renewing is not None:
                    renewing.cancel()

        return self.loop.run_until_complete(played())

    def close(self) -> None:
        for store in self.stores:
            store.kept.close_now()
        self.loop.close()


@pytest.fixture
def house(migrated: Path, tmp_path: Path) -> Iterator[House]:
    path = tmp_path / "places.db"
    path.write_bytes(migrated.read_bytes())
    made = House(path)
    yield made
    made.close()


def asking(turn: str) -> DraftRequest:
    return replace(REQUEST, turn_id=turn)


@given(
    at_once=st.none() | st.integers(1, 3),
    per_minute=st.none() | st.integers(1, 6),
    takes_s=st.sampled_from([0.01, 1.0, 25.0]),
    asked=st.integers(1, 12),
)
@settings(max_examples=25)
def test_two_processes_together_keep_the_limits(
    at_once: int | None,
    per_minute: int | None,
    takes_s: float,
    asked: int,
    migrated: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("calls") / "store.db"
    path.write_bytes(migrated.read_bytes())
    house = House(path)
    agent = Slow(takes_s)
    limits: Any = {"wait_s": 3000.0, "at_once": at_once, "per_minute": per_minute}
    processes = [house.process(agent, **limits) for _ in range(2)]

    async def scene() -> None:
        await asyncio.gather(*(processes[number % 2][0].draft(REQUEST) for number in range(asked)))

    house.run(scene(), *(places for _, places in processes))
    house.close()
    times = [at for at, _ in agent.asked]
    assert len(times) == asked
    if at_once is not None:
        assert agent.most <= at_once
    if per_minute is not None:
        # A place is taken just before the agent is asked, so requests may lie that little bit closer together.
        assert all(later - first >= 59.9 for first, later in zip(times, times[per_minute:], strict=False))


def test_waiting_for_a_place_does_not_count_against_the_deadline(house: House) -> None:
    agent = Slow()
    drafting, places = house.process(agent, per_minute=1)

    async def scene() -> None:
        for _ in range(2):
            await drafting.draft(REQUEST)

    house.run(scene(), places)
    (first_at, first), (second_at, second) = agent.asked
    assert second_at - first_at == pytest.approx(60, abs=0.2)
    assert second.deadline_s == pytest.approx(first.deadline_s) == 30.0


def test_a_place_given_back_is_taken_at_once_by_the_next_in_line(house: House) -> None:
    agent = Slow(0.01)
    drafting, places = house.process(agent, at_once=1)

    async def scene() -> float:
        await asyncio.gather(*(drafting.draft(REQUEST) for _ in range(20)))
        return house.loop.time()

    assert house.run(scene(), places) < 20 * 0.02, "nobody waited for the next look"


def test_who_waits_longest_is_first_in_line(house: House) -> None:
    agent = Slow(10)
    drafting, places = house.process(agent, at_once=1)
    now = house.clock.now()

    async def scene() -> None:
        began = {"now": 0, "third": 30, "first": 50, "second": 40}
        tasks = []
        for turn, ago_s in began.items():
            tasks.append(asyncio.ensure_future(drafting.draft(asking(turn), since=now - timedelta(seconds=ago_s))))
            await asyncio.sleep(1)
        await asyncio.gather(*tasks)

    house.run(scene(), places)
    assert agent.turns == ["now", "first", "second", "third"]


def test_where_no_place_comes_free_in_time_the_turn_waits_no_longer(house: House) -> None:
    agent = Slow(25)
    drafting, places = house.process(agent, at_once=1, wait_s=40.0)
    said: list[str] = []

    async def ended_after() -> float:
        try:
            await drafting.draft(REQUEST)
        except AgentUnavailable as error:
            said.append(error.message)
            return -house.loop.time()
        return house.loop.time()

    async def scene() -> list[float]:
        return list(await asyncio.gather(*(ended_after() for _ in range(4))))

    assert house.run(scene(), places) == pytest.approx([25, 50, -40, -40], abs=0.3)
    assert len(agent.asked) == 2
    assert all("agents.slow.at_once_max" in text and "drafting.place_wait_s_max" in text for text in said)


def test_nobody_waits_for_a_place_that_cannot_come_in_time(house: House) -> None:
    drafting, places = house.process(Slow(), per_minute=1, wait_s=40.0)

    async def scene() -> float:
        await drafting.draft(REQUEST)
        began = house.loop.time()
        with pytest.raises(AgentUnavailable):
            await drafting.draft(REQUEST)
        return house.loop.time() - began

    assert house.run(scene(), places) < 1


def test_the_fallback_agent_is_asked_where_there_is_no_place_at_the_first(house: House) -> None:
    holder, held = house.process(Slow(25), at_once=1)
    spare = Slow(name="spare")
    drafting, _ = house.process(Slow(), spare, at_once=1, wait_s=20.0)

    async def scene() -> None:
        await asyncio.gather(holder.draft(REQUEST), drafting.draft(REQUEST))

    house.run(scene(), held)
    ((asked_at, request),) = spare.asked
    assert asked_at == pytest.approx(12, abs=0.3), "it has its share of the wait as it has of the deadline"
    assert request.deadline_s == pytest.approx(30.0), "waiting took nothing from the fallback's time"


def test_a_draft_nobody_wants_any_more_takes_no_place(house: House) -> None:
    agent = Slow()
    drafting, places = house.process(agent, per_minute=1)

    async def scene() -> None:
        with pytest.raises(StepSuperseded):
            await drafting.draft(REQUEST, is_wanted=lambda _tx: False)
        await drafting.draft(asking("wanted"))

    house.run(scene(), places)
    assert agent.turns == ["wanted"]
    assert agent.asked[0][0] < 1


def test_each_try_takes_a_place_of_its_own(house: House) -> None:
    agent = ScriptedAgent([AgentUnavailable("busy"), "Tomorrow."], name="slow")
    drafting, places = house.process(agent, per_minute=1)
    house.run(drafting.draft(REQUEST), places)
    first, second = (event for event in house.events if isinstance(event, AgentAsked))
    assert (second.started_at - first.started_at).total_seconds() >= 59.9


def test_an_agent_left_alone_after_failures_uses_up_no_places(house: House) -> None:
    down = ScriptedAgent(AgentUnavailable("down"), name="slow")
    spare = ScriptedAgent("From the spare.", name="spare")
    drafting, places = house.process(down, spare, per_minute=20)

    async def scene() -> float:
        for _ in range(30):
            assert (await drafting.draft(REQUEST)).text == "From the spare."
        return house.loop.time()

    assert house.run(scene(), places) < 60, "nobody waited a minute for an agent that is not asked"


def test_a_dead_process_s_places_are_free_again_once_they_lapsed(house: House) -> None:
    dead, _ = house.process(Slow(1000), at_once=1)
    agent = Slow()
    heir, _ = house.process(agent, at_once=1)

    async def scene() -> None:
        hanging = asyncio.ensure_future(dead.draft(REQUEST))  # and nobody renews what it took
        await asyncio.sleep(1)
        await heir.draft(REQUEST)
        hanging.cancel()

    house.run(scene())
    assert agent.asked[0][0] == pytest.approx(LAPSE_S, abs=0.3)


def test_a_renewed_place_is_kept_for_as_long_as_the_draft_takes(house: House) -> None:
    alive, places = house.process(Slow(20), at_once=1)
    agent = Slow()
    other, _ = house.process(agent, at_once=1)

    async def scene() -> None:
        await asyncio.gather(alive.draft(REQUEST), other.draft(REQUEST))

    house.run(scene(), places)
    assert agent.asked[0][0] == pytest.approx(20, abs=0.3)


def test_a_draft_cut_off_by_a_stop_gives_its_place_back(house: House) -> None:
    stopped, _ = house.process(Slow(1000), at_once=1)
    agent = Slow()
    other, _ = house.process(agent, at_once=1)

    async def scene() -> None:
        hanging = asyncio.ensure_future(stopped.draft(REQUEST))
        await asyncio.sleep(1)
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)
        await other.draft(REQUEST)

    house.run(scene())
    assert agent.asked[0][0] < 1.5


def test_a_place_that_cannot_be_given_back_costs_no_draft(house: House) -> None:
    agent = Slow(10)
    drafting, _ = house.process(agent, at_once=1)

    async def scene() -> tuple[Draft, float]:
        first = asyncio.ensure_future(drafting.draft(REQUEST))
        await asyncio.sleep(5)
        house.stores[0].is_broken = True
        draft = await first
        house.stores[0].is_broken = False
        await drafting.draft(REQUEST)
        return draft, agent.asked[1][0]

    draft, second_at = house.run(scene())
    assert draft.text == "Tomorrow."
    assert second_at < 10 + LAPSE_S


def test_where_no_limit_is_set_no_place_costs_anything(house: House) -> None:
    agent = Slow()
    no_store: Any = None
    drafting = Drafting(
        house.clock, house, lambda _channel: (agent,), limits=DraftingLimits(), places=Places(no_store, house.clock, {})
    )
    house.run(drafting.draft(REQUEST))
    assert len(agent.asked) == 1
