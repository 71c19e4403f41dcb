"""Processes killed with `kill -9`, and what the customer saw of it: lost, doubled, reordered, held, and how soon it goes on.

    ./dev bench crash [--json] [--kills 1000] [--store sqlite|postgres] [--seed N] [--quick]

Real `understudy serve` and `understudy work` processes answer customers who write by webhook; a sink takes the replies.
Six kills in ten are at a named point (before and after each kind of commit, and while the sink has a reply whose sender
has no answer yet), the others at random moments. It ends with 1 where anything was lost, doubled or reordered, or
where a database is not as it should be at the end. What it shows and what not stands in README.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import time
from typing import Any

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from crash_harness.campaign import Campaign
from crash_harness.ground import new_folder, prepared, remove
from turns_harness.postgres import Postgres

KILLS, KILLS_QUICK = 1_000, 60
CELLS = {"sqlite": 4, "postgres": 6}


def main() -> None:
    """Run and print."""
    chosen = _options()
    folder = new_folder()
    postgres = Postgres() if "postgres" in chosen.stores else None
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            figures = runner.run(_measure(chosen, folder, postgres))
    finally:
        if postgres is not None:
            postgres.stop()
        if chosen.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            remove(folder)
    print(json.dumps(figures) if chosen.json else json.dumps(figures, indent=1))
    if any(figures[store][channel]["faults"] for store in chosen.stores for channel in figures[store]):
        sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    parser.add_argument("--quick", action="store_true", help=f"{KILLS_QUICK} kills a store")
    parser.add_argument("--kills", type=int, help=f"kills a store (default {KILLS}), half of them on each kind of channel")
    parser.add_argument("--store", choices=["sqlite", "postgres"], help="only one of the stores")
    parser.add_argument("--cells", type=int, help="cells at a time, a store and kind of channel")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="of all dice")
    parser.add_argument("--keep", action="store_true", help="keep the folder with databases, configurations and logs")
    chosen = parser.parse_args()
    chosen.stores = [chosen.store] if chosen.store else ["sqlite", "postgres"]
    chosen.kills = chosen.kills or (KILLS_QUICK if chosen.quick else KILLS)
    return chosen


async def _measure(chosen: argparse.Namespace, folder: Any, postgres: Postgres | None) -> dict[str, Any]:
    figures: dict[str, Any] = {"seed": chosen.seed, "cores": os.cpu_count()}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        async with prepared(folder, postgres) as ground:
            for store in chosen.stores:
                task = progress.add_task(f"{store}, seed {chosen.seed}", total=chosen.kills)
                campaigns = [
                    Campaign(
                        store=store,
                        honours_keys=honours_keys,
                        kills=chosen.kills // 2,
                        cells=chosen.cells or CELLS[store],
                        seed=chosen.seed,
                        told=lambda kills, task=task: progress.advance(task, kills),
                    )
                    for honours_keys in (True, False)
                ]
                began = time.perf_counter()
                found = await asyncio.gather(*(campaign.run(ground) for campaign in campaigns))
                took_s = round(time.perf_counter() - began, 1)
                figures[store] = dict(zip(("keys", "no_keys"), found, strict=True))
                progress.console.print(f"{store}: {took_s} s")
    return figures


if __name__ == "__main__":
    main()
