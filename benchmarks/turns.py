"""Durable turns, measured: Understudy beside LangGraph and beside a bare SQL state machine, over one HTTP harness.

    ./dev bench turns [--json] [--quick] [--rounds 3] [--seconds 4] [--only sqlite,postgres_bare] [--skip-million]

One turn: a message over HTTP, durable before its acknowledgement, a draft by a fake agent (0 ms), four in five
delivered to a sink over HTTP, one in five held until a verdict comes over HTTP. Every system is a server process of
its own, all run at the same time and take turns being measured, so that a drifting machine drifts for all; a ratio
is the median of the ratios of single rounds. Only replies that the sink has count; lost, doubled and reordered ones
are counted beside them. What each system does and does not do stands in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from turns_harness.langgraph_environment import langgraph_python
from turns_harness.old_store import aged
from turns_harness.postgres import Postgres
from turns_harness.stage import Stage, Throughput, percentile

CACHE = Path(__file__).resolve().parent.parent / ".bench"
SYSTEMS = ("understudy", "langgraph", "bare", "understudy_checks")
STORES = ("sqlite", "postgres")
LOW_LOAD_PER_S = 10.0
BEGAN = time.perf_counter()


def main() -> None:
    """Run and print."""
    chosen = _options()
    names = [f"{store}_{system}" for store in STORES for system in SYSTEMS]
    if chosen.only:
        wanted = chosen.only.split(",")
        names = [name for name in names if any(name == one or name.split("_")[0] == one for one in wanted)]
        if not names:
            sys.exit(f"--only {chosen.only}: name stores ({', '.join(STORES)}) or systems such as sqlite_bare")
    folder = Path(tempfile.mkdtemp(prefix="understudy-turns-"))
    postgres = Postgres() if any(name.startswith("postgres") for name in names) else None
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            figures = runner.run(_measure(chosen, names, folder, postgres))
    finally:
        if postgres is not None:
            postgres.stop()
        if chosen.keep:
            _say(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(figures)) if chosen.json else _show(figures)
    if any(any(counts.values()) for counts in figures["faults"].values()):
        sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    parser.add_argument("--quick", action="store_true", help="under a minute: short rounds, fewer holds, no million")
    parser.add_argument("--rounds", type=int, help="how often each system is measured (default 3, quick 1)")
    parser.add_argument("--seconds", type=float, help="length of one measurement (default 4, quick 1)")
    parser.add_argument("--customers", type=int, default=64, help="how many write at the same time")
    parser.add_argument("--holds", type=int, help="how many drafts wait for people (default 10,000, quick 300)")
    parser.add_argument("--finished", type=int, default=1_000_000, help="how many finished turns make a store old")
    parser.add_argument("--skip-million", action="store_true", help="no old store; it takes minutes and some 10 GB")
    parser.add_argument("--only", help="comma-separated stores or systems, e.g. sqlite or sqlite_bare,sqlite_langgraph")
    parser.add_argument("--keep", action="store_true", help="keep the folder with configurations, databases and logs")
    chosen = parser.parse_args()
    chosen.rounds = chosen.rounds or (1 if chosen.quick else 3)
    chosen.seconds = chosen.seconds or (1.0 if chosen.quick else 4.0)
    chosen.holds = chosen.holds or (300 if chosen.quick else 10_000)
    if chosen.skip_million or chosen.quick:
        chosen.finished = 0
    return chosen


async def _measure(
    chosen: argparse.Namespace, names: list[str], folder: Path, postgres: Postgres | None
) -> dict[str, Any]:
    peer = langgraph_python(CACHE) if any(name.endswith("langgraph") for name in names) else None
    figures: dict[str, Any] = {"faults": {}}
    async with Stage(folder, postgres=postgres, langgraph_python=peer) as stage:
        _say(f"starting {', '.join(names)}")
        await asyncio.gather(*(stage.start(name, python=Path(sys.executable)) for name in names))
        _say("all are ready")
        rounds = await _rounds(stage, names, chosen)
        figures |= _ratios(rounds) | {"turns": {name: _summary(runs) for name, runs in rounds.items()}}
        for name, runs in rounds.items():
            figures["faults"][name] = {kind: sum(run.faults[kind] for run in runs) for kind in runs[0].faults}
        await _latencies(stage, names, chosen, figures)
        for name in names:
            stage.stop(name)
        await _waiting(stage, names, chosen, figures)
        await _ageing(stage, names, chosen, figures)
    return figures


async def _rounds(stage: Stage, names: list[str], chosen: argparse.Namespace) -> dict[str, list[Throughput]]:
    found: dict[str, list[Throughput]] = {name: [] for name in names}
    for number in range(1, chosen.rounds + 1):
        warm_up_s = 1.5 if number == 1 else 0.5  # a server's first second is spent on imports and connections
        for name in names:
            run = await stage.throughput(name, customers=chosen.customers, warm_up_s=warm_up_s, seconds=chosen.seconds)
            found[name].append(run)
            _say(
                f"round {number}/{chosen.rounds}  {name:28} {run.turns_per_s:8.1f} turns/s  "
                f"{run.cpu_ms:6.2f} ms CPU/turn  {run.reply_ms_p50:7.1f} ms to the reply  {_plain(run.faults)}"
            )
    return found


async def _latencies(stage: Stage, names: list[str], chosen: argparse.Namespace, figures: dict[str, Any]) -> None:
    """Added latency at low load. The promised figure is that of the slower store with all checks on."""
    figures["added_ms"] = {}
    for name in names:
        is_ours = name.endswith("checks")
        if chosen.quick and not is_ours:
            continue
        seconds = 3.0 if chosen.quick else 20.0 if is_ours else 5.0
        took, faults = await stage.added_ms(name, per_s=LOW_LOAD_PER_S, seconds=seconds)
        cuts = {"p50": round(statistics.median(took), 2), "p99": round(percentile(took, 0.99), 2), "turns": len(took)}
        figures["added_ms"][name] = cuts
        figures["faults"][f"{name} at low load"] = faults
        _say(f"low load  {name:28} p50 {cuts['p50']} ms  p99 {cuts['p99']} ms  of {cuts['turns']}  {_plain(faults)}")
    ours = [cuts for name, cuts in figures["added_ms"].items() if name.endswith("checks")]
    for which in ("p50", "p99"):
        figures[f"added_ms_{which}"] = max((cuts[which] for cuts in ours), default=None)


async def _waiting(stage: Stage, names: list[str], chosen: argparse.Namespace, figures: dict[str, Any]) -> None:
    figures["holds"] = {}
    for name in (f"{store}_understudy" for store in STORES if f"{store}_understudy" in names):
        _say(f"{chosen.holds} drafts wait for people: {name}")
        await stage.start(f"{name}-holds", python=Path(sys.executable))
        found = await stage.holds(f"{name}-holds", count=chosen.holds, customers=chosen.customers)
        stage.stop(f"{name}-holds")
        faults = {kind: int(found.pop(kind)) for kind in ("doubled", "reordered", "alien", "lost")}
        found.pop("refused")  # the backlog was full for a moment: refused before the acknowledgement, and sent again
        figures["faults"][f"{name} with holds"] = faults
        figures["holds"][name] = {key: round(value, 2) for key, value in found.items()}
        _say(f"  {figures['holds'][name]}  {_plain(faults)}")
    waiting = figures["holds"].values()
    figures["kb_per_hold"] = max((found["kb_per_hold"] for found in waiting), default=None)
    figures["disk_kb_per_hold"] = max((found["disk_kb_per_hold"] for found in waiting), default=None)


async def _ageing(stage: Stage, names: list[str], chosen: argparse.Namespace, figures: dict[str, Any]) -> None:
    """Throughput beside an empty store, and the reviewers' queue, among a million finished turns."""
    figures["at_1m"] = {}
    for store in STORES if chosen.finished else ():
        if f"{store}_understudy" not in names:
            continue
        _say(f"{chosen.finished:,} finished turns: {store}")
        found = await aged(
            stage,
            store,
            python=Path(sys.executable),
            finished=chosen.finished,
            rounds=chosen.rounds,
            seconds=chosen.seconds,
            customers=chosen.customers,
        )
        figures["faults"][f"{store} at {found.finished:,}"] = found.faults
        figures["at_1m"][store] = {
            "finished": found.finished,
            "slowdown": round(found.slowdown, 3),
            "queue_page_ms_p50": round(found.queue_page_ms_p50, 2),
            "queue_page_ms_p99": round(found.queue_page_ms_p99, 2),
            "gb": round(found.gb, 2),
            "fill_s": round(found.fill_s, 1),
            "empty": _summary(list(found.empty)),
            "full": _summary(list(found.full)),
        }
        _say(f"  {figures['at_1m'][store]}  {_plain(found.faults)}")
    old = figures["at_1m"].values()
    figures["slowdown_at_1m"] = max((one["slowdown"] for one in old), default=None)
    figures["queue_page_ms_p99_at_1m"] = max((one["queue_page_ms_p99"] for one in old), default=None)


def _ratios(rounds: dict[str, list[Throughput]]) -> dict[str, float | None]:
    def ratio(ours: str, theirs: str, *, by_cpu: bool = False) -> float | None:
        if ours not in rounds or theirs not in rounds:
            return None
        pairs = list(zip(rounds[ours], rounds[theirs], strict=True))
        if by_cpu:  # what a quiet machine would show of the work itself
            return round(statistics.median(b.cpu_ms / a.cpu_ms for a, b in pairs), 3)
        return round(statistics.median(a.turns_per_s / max(b.turns_per_s, 0.1) for a, b in pairs), 3)

    with_checks = {store: ratio(f"{store}_understudy_checks", f"{store}_langgraph") for store in STORES}
    return {
        **{f"{store}_vs_langgraph": ratio(f"{store}_understudy", f"{store}_langgraph") for store in STORES},
        **{f"{store}_vs_bare_sql": ratio(f"{store}_understudy", f"{store}_bare") for store in STORES},
        "with_checks_vs_langgraph": min((one for one in with_checks.values() if one is not None), default=None),
        **{f"{store}_with_checks_vs_langgraph": value for store, value in with_checks.items()},
        **{
            f"{store}_vs_{peer}_by_cpu": ratio(f"{store}_understudy", f"{store}_{peer}", by_cpu=True)
            for store in STORES
            for peer in ("langgraph", "bare")
        },
    }


def _summary(runs: list[Throughput]) -> dict[str, float]:
    fields = [asdict(run) for run in runs]
    names = ("turns_per_s", "cpu_ms", "reply_ms_p50", "generator_busy")
    return {name: round(statistics.median(one[name] for one in fields), 2) for name in names}


def _plain(faults: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in faults.items() if count) or "no faults"


def _say(text: str) -> None:
    print(f"{time.perf_counter() - BEGAN:6.1f} s  {text}", file=sys.stderr, flush=True)


def _show(figures: dict[str, Any]) -> None:
    table = Table("what", "figure", title="durable turns")
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), json.dumps(value) if isinstance(value, dict) else str(value))
    Console().print(table)


if __name__ == "__main__":
    main()
