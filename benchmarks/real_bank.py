"""Real questions to a real server: the faq agent over 698 bank documents, asked over HTTP; every message must end decided.

    ./dev bench real_bank [--json] [--questions 1000] [--at-once 32]

Starts `understudy serve` as a process of its own with an embedded database, opens one web chat per question, writes,
and waits until every turn has a decision. Prints decisions, reasons, latencies and throughput. An automatic grant for
every known topic is set, so that the whole way to a delivered reply is exercised; the bank's documents do not say what
they are about, so most turns stay with people, as they should.

Data: ../shared/data (Banking77 questions, tau2-bench bank documents and tasks); without it the script says so and ends.
The bank tasks describe a customer in the second person; their openings are turned into the first person here.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
DECIDED_WITHIN_S = 300
CONFIG = """
[business]
name = "Rho-Bank"
[agents.faq]
kind = "faq"
knowledge = "{knowledge}"
[channels.webchat]
kind = "webchat"
[coalescing]
window_s_min = 0
window_s_max = 0
burst_s_max = 0
[autonomy]
grants = [{{ level = "auto", threshold = 0.9 }}]
automatic_per_hour_max = 1000
{topics}
[telemetry]
log_level = "WARNING"
"""
TOPICS = {
    "cards": ["card"],
    "transfers": ["transfer", "send money", "payment"],
    "top-ups": ["top up", "top-up", "topping"],
    "accounts": ["account", "identity", "verify"],
    "exchange": ["exchange rate", "currency", "currencies"],
}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    parser.add_argument("--questions", type=int, default=1000, help="how many Banking77 questions")
    parser.add_argument("--at-once", type=int, default=32, help="customers writing at the same time")
    chosen = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"real_bank needs the development data at {DATA}; it is not part of the project")
    texts = [*_questions(chosen.questions), *_openings()]
    with tempfile.TemporaryDirectory(prefix="understudy-bank-") as folder, _server(Path(folder)) as (url, key):
        figures = asyncio.run(_measure(url, key, texts, at_once=chosen.at_once))
    if chosen.json:
        print(json.dumps(figures))
    else:
        _show(figures)
    if figures["undecided"] or figures["without_reasons"]:
        sys.exit(1)


def _questions(count: int) -> list[str]:
    with gzip.open(DATA / "intents_banking77.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for _, line in zip(range(count), lines, strict=False)]


def _openings() -> list[str]:
    with gzip.open(DATA / "kb_bank_tasks.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [_opening(json.loads(line)["instructions"]) for line in lines]


def _opening(instructions: str) -> str:
    """Turn what a customer is told to be into what they say first: the words given, else the first wish, as "I"."""
    given = re.search(r"Start by saying (?:that )?(.+?[.!?])(?:\s|$)", instructions, re.DOTALL)
    if given is not None:
        return _as_i(given[1])
    sentences = re.split(r"(?<=[.!?])\s+", instructions.replace("\n", " "))
    wish = re.compile(
        r"\b(you want|you're looking|you are looking|you would like|you need|you have a question)\b", re.IGNORECASE
    )
    start = next((number for number, sentence in enumerate(sentences) if wish.search(sentence)), 0)
    return _as_i(" ".join(sentences[start : start + 3]))


def _as_i(text: str) -> str:
    pairs = (("gives you", "gives me"), ("You are", "I am"), ("You're", "I'm"), ("yourself", "myself"), ("your", "my"))
    for second, first in (*pairs, ("you", "I")):
        text = re.sub(rf"\b{second}\b", first, text, flags=re.IGNORECASE)
    return text


@contextmanager
def _server(folder: Path) -> Iterator[tuple[str, str]]:
    topics = "\n".join(f"[topics.{name}]\nphrases = {json.dumps(phrases)}" for name, phrases in TOPICS.items())
    config = folder / "understudy.toml"
    config.write_text(CONFIG.format(knowledge=DATA / "kb_bank_documents.jsonl.gz", topics=topics), encoding="utf-8")
    command = [sys.executable, "-m", "understudy"]
    where = ["--config", str(config), "--json"]
    scopes = ["--scope", "turns:read", "--scope", "holds:read"]
    key = json.loads(subprocess.check_output([*command, "keys", "create", "bench", *scopes, *where]))["key"]
    with subprocess.Popen([*command, "serve", "--port", "0", *where], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            url = json.loads(server.stdout.readline())["url"]
            _wait_until_ready(url)
            yield url, key
        finally:
            server.terminate()
            server.wait(30)


def _wait_until_ready(url: str) -> None:
    for _ in range(300):
        try:
            if httpx2.get(f"{url}/readyz").status_code == 200:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.1)
    sys.exit(f"the server at {url} did not become ready")


async def _measure(url: str, key: str, texts: list[str], *, at_once: int) -> dict[str, Any]:
    acknowledged: list[float] = []
    gate = asyncio.Semaphore(at_once)
    limits = httpx2.Limits(max_connections=at_once)
    async with httpx2.AsyncClient(base_url=url, timeout=60, limits=limits) as http:

        async def write(number: int, text: str) -> None:
            async with gate:
                token = (await http.post("/chat/sessions", json={})).json()["token"]
                began = time.perf_counter()
                answer = await http.post(
                    "/chat/messages",
                    json={"id": f"q{number}", "text": text},
                    headers={"Authorization": f"Bearer {token}"},
                )
                answer.raise_for_status()
                acknowledged.append((time.perf_counter() - began) * 1000)

        began = time.perf_counter()
        with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
            task = progress.add_task("customers ask", total=len(texts))
            for asked in asyncio.as_completed([write(number, text) for number, text in enumerate(texts)]):
                await asked
                progress.advance(task)
        turns = await _decided(http, key, len(texts))
        seconds = time.perf_counter() - began
    return _figures(turns, acknowledged, asked=len(texts), seconds=seconds)


async def _decided(http: httpx2.AsyncClient, key: str, wanted: int) -> list[dict[str, Any]]:
    """Read all turns once every one has its decision and nothing is on its way."""
    headers = {"Authorization": f"Bearer {key}"}
    ends = time.perf_counter() + DECIDED_WITHIN_S
    while True:
        metrics = (await http.get("/metrics")).text
        match = re.search(r"^understudy_backlog (\S+)$", metrics, re.MULTILINE)
        if (match is not None and float(match[1]) == 0) or time.perf_counter() > ends:
            break
        await asyncio.sleep(0.02)
    turns: list[dict[str, Any]] = []
    cursor: str | None = "0"
    while cursor is not None:
        page = (await http.get("/v1/turns", params={"cursor": cursor, "limit": 200}, headers=headers)).json()
        turns += page["items"]
        cursor = page["next"]
    assert len(turns) == wanted, f"{wanted} messages were acknowledged, {len(turns)} turns exist"
    return turns


def _figures(turns: list[dict[str, Any]], acknowledged: list[float], *, asked: int, seconds: float) -> dict[str, Any]:
    waits = [_ms(turn["created_at"], turn["decided_at"]) for turn in turns if turn["decided_at"]]
    return {
        "messages": asked,
        "decisions": dict(Counter(turn["decision"] for turn in turns if turn["decision"]).most_common()),
        "undecided": sum(turn["decision"] is None for turn in turns),
        "without_reasons": sum(not turn["reasons"] for turn in turns),
        "reasons": dict(Counter(reason["code"] for turn in turns for reason in turn["reasons"]).most_common(12)),
        "acknowledged_ms": _percentiles(acknowledged),
        "message_to_decision_ms": _percentiles(waits),
        "decided_per_s": round(asked / seconds, 1),
        "seconds": round(seconds, 2),
    }


def _ms(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds() * 1000


def _percentiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {"p50": round(cuts[49], 1), "p95": round(cuts[94], 1), "p99": round(cuts[98], 1)}


def _show(figures: dict[str, Any]) -> None:
    console = Console()
    table = Table("what", "figure", title=f"{figures['messages']} real bank questions")
    for name, value in figures.items():
        shown = ", ".join(f"{key} {amount}" for key, amount in value.items()) if isinstance(value, dict) else str(value)
        table.add_row(name.replace("_", " "), shown)
    console.print(table)


if __name__ == "__main__":
    main()
