"""What a server of its own costs and how soon it is found again: memory by connected reviewer, and reconnecting after a kill.

The server is a real process over SQLite. A connected reviewer is what the console makes of one: a session, the queue read
once, and an event stream that stays open.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
from playwright.sync_api import Page

PASSWORD = "correct horse battery"
REVIEWERS = 50
SETTLES_S = 1.5


def served(folder: Path, page: Page) -> dict[str, Any]:
    """Measure both."""
    _add_people(folder)
    with _server(folder, port=0) as (process, url):
        with ThreadPoolExecutor(1) as beside:  # the browser's driver has this thread's event loop
            memory = beside.submit(asyncio.run, _memory(url, process.pid)).result()
        page.goto(f"{url}/console/")
        page.get_by_label("Name").fill("Kim 0")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.locator(".link.live").wait_for()
        process.kill()
        process.wait()
        page.locator(".link.lost").wait_for()
        time.sleep(6)  # so long that the page waits longest between its tries
    with _server(folder, port=int(url.rpartition(":")[2])):
        up_at = time.monotonic()
        page.locator(".link.live").wait_for()
        back_s = time.monotonic() - up_at
    return {"memory_mb_per_reviewer": round(memory, 3), "reconnected_s": round(back_s, 2)}


def _add_people(folder: Path) -> None:
    (folder / "understudy.toml").write_text("# all as it comes\n", encoding="utf-8")
    environment = _environment()
    for number in range(2):
        subprocess.run(
            [sys.executable, "-m", "understudy", "users", "add", f"Kim {number}", "--ask"],
            cwd=folder,
            env=environment,
            input=f"{PASSWORD}\n",
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
        )


def _environment() -> dict[str, str]:
    return {**os.environ, "UNDERSTUDY__TELEMETRY__LOG_LEVEL": "ERROR"}


@contextmanager
def _server(folder: Path, *, port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "understudy", "serve", "--port", str(port), "--json"]
    process = subprocess.Popen(
        command, cwd=folder, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        yield process, json.loads(line)["url"]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def _memory(url: str, pid: int) -> float:
    """MB that each of `REVIEWERS` more reviewers takes: the same ones' sessions, each with a connection and a stream."""
    async with httpx2.AsyncClient(base_url=url, headers={"Sec-Fetch-Site": "same-origin"}, timeout=60) as client:
        for number in range(2):  # what the first costs is no reviewer's: code that is loaded, a hash that is computed
            answer = await client.post("/v1/session", json={"name": f"Kim {number}", "password": PASSWORD})
            answer.raise_for_status()
        cookies = dict(client.cookies)
        await client.get("/v1/queue")
    address = (socket.gethostbyname(url.split("//")[1].split(":", maxsplit=1)[0]), int(url.rpartition(":")[2]))
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    head = f"GET /v1/events HTTP/1.1\r\nhost: {address[0]}\r\ncookie: {cookie}\r\naccept: text/event-stream\r\n\r\n"
    with ExitStack() as stack:
        await _stream(stack, address, head)
        await asyncio.sleep(SETTLES_S)
        before = _resident_mb(pid)
        for _ in range(REVIEWERS):
            await _stream(stack, address, head)
        await asyncio.sleep(SETTLES_S)
        return (_resident_mb(pid) - before) / REVIEWERS


async def _stream(stack: ExitStack, address: tuple[str, int], head: str) -> None:
    reader, writer = await asyncio.open_connection(*address)
    stack.callback(writer.close)
    writer.write(head.encode())
    first = await reader.readline()
    assert b"200" in first, f"the stream was answered {first!r}"


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000
