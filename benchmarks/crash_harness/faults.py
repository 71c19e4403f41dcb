"""What fails beside processes: PostgreSQL restarts under load, and a disk takes no more. The processes must live on.

A full disk is made by the kernel's limit on the size of a file (RLIMIT_FSIZE), set on the running process from outside
and taken away again: write(2) really fails, in the middle of whatever SQLite does, and no privilege is needed. It fails
with EFBIG where a full disk says ENOSPC; SQLite rolls back after either.
"""

from __future__ import annotations

import asyncio
import resource
from dataclasses import dataclass
from typing import Any, Literal

from crash_harness.campaign import Campaign, Ground
from crash_harness.cell import Cell

LOADED_S = 1.0
FULL_S = 3.0
RESTARTS: tuple[Literal["fast", "immediate"], ...] = ("fast", "immediate")
BREATH_S = 3.0
ROOM_BYTES = 32 * 1024
LOOKS_MAX = 600
"""How often it is looked, each tenth of a second, whether anybody met the full disk: the machine may be busy."""


@dataclass(slots=True, kw_only=True)
class RestartingPostgres(Campaign):
    """PostgreSQL is restarted under load, by a clean stop and by a crash, so often each."""

    restarts: int = 1
    label: str = "restarts"

    async def _live(self, cell: Cell, ground: Ground) -> None:
        assert ground.postgres is not None
        postgres = ground.postgres
        for _ in range(self.restarts):
            for mode in RESTARTS:
                await asyncio.sleep(LOADED_S)
                await asyncio.to_thread(postgres.restart, mode)
                cell.books.counts[f"restarts_{mode}"] += 1
                await asyncio.sleep(BREATH_S)


@dataclass(slots=True, kw_only=True)
class FullDisk(Campaign):
    """The disk takes no more for some seconds, so often."""

    times: int = 1
    label: str = "full"

    async def _live(self, cell: Cell, ground: Ground) -> None:  # noqa: ARG002 - the same for all campaigns
        for _ in range(self.times):
            await asyncio.sleep(LOADED_S)
            process = cell.slots[0].process
            assert process is not None
            sizes = [path.stat().st_size for path in cell.home.glob("store.db*")]
            _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
            # SQLite begins its log anew now and then, so a file that must not grow is not enough: it is cut short too.
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (min(ROOM_BYTES, max(sizes)), hard))
            await asyncio.sleep(FULL_S)
            await _refused(cell)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
            cell.books.counts["times_full"] += 1


async def _refused(cell: Cell) -> None:
    """Wait until a message was refused, at most for a while; the figures say whether one was."""
    for _ in range(LOOKS_MAX):
        if cell.books.counts["answered_503"]:
            return
        await asyncio.sleep(0.1)


async def fault_figures(campaign: RestartingPostgres | FullDisk, ground: Ground) -> dict[str, Any]:
    """Run one of the two, and say what came of it."""
    found = await campaign.run(ground)
    counts = campaign.made[0].books.counts
    told = ("restarts_fast", "restarts_immediate", "times_full", "answered_503", "answered_500")
    wanted = ("messages", "lost", "doubled", "reordered", "alien", "ambiguous_held", "faults")
    return {name: counts[name] for name in told if name in counts} | {name: found[name] for name in wanted}
