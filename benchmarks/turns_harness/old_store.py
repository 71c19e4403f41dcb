"""How a store full of finished turns compares with an empty one, measured in turns; it fills one and prints nothing."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from turns_harness.filling import fill
from turns_harness.stage import Stage, Throughput, percentile, wait_for

SAMPLE_TURNS = 1_000
SAMPLE_S_MAX = 40.0
QUEUE_HOLDS = 300
QUEUE_PAGES = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Aged:
    """What so many finished turns change. `slowdown`: the share of throughput that is gone; negative = none."""

    finished: int
    fill_s: float
    gb: float
    slowdown: float
    empty: tuple[Throughput, ...]
    full: tuple[Throughput, ...]
    queue_page_ms_p50: float
    queue_page_ms_p99: float
    faults: dict[str, int]


async def aged(
    stage: Stage, store: str, *, python: Path, finished: int, rounds: int, seconds: float, customers: int
) -> Aged:
    """Fill one store of two, then load both by turns."""
    empty, full = f"{store}_understudy-empty", f"{store}_understudy-full"
    await stage.start(full, python=python)
    await _sample(stage, full, customers=customers)
    stage.stop(full)
    url = stage.url(full)
    began = time.perf_counter()
    count = await asyncio.to_thread(lambda: fill(url, finished=finished))
    fill_s = time.perf_counter() - began
    gb = stage.disk_bytes(full) / 1e9
    await stage.start(full, python=python, store=url)
    await stage.start(empty, python=python)
    runs: dict[str, list[Throughput]] = {empty: [], full: []}
    for _ in range(rounds):
        for name, found in runs.items():
            found.append(
                await stage.throughput(name, customers=customers, warm_up_s=min(1.0, seconds / 2), seconds=seconds)
            )
    ratio = statistics.median(
        b.turns_per_s / max(a.turns_per_s, 0.1) for a, b in zip(runs[empty], runs[full], strict=True)
    )
    pages, faults = await _queue_pages(stage, full, customers=customers)
    for name, found in runs.items():
        stage.stop(name)
        for run in found:
            faults.update(run.faults)
    return Aged(
        finished=count,
        fill_s=fill_s,
        gb=gb,
        slowdown=1 - ratio,
        empty=tuple(runs[empty]),
        full=tuple(runs[full]),
        queue_page_ms_p50=statistics.median(pages),
        queue_page_ms_p99=percentile(pages, 0.99),
        faults=dict(faults),
    )


async def _sample(stage: Stage, name: str, *, customers: int) -> None:
    """Real turns for the copies to be copies of."""
    traffic, books = stage.traffic(name)
    over = asyncio.Event()
    loading = asyncio.create_task(traffic.saturate(customers=customers, until=over))
    await wait_for(loading, books, replies=SAMPLE_TURNS, seconds_max=SAMPLE_S_MAX)
    over.set()
    await loading
    traffic.close()


async def _queue_pages(stage: Stage, name: str, *, customers: int) -> tuple[list[float], Counter[str]]:
    """Read the reviewers' queue with some drafts in it, among all that is finished."""
    traffic, books = stage.traffic(name)
    await traffic.pile_up(QUEUE_HOLDS, customers=customers)
    pages = await traffic.queue_page_ms(QUEUE_PAGES)
    await traffic.release()
    traffic.close()
    return pages, Counter(books.close())
