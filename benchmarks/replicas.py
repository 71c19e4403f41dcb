"""Replicas, measured: worker processes against one PostgreSQL, and how soon a killed one's turns go on elsewhere.

    ./dev bench replicas [--json] [--quick] [--workers 1,2,4] [--kills 5]

The web face is a process of its own that only takes messages and verdicts in; the workers draft, assess and send.
Throughput is measured as in turns.py, for each number of workers by turns. For the takeover two workers run with an
agent of 300 ms under a steady trickle; one is killed with `kill -9`, and the time counts until the sink has the last
reply to a message that was acknowledged before the kill. Then a new worker takes its place, and the next is killed.
On a machine with two cores four workers, PostgreSQL and the load generator share these two: `cores` stands beside the
figures, and scaling beyond it cannot show.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import uvloop

from turns_harness.postgres import Postgres
from turns_harness.stage import Stage
from turns_harness.systems import start_worker

WEB_ONLY = ("--web-only",)
AGENT_MS = 300
TRICKLE_PER_S = 20.0
PAUSE_S = 2.0


def main() -> None:
    """Run and print."""
    chosen = _options()
    folder = Path(tempfile.mkdtemp(prefix="understudy-replicas-"))
    postgres = Postgres()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            figures = runner.run(_measure(chosen, folder, postgres))
    finally:
        postgres.stop()
        if chosen.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(figures) if chosen.json else json.dumps(figures, indent=1))
    if any(figures["faults"].values()):
        sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    parser.add_argument("--quick", action="store_true", help="under a minute: one short round, two kills")
    parser.add_argument("--workers", default="1,2,4", help="numbers of worker processes to measure")
    parser.add_argument("--rounds", type=int, help="how often each number is measured (default 3, quick 1)")
    parser.add_argument("--seconds", type=float, help="length of one measurement (default 5, quick 2)")
    parser.add_argument("--kills", type=int, help="how many workers are killed (default 5, quick 2)")
    parser.add_argument("--customers", type=int, default=64, help="how many write at the same time")
    parser.add_argument("--keep", action="store_true", help="keep the folder with configurations and logs")
    chosen = parser.parse_args()
    chosen.workers = [int(number) for number in chosen.workers.split(",")]
    chosen.rounds = chosen.rounds or (1 if chosen.quick else 3)
    chosen.seconds = chosen.seconds or (2.0 if chosen.quick else 5.0)
    chosen.kills = chosen.kills or (2 if chosen.quick else 5)
    return chosen


async def _measure(chosen: argparse.Namespace, folder: Path, postgres: Postgres) -> dict[str, Any]:
    faults: Counter[str] = Counter()
    async with Stage(folder, postgres=postgres, langgraph_python=None) as stage:
        rates = await _throughput(stage, chosen, faults)
        resumed, repeated = await _takeovers(stage, chosen, faults)
    per_s = {number: round(statistics.median(runs), 1) for number, runs in rates.items()}
    first = per_s[min(per_s)]
    return {
        "turns_per_s": per_s,
        "scaling": {number: round(rate / max(first, 0.1), 2) for number, rate in per_s.items()},
        "resume_s_max": round(max(resumed), 2),
        "resume_s_p50": round(statistics.median(resumed), 2),
        "kills": len(resumed),
        "repeated_under_their_key": repeated,
        "cores": os.cpu_count(),
        "faults": dict(faults),
    }


async def _throughput(stage: Stage, chosen: argparse.Namespace, faults: Counter[str]) -> dict[int, list[float]]:
    """Each number of workers has a database of its own; they take turns, so that the machine drifts for all."""
    rates: dict[int, list[float]] = {number: [] for number in chosen.workers}
    for _ in range(chosen.rounds):
        for number, runs in rates.items():
            name = f"postgres_understudy-{number}"
            await stage.start(name, python=Path(sys.executable), arguments=WEB_ONLY)
            workers = [await _worker(stage, name, which) for which in range(number)]
            run = await stage.throughput(
                name,
                customers=chosen.customers,
                warm_up_s=1.0,
                seconds=chosen.seconds,
                beside=[worker.pid for worker in workers],
            )
            runs.append(run.turns_per_s)
            faults.update(run.faults)
            print(f"{number} workers: {run.turns_per_s:.1f} turns/s, {run.cpu_ms:.2f} ms CPU/turn", file=sys.stderr)
            for worker in workers:
                await _end(worker)
            stage.stop(name)
    return rates


async def _takeovers(stage: Stage, chosen: argparse.Namespace, faults: Counter[str]) -> tuple[list[float], int]:
    os.environ["BENCH_AGENT_MS"] = str(AGENT_MS)
    name = "postgres_understudy-takeover"
    await stage.start(name, python=Path(sys.executable), arguments=WEB_ONLY)
    workers = [await _worker(stage, name, which) for which in range(2)]
    dice = random.Random(11)
    found, repeated = [], 0
    for kill in range(chosen.kills):
        traffic, books = stage.traffic(name)
        writing = asyncio.create_task(traffic.trickle(per_s=TRICKLE_PER_S, seconds=3 * PAUSE_S))
        await asyncio.sleep(PAUSE_S + dice.random())
        victim = workers.pop(dice.randrange(len(workers)))
        before = [one for one in books.questions.values() if one.acknowledged_at and not one.replied_at]
        victim.send_signal(signal.SIGKILL)
        killed_at = time.perf_counter()
        await writing
        traffic.close()
        late = [one.replied_at - killed_at for one in before if one.replied_at is not None]
        found.append(max(late, default=0.0))
        faults.update(books.close())
        repeated += books.repeated
        print(f"killed a worker: {len(before)} turns open, the last went out {found[-1]:.2f} s later", file=sys.stderr)
        victim.wait()
        workers.append(await _worker(stage, name, 2 + kill))
    for worker in workers:
        await _end(worker)
    return found, repeated


async def _worker(stage: Stage, server: str, which: int) -> subprocess.Popen[str]:
    return await asyncio.to_thread(lambda: start_worker(f"{server}-worker{which}", stage.folder, of=server))


async def _end(worker: subprocess.Popen[str]) -> None:
    worker.terminate()
    await asyncio.to_thread(worker.wait)


if __name__ == "__main__":
    main()
