"""Many processes on one PostgreSQL: what dies is taken over, what restarts refuses nobody, and SQLite stays with one.

Customers write by webhook and read at a sink, which knows a repeated key. The agent notes in a file what it is asked,
and drafts for as many seconds as the message says.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

WITHIN_S = 40.0
TAKEN_OVER_WITHIN_S = 10.0

AGENT = """
import asyncio, os, re

async def draft(request):
    text = request["messages"][-1]["content"]
    with open("asked.log", "a") as log:
        log.write(f"{os.getpid()} {text}\\n")
    await asyncio.sleep(float(re.search(r"[0-9.]+", text).group()))
    return f"About {text}"
"""

CONFIG = """
[agents.slow]
kind = "python"
target = "slow:draft"

[channels.desk]
kind = "webhook"
url = "{sink}"
insecure = true

[coalescing]
window_s_min = 0
window_s_max = 0

[topics.any]
phrases = ["seconds"]

[autonomy]
audit_rate = 0
automatic_per_hour_max = 1000000
grants = [{{ topic = "*", level = "auto", threshold = 0 }}]

[telemetry]
log_level = "WARNING"

[store]
url = "{url}"
"""


def load_postgres() -> ModuleType:
    """tests/postgres.py; test files are no package."""
    name = "understudy_tests_postgres"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / "postgres.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Any]:
    with load_postgres().serving() as server:
        yield server


class Sink:
    """What customers got; a repeated key is one message."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("/replies")
        self.texts: list[str] = []
        self._keys: set[str] = set()
        server.expect_request("/replies").respond_with_handler(self._take)

    def _take(self, request: Request) -> Response:
        if request.headers["webhook-id"] not in self._keys:
            self._keys.add(request.headers["webhook-id"])
            self.texts.append(request.get_json()["data"]["text"])
        return Response(status=204)


class House:
    """A folder with its database, and the processes started in it."""

    def __init__(self, folder: Path, url: str, sink: Sink) -> None:
        self.folder = folder
        self.sink = sink
        self.processes: list[subprocess.Popen[str]] = []
        (folder / "slow.py").write_text(AGENT, encoding="utf-8")
        (folder / "understudy.toml").write_text(CONFIG.format(sink=sink.url, url=url), encoding="utf-8")

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command; returns once it says that it runs."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY")}
        process = subprocess.Popen(
            [sys.executable, "-m", "understudy", *words, "--json"],
            cwd=self.folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        if "url" in line:
            self.url = line.split('"')[3]
        return process

    def write(self, text: str, *, client: httpx2.Client | None = None, to: str | None = None) -> None:
        """Write as a customer, in a conversation of its own; returns once it is acknowledged."""
        body = {"type": "message.received", "data": {"conversation_id": to or text, "from": to or text, "text": text}}
        headers = {"webhook-id": f"in-{text}"}
        answer = (client or httpx2).post(f"{self.url}/webhooks/desk", json=body, headers=headers, timeout=WITHIN_S)
        assert answer.status_code == 200, answer.text

    @property
    def asked(self) -> list[tuple[int, str]]:
        """Which process asked the agent what, in order."""
        log = self.folder / "asked.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [(int(line.split(" ", 1)[0]), line.split(" ", 1)[1]) for line in lines]

    def answered(self, *texts: str) -> bool:
        return {f"About {text}" for text in texts} <= set(self.sink.texts)

    def servers(self, parent: subprocess.Popen[str]) -> list[int]:
        """The processes that a parent keeps."""
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text()
        return [int(pid) for pid in children.split()]


@pytest.fixture
def house(tmp_path: Path, postgres: Any, httpserver: HTTPServer) -> Iterator[House]:
    made = House(tmp_path, postgres.create(), Sink(httpserver))
    yield made
    for process in made.processes:
        if process.poll() is None:
            process.terminate()
    for process in made.processes:
        try:
            process.communicate(timeout=WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def seconds_until(holds: Callable[[], Any], *, within_s: float = WITHIN_S) -> float:
    """Wait until something holds; returns how long that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < within_s, f"waited {within_s} s in vain"
        time.sleep(0.02)
    return time.monotonic() - began


@pytest.mark.parametrize("words", [("serve", "--workers", "2"), ("serve", "--web-only"), ("work",)])
def test_sqlite_refuses_a_second_process_with_a_way_out(
    words: tuple[str, ...], tmp_path: Path, understudy: Callable[..., Any]
) -> None:
    (tmp_path / "understudy.toml").write_text("", encoding="utf-8")
    ended = understudy(*words, cwd=tmp_path)
    assert ended.code == 3
    assert "SQLite takes one process" in ended.err
    assert "PostgreSQL" in ended.err


@pytest.mark.slow
@pytest.mark.postgres
def test_what_a_web_process_takes_in_a_worker_answers(house: House) -> None:
    web = house.start("serve", "--port", "0", "--web-only")
    worker = house.start("work")
    house.write("0 seconds")
    seconds_until(lambda: house.answered("0 seconds"))
    assert house.asked == [(worker.pid, "0 seconds")]
    assert web.poll() is None


@pytest.mark.slow
@pytest.mark.postgres
def test_a_killed_worker_s_turns_are_taken_over_within_seconds(house: House) -> None:
    house.start("serve", "--port", "0", "--web-only")
    workers = [house.start("work"), house.start("work")]
    house.write("12 seconds")
    seconds_until(lambda: house.asked)
    victim, heir = sorted(workers, key=lambda worker: worker.pid != house.asked[0][0])
    victim.kill()
    assert seconds_until(lambda: len(house.asked) == 2) <= TAKEN_OVER_WITHIN_S
    assert house.asked[1] == (heir.pid, "12 seconds")
    seconds_until(lambda: house.answered("12 seconds"))
    time.sleep(1)
    assert len(house.sink.texts) == 1


@pytest.mark.slow
@pytest.mark.postgres
def test_a_long_draft_is_asked_for_by_one_process_only(house: House) -> None:
    house.start("serve", "--port", "0", "--web-only")
    for _ in range(2):
        house.start("work")
    house.write("9 seconds")  # longer than a lease lasts that nobody renews
    seconds_until(lambda: house.answered("9 seconds"))
    assert len(house.asked) == 1


@pytest.mark.slow
@pytest.mark.postgres
def test_a_worker_told_to_stop_hands_over_what_takes_too_long(house: House) -> None:
    house.start("serve", "--port", "0", "--web-only")
    workers = [house.start("work"), house.start("work")]
    house.write("20 seconds")
    seconds_until(lambda: house.asked)
    stopping, heir = sorted(workers, key=lambda worker: worker.pid != house.asked[0][0])
    stopping.terminate()
    seconds_until(lambda: len(house.asked) == 2)
    assert house.asked[1] == (heir.pid, "20 seconds")
    assert stopping.wait(WITHIN_S) == 0
    assert heir.poll() is None


@pytest.mark.slow
@pytest.mark.postgres
def test_a_rolling_restart_under_load_loses_nothing_and_refuses_nobody(house: House) -> None:
    parent = house.start("serve", "--port", "0", "--workers", "2")
    before = house.servers(parent)
    assert len(before) == 2
    is_over = threading.Event()
    written: list[str] = []
    refused: list[str] = []

    def customer(number: int) -> None:
        with httpx2.Client() as client:
            for message in range(10_000):
                if is_over.is_set():
                    return
                text = f"0 seconds, {number}-{message}"
                try:
                    # Every other one on a connection of its own: both kept and new connections meet the restart.
                    house.write(text, client=client if message % 2 else None)
                except (httpx2.HTTPError, AssertionError) as error:
                    refused.append(f"{text}: {error!r}")
                else:
                    written.append(text)
                time.sleep(0.02)

    with ThreadPoolExecutor(4) as customers:
        futures = [customers.submit(customer, number) for number in range(4)]
        time.sleep(1)
        parent.send_signal(signal.SIGHUP)
        with suppress(AssertionError):
            seconds_until(lambda: not set(before) & set(house.servers(parent)), within_s=90)
        time.sleep(1)
        is_over.set()
        for future in futures:
            future.result()
    after = house.servers(parent)
    assert not set(before) & set(after)
    assert len(after) == 2
    assert refused == []
    seconds_until(lambda: house.answered(*written))
    assert [text for text, times in Counter(house.sink.texts).items() if times > 1] == []


@pytest.mark.slow
@pytest.mark.postgres
def test_a_server_that_dies_is_replaced_and_its_turns_go_on(house: House) -> None:
    parent = house.start("serve", "--port", "0", "--workers", "2")
    house.write("4 seconds")
    seconds_until(lambda: house.asked)
    victim = house.asked[0][0]
    os.kill(victim, signal.SIGKILL)
    assert seconds_until(lambda: len(house.asked) == 2) <= TAKEN_OVER_WITHIN_S
    house.write("0 seconds")
    seconds_until(lambda: house.answered("4 seconds", "0 seconds"))
    seconds_until(lambda: len(house.servers(parent)) == 2 and victim not in house.servers(parent))


@pytest.mark.slow
@pytest.mark.postgres
def test_servers_end_with_their_parent(house: House) -> None:
    parent = house.start("serve", "--port", "0", "--workers", "2")
    servers = house.servers(parent)
    parent.kill()
    parent.wait()
    seconds_until(lambda: not [pid for pid in servers if Path(f"/proc/{pid}").exists()])


@pytest.mark.slow
@pytest.mark.postgres
def test_stopping_the_parent_stops_all_in_order(house: House) -> None:
    parent = house.start("serve", "--port", "0", "--workers", "2")
    servers = house.servers(parent)
    parent.terminate()
    _, err = parent.communicate(timeout=WITHIN_S)
    assert (parent.returncode, err) == (0, "")
    assert not [pid for pid in servers if Path(f"/proc/{pid}").exists()]
