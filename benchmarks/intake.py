"""How soon a web hook is acknowledged, which is after the commit: customers write at a steady rate to a server of its own.

    ./dev bench intake [--json] [--rate 100] [--seconds 30]

The load is open: a message is due when it is due, and its time counts from then, however late it was sent.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from understudy.testing.signed_webhook import SECRET, SignedWebhook

WARM_UP_S = 3.0
SETTLE_S_MAX = 120.0
CONFIG = """
[agents.faq]
kind = "faq"
knowledge = "knowledge"

[channels.desk]
kind = "webhook"
url = "{sink}/replies"
secrets = ["{secret}"]

[coalescing]
window_s_min = 0
window_s_max = 0

[autonomy]
automatic_per_hour_max = 1000000
audit_rate = 0
grants = [{{ topic = "stores", level = "auto", threshold = 0.6 }}]

[telemetry]
log_level = "ERROR"
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    parser.add_argument("--rate", type=float, default=100.0, help="messages a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="understudy-intake-") as folder:
        result = asyncio.run(measure(Path(folder), rate=chosen.rate, seconds=chosen.seconds))
    print(json.dumps(result)) if chosen.json else _show(result)


async def measure(folder: Path, *, rate: float, seconds: float) -> dict[str, Any]:
    """Start a server in a folder, write to it, and compare with what it stored."""
    load_before = round(os.getloadavg()[0], 1)
    async with SignedWebhook() as sink:
        (folder / "knowledge").mkdir()
        hours = (
            "---\ntitle: Opening hours\ntopic: stores\n---\nOur shop is open from Monday to Saturday, 9:00 to 18:00.\n"
        )
        (folder / "knowledge" / "hours.md").write_text(hours, encoding="utf-8")
        (folder / "understudy.toml").write_text(CONFIG.format(sink=sink.url, secret=SECRET), encoding="utf-8")
        server = _served(folder)
        try:
            url = f"{_url_of(server)}/webhooks/desk"
            await _load(sink, url, rate=rate, seconds=WARM_UP_S, first=1_000_000, told=lambda: None)
            with Progress(console=Console(stderr=True), transient=True) as progress:
                task = progress.add_task("messages", total=round(rate * seconds))
                began, worked = time.monotonic(), _worked_s(server.pid)
                took = await _load(sink, url, rate=rate, seconds=seconds, first=1, told=lambda: progress.advance(task))
                lasted_s = time.monotonic() - began
            replies = await _settled(sink, len(took))
            worked_ms = (_worked_s(server.pid) - worked) / len(took) * 1e3
        finally:
            server.terminate()
            server.wait(60)
    return {**_figures(took), "lasted_s": round(lasted_s, 1), "server_cpu_ms_per_message": round(worked_ms, 2), "load_before": load_before, "stored": _stored(folder), "replies": replies, "complaints": len(sink.complaints), "rate": rate, "cores": os.cpu_count()}  # fmt: skip


async def _load(sink: SignedWebhook, url: str, *, rate: float, seconds: float, first: int, told: Any) -> list[tuple[float, int | None]]:  # fmt: skip
    """Post signed messages at a rate; the time of each in s, and its status."""
    loop = asyncio.get_running_loop()
    connector = aiohttp.TCPConnector(limit=100)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30)) as client:

        async def one(number: int, due: float) -> tuple[float, int | None]:
            await asyncio.sleep(max(0.0, due - loop.time()))
            payload = sink.written(str(number), f"c-{number}", "What are your opening hours?", "Ada")
            body = json.dumps(payload).encode()
            status = None
            try:
                async with client.post(url, data=body, headers=sink.signed(body, hook=str(number))) as answer:
                    await answer.read()
                    status = answer.status
            except (aiohttp.ClientError, TimeoutError):
                pass  # counted as not acknowledged
            told()
            return loop.time() - due, status

        began = loop.time() + 0.1
        count = round(rate * seconds)
        return list(await asyncio.gather(*(one(first + number, began + number / rate) for number in range(count))))


async def _settled(sink: SignedWebhook, count: int) -> int:
    """Wait until the customers have their replies; how many do."""
    ends = time.monotonic() + SETTLE_S_MAX
    measured: set[str] = set()
    while len(measured) < count and time.monotonic() < ends:
        measured = {one.conversation for one in sink.taken if int(one.conversation.removeprefix("c-")) < 1_000_000}
        await asyncio.sleep(0.2)
    return len(measured)


def _figures(took: Sequence[tuple[float, int | None]]) -> dict[str, Any]:
    times = sorted(seconds * 1e3 for seconds, status in took if status is not None and 200 <= status < 300)

    def at(share: float) -> float | None:
        return round(times[min(len(times) - 1, int(len(times) * share))], 1) if times else None

    return {
        "messages": len(took),
        "acknowledged": len(times),
        "statuses": dict(Counter(str(status) for _, status in took)),
        "p50_ms": at(0.5),
        "p95_ms": at(0.95),
        "p99_ms": at(0.99),
        "max_ms": at(1.0),
    }


def _served(folder: Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "understudy", "serve", "--port", "0", "--json"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY")}
    return subprocess.Popen(words, cwd=folder, env=kept, stdout=subprocess.PIPE, text=True)


def _url_of(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None, "it is a pipe"
    line = server.stdout.readline()
    if not line:
        sys.exit("the server did not start")
    return str(json.loads(line)["url"])


def _worked_s(process: int) -> float:
    """Processor time that a process and all its threads have used so far; Linux."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _stored(folder: Path) -> int:
    """How many measured messages of customers are in the database."""
    with closing(sqlite3.connect(folder / "understudy-data" / "understudy.db")) as connection:
        sql = "SELECT count(*) FROM messages WHERE author = 'customer' AND CAST(provider_id AS INTEGER) < 1000000"
        return int(connection.execute(sql).fetchone()[0])


def _show(result: dict[str, Any]) -> None:
    table = Table("figure", "value", title=f"{result['rate']:g} messages a second, acknowledged after the commit")
    for name, value in result.items():
        table.add_row(name, str(value))
    Console().print(table)


if __name__ == "__main__":
    main()
