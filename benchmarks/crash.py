"""Processes killed with `kill -9`, and what the customer saw of it: lost, doubled, reordered, held, and how soon it goes on.

    ./dev bench crash [--json] [--kills 1000] [--store sqlite|postgres] [--seed N] [--quick]

Real `understudy serve` and `understudy work` processes answer customers who write by webhook; a sink takes the replies.
Six kills in ten are at a named point (before and after each kind of commit, and while the sink has a reply whose sender
has no answer yet), the others at random moments. Then a full disk, restarts of PostgreSQL under load, and an error at
each of the first 500 calls to the database. It ends with 1 where anything was lost, doubled or reordered, or where a
database is not as it should be at the end. What it shows and what not stands in README.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from crash_harness.campaign import Campaign, Ground
from crash_harness.each_call import Stages, breaks, play_each
from crash_harness.faults import FullDisk, RestartingPostgres, fault_figures
from crash_harness.ground import CONNECTIONS, new_folder, prepared, remove
from turns_harness.postgres import Postgres

KILLS, KILLS_QUICK = 1_000, 60
CALLS, CALLS_QUICK = 500, 40
CELLS = {"sqlite": 4, "postgres": 4}
CHANNELS = {"keys": True, "no_keys": False}


def main() -> None:
    """Run and print."""
    chosen = _options()
    folder = new_folder()
    postgres = Postgres() if "postgres" in chosen.stores else None
    if postgres is not None:
        postgres.allow(CONNECTIONS)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=Console(stderr=True)) as progress:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                figures = runner.run(_with_processes(chosen, folder, postgres, progress))
            for store in chosen.stores:
                figures[store]["broken_calls"] = _broken_calls(store, chosen.calls, folder, postgres, progress)
    finally:
        if postgres is not None:
            postgres.stop()
        if chosen.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            remove(folder)
    print(json.dumps(figures) if chosen.json else json.dumps(figures, indent=1))
    if any(part["faults"] for store in chosen.stores for part in figures[store].values() if isinstance(part, dict)):
        sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    parser.add_argument("--quick", action="store_true", help=f"{KILLS_QUICK} kills a store, {CALLS_QUICK} broken calls")
    parser.add_argument(
        "--kills", type=int, help=f"kills a store (default {KILLS}), half of them on each kind of channel"
    )
    parser.add_argument("--calls", type=int, help=f"how many calls to the database break (default the first {CALLS})")
    parser.add_argument("--store", choices=["sqlite", "postgres"], help="only one of the stores")
    parser.add_argument("--cells", type=int, help="cells at a time, a store and kind of channel (default 4)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="of all dice")
    parser.add_argument("--keep", action="store_true", help="keep the folder with databases, configurations and logs")
    chosen = parser.parse_args()
    chosen.stores = [chosen.store] if chosen.store else ["sqlite", "postgres"]
    chosen.kills = chosen.kills or (KILLS_QUICK if chosen.quick else KILLS)
    chosen.calls = chosen.calls or (CALLS_QUICK if chosen.quick else CALLS)
    return chosen


async def _with_processes(
    chosen: argparse.Namespace, folder: Path, postgres: Postgres | None, progress: Progress
) -> dict[str, Any]:
    figures: dict[str, Any] = {"seed": chosen.seed, "cores": os.cpu_count()}
    async with prepared(folder, postgres) as ground:
        for store in chosen.stores:
            began = time.perf_counter()
            figures[store] = await _kills(chosen, store, ground, progress)
            figures[store]["took_s"] = round(time.perf_counter() - began, 1)
            figures[store].update(await _faults(chosen, store, ground))
    return figures


async def _kills(chosen: argparse.Namespace, store: str, ground: Ground, progress: Progress) -> dict[str, Any]:
    """Both kinds of channel side by side."""
    task = progress.add_task(f"{store}: kills, seed {chosen.seed}", total=chosen.kills // 2 * 2)
    campaigns = [
        Campaign(
            store=store,
            honours_keys=honours_keys,
            kills=chosen.kills // 2,
            cells=chosen.cells or CELLS[store],
            seed=chosen.seed,
            told=lambda kills: progress.advance(task, kills),
        )
        for honours_keys in CHANNELS.values()
    ]
    found = await asyncio.gather(*(campaign.run(ground) for campaign in campaigns))
    return dict(zip(CHANNELS, found, strict=True))


async def _faults(chosen: argparse.Namespace, store: str, ground: Ground) -> dict[str, Any]:
    """What fails beside processes, on both kinds of channel."""
    times = 1 if chosen.quick else 3
    figures = {}
    for channel, honours_keys in CHANNELS.items():
        campaign: FullDisk | RestartingPostgres
        if store == "sqlite":
            what = "full_disk"
            campaign = FullDisk(store=store, honours_keys=honours_keys, kills=0, cells=1, seed=chosen.seed, times=times)
        else:
            what = "postgres_restarts"
            campaign = RestartingPostgres(
                store=store, honours_keys=honours_keys, kills=0, cells=1, seed=chosen.seed, restarts=times
            )
        figures[f"{what}_{channel}"] = await fault_figures(campaign, ground)
    return figures


def _broken_calls(
    store: str, calls: int, folder: Path, postgres: Postgres | None, progress: Progress
) -> dict[str, Any]:
    plan = breaks(range(1, calls + 1), both=store == "sqlite")
    task = progress.add_task(f"{store}: broken calls", total=len(plan))
    stages = Stages(folder, postgres if store == "postgres" else None)
    return play_each(stages, plan, told=lambda done: progress.advance(task, done))


if __name__ == "__main__":
    main()
