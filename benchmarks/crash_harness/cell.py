"""A cell: one database, the processes on it, its customers and its reviewer; it kills them and starts them again.

Cells know nothing of each other, so that many share a machine. Who is killed next, and where, the campaign says.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import signal
import socket
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from crash_harness.books import Books, Question
from crash_harness.fuse import Fuse
from crash_harness.nursery import Nursery, Process
from crash_harness.people import Customers, Door, Reviewer, lead_to
from crash_harness.points import AT_THE_SINK, Point
from crash_harness.remains import open_database, remains
from crash_harness.sink import BUSY, TAKEN, Answer, Sink
from turns_harness.systems import CHECKS, SECRET
from turns_harness.traffic import Address

Role = Literal["serve", "web", "work"]
WORDS: dict[Role, tuple[str, ...]] = {"serve": ("serve",), "web": ("serve", "--web-only"), "work": ("work",)}
CONFIG = """
server.port = {port}
review = {{ seed_rate = 0.0, second_rate = 0.0, expires_after_s = 86400 }}
business.name = "Parcel Shop"
disclosure.shown = "off"
[store]
url = "{store}"
[agents.fake]
kind = "python"
target = "crash_harness.agent:draft"
[channels.desk]
kind = "webhook"
secrets = ["{secret}"]
url = "{sink}"
honours_keys = {honours_keys}
[opinions]
judge = {{ kind = "judge", model = "fake", base_url = "{judge}", per_hour_max = 1000000, on_failure = "ignore" }}
[drafting]
deadline_s = 3
[outbox]
lease_s = 10
[coalescing]
window_s_min = 0
window_s_max = 0
burst_s_max = 0
[autonomy]
grants = [{{ topic = "shipping", level = "auto", threshold = 0.0 }}, {{ topic = "returns", level = "assist" }}]
audit_rate = 0.0
automatic_per_hour_max = 1000000000
[telemetry]
log_level = "WARNING"
{checks}
"""

CUSTOMERS = 5
READY_WITHIN_S = 60.0
REACHED_WITHIN_S = 8.0
"""How long a process may take to come to the point where it shall die; after that it is killed where it is."""
RECOVERS_WITHIN_S = 30.0
DRAINED_WITHIN_S = 90.0
"""How long the last turns may take without any of them ending, before they count as lost."""
STOPS_WITHIN_S = 60.0
NTH_MAX = 3
"""A process dies at the first to so-manieth time that it comes to a point."""
TAKES_S_MAX = 0.004
TROUBLE = (0.02, 0.01)
"""How many replies the sink refuses as too many, and of how many it breaks the connection after it took them."""
TROUBLE_WANTED = {"outbox.retry": (0.5, 0.01), "outbox.unknown": (0.02, 0.5)}
"""The same while a process shall die of what comes after such an answer."""
PORTS = range(20_000, 32_000)


@dataclass(slots=True, kw_only=True)
class Slot:
    """A place for a process, which keeps its configuration and its port through all restarts."""

    name: str
    role: Role
    port: int
    config: Path
    fuse_file: Path
    fuse: Fuse
    process: Process | None = None

    @property
    def serves(self) -> bool:
        """Whether messages can be sent to it."""
        return self.role != "work"

    @property
    def works(self) -> bool:
        """Whether it takes turns."""
        return self.role != "web"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """A process that died; `at` is `time.perf_counter()`. `waiting`: what was acknowledged and unanswered then."""

    at: float
    point: str
    waiting: tuple[Question, ...]


class Cell:
    """See the module. `honours_keys`: whether the sink does; `says_keys`: whether the product is told that it does."""

    def __init__(
        self,
        name: str,
        roles: Sequence[Role],
        *,
        store: str,
        honours_keys: bool,
        says_keys: bool,
        home: Path,
        api_key: str,
        nursery: Nursery,
        sink: Sink,
        seed: int,
    ) -> None:
        self.name = name
        self.home = home
        self.books = Books(name, honours_keys=honours_keys)
        self.kills: list[Kill] = []
        self.ended_by_themselves: list[str] = []
        self.nth_max = NTH_MAX
        self.dice = random.Random(f"{seed} {name}")
        self.database = open_database(store)
        self._nursery = nursery
        self.reached_within_s = REACHED_WITHIN_S
        self.at_once = CUSTOMERS
        self._dies_at_sink: set[str] = set()
        self._trouble = TROUBLE
        home.mkdir(parents=True, exist_ok=True)
        self.slots = [self._slot(f"{role}{number}", role, store, sink, says_keys) for number, role in enumerate(roles)]
        addresses = [
            Address(
                host="127.0.0.1",
                port=slot.port,
                signing_key=b64decode(SECRET.removeprefix("whsec_")),
                api_key=api_key,
            )
            for slot in self.slots
            if slot.serves
        ]
        self._door = Door(addresses, self.dice)
        self.customers = Customers(self._door, self.books, self.dice)
        self.reviewer = Reviewer(self._door, self.books, self.dice)
        self._writing: list[asyncio.Task[None]] = []
        self._reviewing: asyncio.Task[None] | None = None
        sink.cells[name] = self

    def _slot(self, name: str, role: Role, store: str, sink: Sink, says_keys: bool) -> Slot:
        port = _free_port(self.dice)
        config = self.home / f"{name}.toml"
        text = CONFIG.format(
            port=port,
            store=store,
            secret=SECRET,
            sink=sink.url(self.name, name),
            judge=sink.judge_url,
            honours_keys=str(says_keys).lower(),
            checks="\n".join(f"[checks.{check}]\nenabled = false" for check in CHECKS),
        )
        config.write_text(text, encoding="utf-8")
        fuse = self.home / f"{name}.fuse"
        return Slot(name=name, role=role, port=port, config=config, fuse_file=fuse, fuse=Fuse(fuse))

    # The sink's side ---------------------------------------------------------------------------------------------

    def took(self, slot: str, key: str, body: bytes) -> Answer:
        """Take one reply from the process in a slot."""
        draw = self.dice.random()
        busy, breaks = self._trouble
        if draw < busy:
            return Answer(after_s=0.0, says=BUSY)
        data = json.loads(body)["data"]
        self.books.took(key, data["conversation_id"], data["text"])
        if slot in self._dies_at_sink:
            self._dies_at_sink.clear()
            victim = next(one for one in self.slots if one.name == slot)
            assert victim.process is not None
            victim.process.kill()
            return Answer(after_s=0.0, says=None)
        if draw < busy + breaks:
            self.books.counts["broken_answers"] += 1
            return Answer(after_s=0.0, says=None)
        return Answer(after_s=self.dice.random() * TAKES_S_MAX, says=TAKEN)

    # Living ------------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Start all processes, and once they work the people."""
        for slot in self.slots:
            await self.start(slot)
        async with asyncio.timeout(READY_WITHIN_S):
            for slot in self.slots:
                await self._until_ready(slot)
        self._writing = [asyncio.create_task(self.customers.write()) for _ in range(self.at_once)]
        self._reviewing = asyncio.create_task(self.reviewer.review())

    async def start(self, slot: Slot) -> None:
        """Start the process of a slot; it is not waited for."""
        (self.home / f"{slot.name}.out").unlink(missing_ok=True)
        words = (*WORDS[slot.role], "--config", str(slot.config), "--json")
        slot.fuse.disarm()
        slot.process = await self._nursery.start(words, home=self.home, name=slot.name, fuse=slot.fuse_file)

    async def _until_ready(self, slot: Slot) -> None:
        assert slot.process is not None
        out = self.home / f"{slot.name}.out"
        while not (out.exists() and out.stat().st_size):
            if slot.process.code is not None:
                raise RuntimeError(f"{self.name}/{slot.name} did not start: {slot.process.log.read_text()[-2000:]}")
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Let the people finish, stop all processes in order, and count."""
        self.customers.is_over = True
        await self._drained()
        for task in (*self._writing, self._reviewing):
            if task is not None:
                task.cancel()
        ended = await asyncio.gather(*self._writing, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error
        async with asyncio.timeout(READY_WITHIN_S):  # a process that has just begun does not know yet how to stop
            for slot in self.slots:
                await self._until_ready(slot)
        for slot in self.slots:
            if slot.process is not None:
                slot.process.signal(signal.SIGTERM)
        for slot in self.slots:
            if slot.process is not None:
                await self._stopped(slot, slot.process)
        self._door.close()
        self.books.close()

    async def _stopped(self, slot: Slot, process: Process) -> None:
        try:
            await asyncio.wait_for(process.ended.wait(), STOPS_WITHIN_S)
        except TimeoutError:
            self.ended_by_themselves.append(f"{self.name}/{slot.name} did not stop within {STOPS_WITHIN_S:g} s")
            process.kill()
            await process.ended.wait()
        self._note_end(slot, process, was_killed=False)

    async def _drained(self) -> None:
        """Wait until nobody waits, or nothing has moved for so long that nothing will."""
        last, since = -1, time.perf_counter()
        while time.perf_counter() - since < DRAINED_WITHIN_S:
            self.raise_what_broke()
            writing = sum(not task.done() for task in self._writing)
            now = len(self.books.open) + writing + self.reviewer.waiting
            if now == 0 and not await asyncio.to_thread(remains, self.database):
                return
            if now != last:
                last, since = now, time.perf_counter()
            await asyncio.sleep(0.1)
            for slot in self.slots:
                await self._mend(slot)

    def raise_what_broke(self) -> None:
        """Raise what went wrong in the harness itself."""
        for task in (*self._writing, self._reviewing):
            if task is not None and task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    # Dying -------------------------------------------------------------------------------------------------------

    async def die(self, point: Point | None) -> None:
        """Kill one process, at a point or, without one or where none comes to it in time, wherever it is; start it again."""
        died = None if point is None else await self._die_at(point)
        name = "random" if point is None or died is None else point.name
        if died is None:
            await asyncio.sleep(self.dice.random() * 0.3)
            died = self.dice.choice(self.slots)
            assert died.process is not None
            died.process.kill()
        assert died.process is not None
        await died.process.ended.wait()
        waiting = tuple(self.books.questions[number] for number in sorted(self.books.open))
        self.kills.append(Kill(at=died.process.ended_at, point=name, waiting=waiting))
        self._note_end(died, died.process, was_killed=True)
        await asyncio.sleep(self.dice.random() * 0.05)
        await self.start(died)
        for slot in self.slots:
            await self._mend(slot)

    async def _die_at(self, point: Point) -> Slot | None:
        """Let whichever process comes to a point first die there; None where none does."""
        can = [
            slot for slot in self.slots if point.where == "any" or (slot.serves if point.where == "web" else slot.works)
        ]
        is_start = point.event == "server.started"
        if is_start:  # it passes there once, so it must be told before it begins
            await self._begin_again_armed(can[0], point)
        elif point.event == AT_THE_SINK:
            self._dies_at_sink = {slot.name for slot in can}
        else:
            for slot in can:
                slot.fuse.arm(point.event, is_after=point.when == "after", nth=self.dice.randint(1, self.nth_max))
        self._make_likely(point.event)
        ends = {asyncio.create_task(slot.process.ended.wait()): slot for slot in can if slot.process is not None}
        done, late = await asyncio.wait(ends, timeout=self.reached_within_s, return_when=asyncio.FIRST_COMPLETED)
        for task in late:
            task.cancel()
        self._dies_at_sink.clear()
        self._make_likely("")
        for slot in can:
            slot.fuse.disarm()
        return ends[next(iter(done))] if done else None

    def _make_likely(self, event: str) -> None:
        """Let happen what leads to an event more often than it does by itself."""
        self._trouble = TROUBLE_WANTED.get(event, TROUBLE)
        lead_to(event, self.customers, self.reviewer)

    async def _begin_again_armed(self, slot: Slot, point: Point) -> None:
        assert slot.process is not None
        slot.process.kill()
        await slot.process.ended.wait()
        waiting = tuple(self.books.questions[number] for number in sorted(self.books.open))
        self.kills.append(Kill(at=slot.process.ended_at, point="random", waiting=waiting))
        fuse = Fuse(slot.fuse_file)
        words = (*WORDS[slot.role], "--config", str(slot.config), "--json")
        fuse.arm(point.event, is_after=point.when == "after", nth=1)
        slot.process = await self._nursery.start(words, home=self.home, name=slot.name, fuse=slot.fuse_file)

    async def _mend(self, slot: Slot) -> None:
        """Start again what has ended meanwhile: a second process that came to the same point, or one that failed."""
        if slot.process is None or slot.process.code is None:
            return
        was_killed = slot.process.code == -signal.SIGKILL
        self._note_end(slot, slot.process, was_killed=was_killed)
        if was_killed:
            waiting = tuple(self.books.questions[number] for number in sorted(self.books.open))
            self.kills.append(Kill(at=slot.process.ended_at, point="beside another", waiting=waiting))
        await self.start(slot)

    def _note_end(self, slot: Slot, process: Process, *, was_killed: bool) -> None:
        expected = -signal.SIGKILL if was_killed else 0
        if process.code not in (expected, -signal.SIGKILL):
            text = process.log.read_text(errors="replace")[-1500:] if process.log.exists() else ""
            self.ended_by_themselves.append(f"{self.name}/{slot.name} ended with {process.code}: {text}")

    async def recovered(self) -> None:
        """Wait until all that waited at the last kill and needs no person is answered, at most for a while."""
        waiting = [one for one in self.kills[-1].waiting if not one.conversation.needs_person]
        ends = time.perf_counter() + RECOVERS_WITHIN_S
        while time.perf_counter() < ends and any(one.is_open and not one.conversation.needs_person for one in waiting):
            self.raise_what_broke()
            await asyncio.sleep(0.01)

    def resume_ms(self) -> list[float]:
        """From each kill to the last reply of all that waited then, in ms.

        Left out: what waits for people, kills at which nothing waited, and those followed by another before the end.
        """
        found = []
        for kill, next_at in zip(self.kills, [*(kill.at for kill in self.kills), math.inf][1:], strict=True):
            replied = [one.replied_at for one in kill.waiting if not one.conversation.needs_person]
            if not replied or None in replied:
                continue
            last = max(moment for moment in replied if moment is not None)
            if last < next_at:
                found.append((last - kill.at) * 1000)
        return found

    def killed_at(self) -> Counter[str]:
        """How often a process died at each point."""
        return Counter(kill.point for kill in self.kills)


def _free_port(dice: random.Random) -> int:
    """A port that is free now, below those the system gives to outgoing connections, so that it stays free."""
    while True:
        port = dice.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
