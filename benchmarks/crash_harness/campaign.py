"""A campaign: so many kills on one store with one kind of channel, spread over cells; what it found, in figures.

Six kills in ten are at the named point that was visited least; the others come at random moments, also while a process
starts or takes up what another left. It is over when the kills are done and every acknowledged message is settled.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crash_harness.cell import CUSTOMERS, Cell, Role
from crash_harness.nursery import Nursery
from crash_harness.points import Point, points_of
from crash_harness.remains import faults_of_file, remains
from crash_harness.sink import Sink
from turns_harness.postgres import Postgres

NAMED_SHARE = 0.6
AT_ONCE_SHARE, AT_ONCE_SHARE_OF_SMALL = 0.3, 0.8
"""How many kills do not wait until the one before is overcome; the second where each point is visited once."""
REACHED_WITHIN_S_OF_SMALL = 30.0
"""How long a process may take to a point where each is visited once: on a busy machine another try would take longer."""
QUIET_S_MAX = 0.2
LAYOUTS: dict[str, tuple[tuple[Role, ...], ...]] = {
    "sqlite": (("serve",),),
    "postgres": (("web", "work", "work"), ("serve", "serve")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where campaigns take place: `template` is an empty migrated SQLite file, `postgres` has a database of that name."""

    folder: Path
    nursery: Nursery
    sink: Sink
    template: Path
    api_key: str
    postgres: Postgres | None


@dataclass(slots=True, kw_only=True)
class Campaign:
    """`store` × `honours_keys`, with `kills` in all on so many `cells`; `told` hears how many kills were done.

    `customers`: how many write at once in each cell. `each_point_once`: nothing but that, in at most `kills` tries.
    `says_keys`: what the product is told of the channel, where it is not the truth. `only`: the names of points to aim
    at, and no others.
    """

    store: str
    honours_keys: bool
    kills: int
    cells: int
    seed: int
    customers: int = CUSTOMERS
    told: Callable[[int], None] = lambda _kills: None
    each_point_once: bool = False
    only: tuple[str, ...] = ()
    says_keys: bool | None = None
    label: str = "kills"
    made: list[Cell] = field(default_factory=list)
    _aimed: Counter[str] = field(default_factory=Counter)
    _left: int = 0

    @property
    def name(self) -> str:
        """No two campaigns of a run have the same; databases are named after it."""
        return f"{self.label}_{self.store}_{'keys' if self.honours_keys else 'no_keys'}"

    async def run(self, ground: Ground) -> dict[str, Any]:
        """Kill, let all be settled, and count."""
        self._left = self.kills
        layouts = LAYOUTS[self.store]
        for number in range(self.cells):
            self.made.append(self._cell(ground, f"{self.name}{number}", layouts[number % len(layouts)]))
        async with asyncio.TaskGroup() as group:
            for cell in self.made:
                group.create_task(self._life(cell, ground))
        return await self._figures(ground)

    def _cell(self, ground: Ground, name: str, roles: tuple[Role, ...]) -> Cell:
        home = ground.folder / name
        home.mkdir()
        if self.store == "sqlite":
            shutil.copy(ground.template, home / "store.db")
            store = f"sqlite:///{home / 'store.db'}"
        else:
            assert ground.postgres is not None
            ground.postgres.execute(f"CREATE DATABASE {name} TEMPLATE template_of_cells")
            store = ground.postgres.url(name)
        return Cell(
            name,
            roles,
            store=store,
            honours_keys=self.honours_keys,
            says_keys=self.honours_keys if self.says_keys is None else self.says_keys,
            home=home,
            api_key=ground.api_key,
            nursery=ground.nursery,
            sink=ground.sink,
            seed=self.seed,
        )

    async def _life(self, cell: Cell, ground: Ground) -> None:
        cell.at_once = self.customers
        if self.each_point_once:
            cell.nth_max = 1
            cell.reached_within_s = REACHED_WITHIN_S_OF_SMALL
        await cell.open()
        await self._live(cell, ground)
        await cell.close()

    async def _live(self, cell: Cell, ground: Ground) -> None:  # noqa: ARG002 - others need it
        """What happens to a cell between its first message and its last."""
        while not self._is_over():
            self._left -= 1
            await asyncio.sleep(cell.dice.random() * QUIET_S_MAX)
            await cell.die(self._next_point(cell.dice))
            self.told(1)
            if cell.dice.random() >= (AT_ONCE_SHARE_OF_SMALL if self.each_point_once else AT_ONCE_SHARE):
                await cell.recovered()

    def _is_over(self) -> bool:
        if not self.each_point_once:
            return self._left <= 0
        return self._left <= 0 or not self._missing()

    def _missing(self) -> list[Point]:
        """The points at which nobody died yet."""
        visited = sum((cell.killed_at() for cell in self.made), Counter[str]())
        return [point for point in points_of(self.store, honours_keys=self.honours_keys) if not visited[point.name]]

    def _next_point(self, dice: random.Random) -> Point | None:
        """The point that was aimed at least, or none."""
        points: Sequence[Point] = points_of(self.store, honours_keys=self.honours_keys)
        if self.only:
            points = [point for point in points if point.name in self.only]
        elif self.each_point_once:
            points = self._missing()
        elif dice.random() >= NAMED_SHARE:
            return None
        if not points:
            return None  # another cell came to the last one meanwhile
        least = min(self._aimed[point.name] for point in points)
        point = dice.choice([point for point in points if self._aimed[point.name] == least])
        self._aimed[point.name] += 1
        return point

    async def _figures(self, ground: Ground) -> dict[str, Any]:
        counts: Counter[str] = Counter()
        killed_at: Counter[str] = Counter()
        resumed: list[float] = []
        faults: list[str] = []
        for cell in self.made:
            counts.update(cell.books.counts)
            counts["messages"] += sum(one.acknowledged_at is not None for one in cell.books.questions.values())
            counts["ambiguous_held"] += len(cell.reviewer.unsure_seen)
            killed_at.update(cell.killed_at())
            resumed.extend(cell.resume_ms())
            faults.extend([*cell.books.faults, *cell.ended_by_themselves])
            faults.extend(
                f"{cell.name}: unnamed commit: {slot.fuse.unnamed}" for slot in cell.slots if slot.fuse.unnamed
            )
            faults.extend(await self._faults_left(ground, cell))
        resumed.sort()
        points = points_of(self.store, honours_keys=self.honours_keys)
        return {
            "kills": sum(killed_at.values()),
            **{kind: counts[kind] for kind in ("messages", "lost", "doubled", "reordered", "alien", "ambiguous_held")},
            "ambiguous_sent_again_by_a_person": counts["unsure_send_approve"],
            "repeated_under_their_key": counts["repeated_under_their_key"],
            "not_acknowledged": counts["not_acknowledged"],
            "recognised_when_sent_again": counts["recognised"],
            "resume_ms": {
                "p50": round(statistics.median(resumed)) if resumed else None,
                "p99": round(resumed[max(0, int(len(resumed) * 0.99) - 1)]) if resumed else None,
                "max": round(resumed[-1]) if resumed else None,
                "n": len(resumed),
            },
            "killed_at": {point.name: killed_at.pop(point.name, 0) for point in points} | dict(killed_at),
            "faults": faults,
        }

    async def _faults_left(self, ground: Ground, cell: Cell) -> list[str]:
        """What is wrong in the database of a cell whose processes have stopped."""
        config = str(cell.slots[0].config)
        code, said = await ground.nursery.run(
            ["audit", "verify", "--json", "--config", config], home=cell.home, name="audit"
        )
        found = [] if code == 0 else [f"{cell.name}: the ledger is broken: {said}"]
        faults = await asyncio.to_thread(lambda: remains(cell.database) + faults_of_file(cell.database))
        cell.database.dispose()
        return [*found, *(f"{cell.name}: {fault} at the end" for fault in faults)]
