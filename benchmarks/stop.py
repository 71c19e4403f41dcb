"""The stop button, measured: how long after it replies are still decided, and still leave, without a person.

    ./dev bench stop [--json] [--quick] [--presses 10] [--customers 32] [--only sqlite,postgres]

A real server with all checks answers a topic by itself while so many customers write at once. Somebody presses stop,
by `POST /v1/autonomy/hold` and by `understudy autonomy hold` in turn, waits, and resumes. On PostgreSQL the server only
takes messages and orders in; two further processes decide. What was decided and sent, and in which order, is read from
the ledger afterwards, whose entries carry the moment by the same machine's clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from turns_harness.http import Client
from turns_harness.postgres import Postgres
from turns_harness.stage import Stage, wait_for
from turns_harness.systems import Server, start_worker
from understudy.adapters.stores.sql_store import SqlStore
from understudy.ports.store import Transaction
from understudy.records.ledger import LedgerEntry

STORES = ("sqlite", "postgres")
WORKERS = 2
GOAL_S = 1.0
FLOWS_S = 2.0
"""How long replies flow before stop is pressed, at the least; on a slow machine until each customer has had one."""
HOLDS_S = 2.0
"""How long it stays pressed: twice the goal, so that what comes too late is seen."""
PAGE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """One use of the button: when it was pressed, and when whoever pressed it was told that it holds."""

    how: str
    pressed_at: datetime
    acknowledged_at: datetime


def main() -> None:
    """Run and print."""
    chosen = _options()
    folder = Path(tempfile.mkdtemp(prefix="understudy-stop-"))
    postgres = Postgres() if "postgres" in chosen.only else None
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            figures = runner.run(_measure(chosen, folder, postgres))
    finally:
        if postgres is not None:
            postgres.stop()
        if chosen.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(figures) if chosen.json else json.dumps(figures, indent=1))
    if not all(one["is_met"] for one in figures.values()):
        sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    parser.add_argument("--quick", action="store_true", help="under a minute: two presses a store")
    parser.add_argument("--presses", type=int, help="how often the button is pressed a store (default 10, quick 2)")
    parser.add_argument("--customers", type=int, default=32, help="how many write at the same time")
    parser.add_argument("--keep", action="store_true", help="keep the folder with configurations and logs")
    parser.add_argument("--only", default=",".join(STORES), help="stores to measure")
    chosen = parser.parse_args()
    chosen.presses = chosen.presses or (2 if chosen.quick else 10)
    chosen.only = chosen.only.split(",")
    if not set(chosen.only) <= set(STORES):
        parser.error(f"--only takes {', '.join(STORES)}, got {', '.join(chosen.only)}")
    return chosen


async def _measure(chosen: argparse.Namespace, folder: Path, postgres: Postgres | None) -> dict[str, Any]:
    figures = {}
    async with Stage(folder, postgres=postgres, langgraph_python=None) as stage:
        for store in chosen.only:
            figures[store] = await _of_store(stage, f"{store}_understudy_checks", chosen)
            print(f"{store}: {json.dumps(figures[store])}", file=sys.stderr)
    return figures


async def _of_store(stage: Stage, name: str, chosen: argparse.Namespace) -> dict[str, Any]:
    is_split = name.startswith("postgres")
    server = await stage.start(name, python=Path(sys.executable), arguments=("--web-only",) if is_split else ())
    workers = [
        await asyncio.to_thread(partial(start_worker, f"{name}-worker{which}", stage.folder, of=name))
        for which in range(WORKERS if is_split else 0)
    ]
    traffic, books = stage.traffic(name)
    over = asyncio.Event()
    loading = asyncio.create_task(traffic.saturate(customers=chosen.customers, until=over))
    button = _Button(stage.folder / name / "understudy.toml", server)
    presses = []
    for number in range(chosen.presses):
        await wait_for(loading, books, seconds=FLOWS_S, replies=chosen.customers)
        presses.append(await button.press("api" if number % 2 == 0 else "command"))
        await asyncio.sleep(HOLDS_S)
        await button.resume()
    await asyncio.sleep(FLOWS_S)
    over.set()
    await loading
    traffic.close()
    button.close()
    for worker in workers:
        worker.terminate()
        await asyncio.to_thread(worker.wait)
    stage.stop(name)
    faults = books.close()
    return _figures(_ledger(stage.url(name)), presses, lost=faults["lost"], processes=max(len(workers), 1))


class _Button:
    """Presses stop and resumes, with a lead's key or on the command line."""

    def __init__(self, config: Path, server: Server) -> None:
        self._config = config
        self._http = Client(server.address.host, server.address.port)
        scopes = ["--scope", "autonomy:read", "--scope", "autonomy:write"]
        made = subprocess.check_output(self._command("keys", "create", "lead", *scopes))
        self._headers = f"authorization: Bearer {json.loads(made)['key']}\r\ncontent-type: application/json\r\n"

    async def press(self, how: str) -> Press:
        pressed_at = datetime.now(UTC)
        if how == "api":
            await self._order("hold")
        else:
            running = await asyncio.create_subprocess_exec(
                *self._command("autonomy", "hold", "--why", "measured"), stdout=asyncio.subprocess.PIPE
            )
            assert running.stdout is not None
            await running.stdout.readline()
            acknowledged_at = datetime.now(UTC)
            if await running.wait():
                raise RuntimeError(f"understudy autonomy hold ended with {running.returncode}")
            return Press(how=how, pressed_at=pressed_at, acknowledged_at=acknowledged_at)
        return Press(how=how, pressed_at=pressed_at, acknowledged_at=datetime.now(UTC))

    async def resume(self) -> None:
        await self._order("resume")

    def close(self) -> None:
        self._http.close()

    async def _order(self, order: str) -> None:
        path = f"/v1/autonomy/{order}"
        status, answer = await self._http.request("POST", path, headers=self._headers, body=b"{}")
        if status != 200:
            raise RuntimeError(f"{path} answered {status}: {answer[:300]!r}")

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "understudy", *words, "--config", str(self._config), "--json"]


def _ledger(url: str) -> list[LedgerEntry]:
    store = SqlStore(url)
    entries: list[LedgerEntry] = []
    while page := store.read_now(partial(_page, after=entries[-1].seq if entries else 0)):
        entries += page
    store.close_now()
    return entries


def _page(tx: Transaction, *, after: int) -> list[LedgerEntry]:
    return tx.ledger.entries(after=after, limit=PAGE)


def _figures(entries: Sequence[LedgerEntry], presses: Sequence[Press], *, lost: int, processes: int) -> dict[str, Any]:
    """What the ledger says of each press; worst of all, seconds, negative where it was before."""
    automatic = {
        entry.turn_id: entry
        for entry in entries
        if entry.event == "turn.decided" and json.loads(entry.body)["decision"] == "deliver"
    }
    sent = [entry for entry in entries if entry.event == "outbox.accepted" and entry.turn_id in automatic]
    stops = [entry.seq for entry in entries if entry.event == "autonomy.stopped"]
    resumes = [entry.seq for entry in entries if entry.event == "autonomy.resumed"]
    if not len(stops) == len(resumes) == len(presses):
        raise RuntimeError(f"{len(presses)} presses left {len(stops)} stops and {len(resumes)} resumes in the ledger")
    after, before, held, decided, left = 0, [], [], [], []
    from_press: dict[str, list[float]] = {"api": [], "command": []}
    for press, began, stop, resume in zip(presses, [0, *resumes], stops, resumes, strict=False):
        until = [entry for entry in automatic.values() if began < entry.seq < resume]
        if not until:
            raise RuntimeError(f"nothing was answered automatically before stop was pressed at {press.pressed_at}")
        after += sum(entry.seq > stop for entry in until)
        last = max(until, key=lambda entry: entry.at).at
        decided.append((last - press.acknowledged_at).total_seconds())
        from_press[press.how].append((last - press.pressed_at).total_seconds())
        left.append(max((entry.at - press.acknowledged_at).total_seconds() for entry in sent if entry.seq < resume))
        before.append(sum(0 < (press.pressed_at - entry.at).total_seconds() <= FLOWS_S / 2 for entry in until))
        held.append(sum(entry.event == "turn.decided" and stop < entry.seq < resume for entry in entries))
    took = {
        how: [(one.acknowledged_at - one.pressed_at).total_seconds() for one in presses if one.how == how]
        for how in ("api", "command")
    }
    return {
        "presses": len(presses),
        "processes_that_decide": processes,
        "automatic_per_s_before": round(statistics.median(before) / (FLOWS_S / 2), 1),
        "decided_while_stopped": sum(held),
        "automatic_while_stopped": after,
        "last_decided_after_acknowledged_s_max": round(max(decided), 3),
        "last_decided_after_pressed_s_max": {how: round(max(all_), 3) for how, all_ in from_press.items() if all_},
        "last_left_after_acknowledged_s_max": round(max(left), 3),
        "acknowledged_ms_p50": {how: round(statistics.median(all_) * 1000) for how, all_ in took.items() if all_},
        "lost": lost,
        "goal_s": GOAL_S,
        "is_met": after == 0 and lost == 0 and max(decided) <= GOAL_S and min(held) > 0,
    }


if __name__ == "__main__":
    main()
