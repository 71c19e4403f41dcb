"""The dispatcher: every hint is looked at, never two looks at once at one thing, and a broken look stops nobody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from understudy.adapters.dispatch import embedded
from understudy.adapters.dispatch.embedded import EmbeddedDispatcher
from understudy.adapters.system_clock import SystemClock
from understudy.ports.telemetry import Event, StepFailed
from understudy.records.turn import Job

Handler = Callable[[str], Awaitable[None]]
GRACE_S = 5.0


class House:
    """A dispatcher at work; `looks` holds the keys in the order in which they were looked at."""

    def __init__(self, *, concurrency: int = 256) -> None:
        self.clock = SystemClock()
        self.events: list[Event] = []
        self.looks: list[str] = []
        self.dispatcher = EmbeddedDispatcher(self.clock, self, concurrency=concurrency)

    def emit(self, event: Event) -> None:
        self.events.append(event)

    async def note(self, key: str) -> None:
        self.looks.append(key)

    def hint(self, key: str, *, after_s: float | None = None, kind: str = "turn") -> None:
        at = None if after_s is None else self.clock.now() + timedelta(seconds=after_s)
        self.dispatcher.hint(Job(kind=kind, key=key), at=at)

    def start(self, handler: Handler | None = None) -> None:
        self.dispatcher.start({"turn": handler or self.note})

    async def until(self, is_so: Callable[[], bool], *, within_s: float = 60.0) -> None:
        async with asyncio.timeout(within_s):
            while not is_so():  # noqa: ASYNC110 - what is waited for happens in the code under test
                await asyncio.sleep(0.002)


def play(scene: Callable[[], Awaitable[None]]) -> None:
    async def played() -> None:
        await scene()

    asyncio.run(played())


def test_a_hint_is_looked_at() -> None:
    house = House()

    async def scene() -> None:
        house.start()
        house.hint("a")
        await house.until(lambda: house.looks == ["a"])
        await house.dispatcher.stop(grace_s=GRACE_S)

    play(scene)


def test_hints_are_looked_at_in_their_order_where_places_are_few() -> None:
    house = House(concurrency=1)

    async def scene() -> None:
        house.start()
        for key in "abcde":
            house.hint(key)
        await house.until(lambda: len(house.looks) == 5)
        await house.dispatcher.stop(grace_s=GRACE_S)

    play(scene)
    assert house.looks == list("abcde")


def test_a_job_is_never_looked_at_twice_at_once() -> None:
    house = House()
    running, most = [0], [0]

    async def look(_key: str) -> None:
        running[0] += 1
        most[0] = max(most[0], running[0])
        await asyncio.sleep(0.01)
        running[0] -= 1

    async def scene() -> None:
        house.start(look)
        for _ in range(10):
            house.hint("a")
            await asyncio.sleep(0.003)
        await house.until(lambda: running[0] == 0)
        await house.dispatcher.stop(grace_s=GRACE_S)

    play(scene)
    assert most == [1]


def test_a_hint_during_a_look_is_looked_at_afterwards() -> None:
    house = House()
    gate = asyncio.Event()

    async def look(key: str) -> None:
        house.looks.append(key)
        await gate.wait()

    async def scene() -> None:
        house.start(look)
        house.hint("a")
        await house.until(lambda: house.looks == ["a"])
        for _ in range(5):
            house.hint("a")
        await asyncio.sleep(0.02)
        assert house.looks == ["a"]
        gate.set()
        await house.until(lambda: house.looks == ["a", "a"])
        await house.dispatcher.stop(grace_s=GRACE_S)

    play(scene)
    assert house.looks == ["a", "a"]


def test_at_most_so_many_jobs_run_at_once() -> None:
    house = House(concurrency=3)
    running, most, done = [0], [0], [0]

    async def look(_key: str) -> None:
        running[0] += 1
        most[0] = max(most[0], running[0])
        await asyncio.sleep(0.005)
        running[0] -= 1
        done[0] += 1

    async def scene() -> None:
        house.start(look)
        for number in range(12):
            house.hint(str(number))
        await house.until(lambda: done[0] == 12)
        await house.dispatcher.stop(grace_s=GRACE_S)

    play(scene)
    assert most == [3]


def test_jobs_of_one_kind_that_take_long_keep_those_of_another_from_nothing() -> None:
    house = House(concurrency=2)

    async def scene() -> None:
        gate = asyncio.Event()

        async def wait(_key: str) -> None:
            await gate.wait()

        house.dispatcher.start({"turn": wait, "outbox": house.note})
        for key in "abc":
            house.hint(key)
        house.hint("d", kind="outbox")
        await house.until(lambda: house.looks == ["d"])
        assert house.dispatcher.load == 3
        gate.set()
        await house.dispatcher.stop(grace_s=GRACE_S)

    play(scene)


def test_a_hint_for_later_waits_for_its_moment() -> None:
    house = House()

    async def scene() -> None:
        house.start()
        began = asyncio.get_running_loop().time()
        house.hint("a", after_s=0.08)
        await asyncio.sleep(0.02)
        assert house.looks == []
        await house.until(lambda: house.looks == ["a"])
        assert asyncio.get_running_loop().time() - began >= 0.07
        await house.dispatcher.stop(grace_s=GRACE_S)

    play(scene)


def test_a_hint_for_the_past_is_looked_at_now() -> None:
    house = House()

    async def scene() -> None:
        house.start()
        house.hint("a", after_s=-100)
        await house.until(lambda: house.looks == ["a"])
        await house.dispatcher.stop(grace_s=GRACE_S)

    play(scene)


@pytest.mark.parametrize("moments", [(0.02, 0.09), (0.09, 0.02)])
def test_of_two_hints_for_later_neither_is_lost(moments: tuple[float, float]) -> None:
    house = House()
    looked_at: list[float] = []

    async def look(_key: str) -> None:
        looked_at.append(asyncio.get_running_loop().time())

    async def scene() -> None:
        house.start(look)
        began = asyncio.get_running_loop().time()
        for after_s in moments:
            house.hint("a", after_s=after_s)
        await house.until(lambda: bool(looked_at))
        assert looked_at[0] - began < 0.08, "the earlier moment was missed"
        if moments[0] < moments[1]:
            await house.until(lambda: len(looked_at) == 2)
            assert looked_at[1] - began >= 0.08
        await house.dispatcher.stop(grace_s=GRACE_S)

    play(scene)


def test_hints_may_come_from_any_thread() -> None:
    house = House()

    async def scene() -> None:
        house.start()
        threads = [threading.Thread(target=house.hint, args=(str(number),)) for number in range(20)]
        for thread in threads:
            thread.start()
        await house.until(lambda: len(house.looks) == 20)
        for thread in threads:
            thread.join()
        await house.dispatcher.stop(grace_s=GRACE_S)

    play(scene)


def test_a_look_that_breaks_is_reported_and_stops_nobody() -> None:
    house = House()

    async def look(key: str) -> None:
        if key == "bad":
            raise LookupError("in the middle")
        house.looks.append(key)

    async def scene() -> None:
        house.start(look)
        house.hint("bad")
        house.hint("good")
        await house.until(lambda: house.looks == ["good"] and bool(house.events))
        await house.dispatcher.stop(grace_s=GRACE_S)

    play(scene)
    assert house.events == [StepFailed(flow="turn", key="bad", error="LookupError: in the middle")]


def test_a_look_that_broke_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "FAILURE_PAUSE_S", 0.01)
    house = House()

    async def look(key: str) -> None:
        house.looks.append(key)
        if len(house.looks) < 3:
            raise LookupError

    async def scene() -> None:
        house.start(look)
        house.hint("a")
        await house.until(lambda: len(house.looks) == 3)
        await house.dispatcher.stop(grace_s=GRACE_S)

    play(scene)


def test_stopping_waits_for_looks_under_way() -> None:
    house = House()

    async def look(key: str) -> None:
        await asyncio.sleep(0.05)
        house.looks.append(key)

    async def scene() -> None:
        house.start(look)
        house.hint("a")
        await asyncio.sleep(0.01)
        await house.dispatcher.stop(grace_s=GRACE_S)
        assert house.looks == ["a"]

    play(scene)


def test_stopping_gives_up_looks_that_never_end() -> None:
    house = House()
    ended: list[str] = []

    async def look(key: str) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append(key)
            raise

    async def scene() -> None:
        house.start(look)
        house.hint("a")
        await asyncio.sleep(0.01)
        await house.dispatcher.stop(grace_s=0.02)

    play(scene)
    assert ended == ["a"]


def test_nothing_begins_after_the_stop() -> None:
    house = House()

    async def scene() -> None:
        house.start()
        house.hint("later", after_s=0.02)
        await asyncio.sleep(0)
        await house.dispatcher.stop(grace_s=GRACE_S)
        house.hint("new")
        await asyncio.sleep(0.05)

    play(scene)
    assert house.looks == []


def test_a_hint_before_the_start_or_after_the_end_is_forgotten_and_harmless() -> None:
    """The tables remember what is due; the next start sweeps them."""
    house = House()
    house.hint("early")

    async def scene() -> None:
        house.start()
        await asyncio.sleep(0.01)
        await house.dispatcher.stop(grace_s=GRACE_S)

    play(scene)
    house.hint("late")
    assert house.looks == []


def test_there_is_room_until_as_many_jobs_run_as_may() -> None:
    house, gate = House(concurrency=2), asyncio.Event()

    async def wait(_key: str) -> None:
        await gate.wait()

    async def scene() -> None:
        assert not house.dispatcher.has_room("turn")  # it has not begun
        house.start(wait)
        assert not house.dispatcher.has_room("unheard of")
        seen = []
        for key in "ab":
            seen.append(house.dispatcher.has_room("turn"))
            house.dispatcher.go_on(Job(kind="turn", key=key))
        assert [*seen, house.dispatcher.has_room("turn")] == [True, True, False]
        gate.set()
        await house.until(lambda: house.dispatcher.has_room("turn"))
        await house.dispatcher.stop(grace_s=GRACE_S)
        assert not house.dispatcher.has_room("turn")

    play(scene)


def test_what_is_gone_on_with_while_a_stop_waits_is_waited_for_too() -> None:
    house = House()

    async def go_on(key: str) -> None:
        house.looks.append(key)
        await asyncio.sleep(0.01)
        if key == "first":
            house.dispatcher.go_on(Job(kind="turn", key="second"))

    async def scene() -> None:
        house.start(go_on)
        house.dispatcher.go_on(Job(kind="turn", key="first"))
        await house.dispatcher.stop(grace_s=GRACE_S)

    play(scene)
    assert house.looks == ["first", "second"]


def test_a_job_that_runs_is_looked_at_again_where_somebody_goes_on_with_it() -> None:
    house = House()

    async def look(key: str) -> None:
        house.looks.append(key)
        await asyncio.sleep(0.01)

    async def scene() -> None:
        house.start(look)
        for _ in range(2):
            house.dispatcher.go_on(Job(kind="turn", key="a"))
            await asyncio.sleep(0.001)
        await house.until(lambda: house.looks == ["a", "a"])
        await house.dispatcher.stop(grace_s=GRACE_S)

    play(scene)
