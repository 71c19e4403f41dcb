"""Servers killed by `kill -9` at each named point of an action: another goes on, and the system of record did it once.

The system honours no key and counts whatever it is asked to do; it can be read back. A reply that says "done" leaves after.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

import starting
from understudy.databases import open_store
from understudy.records.access import Scope
from understudy.settings.load import load
from understudy.web.keys import add_key, make_key

WITHIN_S = 120.0
POINTS = ("let through", "leased", "called", "recorded", "looking", "seen", "done")
KILLED = [("sqlite", point) for point in POINTS] + [("postgres", point) for point in ("leased", "called", "seen")]

CONFIG = """
[agents.none]
kind = "python"
target = "none:draft"

[autonomy]
audit_rate = 0
grants = [{{ topic = "*", channel = "*", level = "auto", threshold = 0 }}]

[actions]
lease_s = 2

[actions.refund]
reversibility = "compensable"
automatic = true

[actions.refund.arguments]
properties = {{ order = {{ type = "string" }} }}
required = ["order"]

[actions.refund.call]
url = "{books}/refunds"
template = {{ order = "{{order}}", key = "{{key}}" }}

[actions.refund.read_back]
url = "{books}/refunds/{{key}}"
is_done = "@.status == 200"
not_done = "@.status == 404"

[store]
url = "{url}"
[telemetry]
log_level = "ERROR"
"""

# Runs the command line, and dies without a word when it comes to a point.
PROGRAM = """
import os, signal, sys
from understudy.delivery.acting import Acting
point = sys.argv[1]

def come_to(at):
    if at == point:
        os.kill(os.getpid(), signal.SIGKILL)

carry_out, outcome, go_on = Acting.carry_out, Acting._outcome, Acting._go_on
async def carried_out(self, conversation):
    come_to("let through")
    await carry_out(self, conversation)
async def came(self, lease):
    is_call = lease.entry.step.value == "call"
    come_to("leased" if is_call else "looking")
    found = await outcome(self, lease)
    come_to("called" if is_call else "seen")
    return found
async def gone_on(self, lease):
    await go_on(self, lease)
    come_to("recorded" if lease.entry.step.value == "call" else "done")
Acting.carry_out, Acting._outcome, Acting._go_on = carried_out, came, gone_on
sys.argv = ["understudy", *sys.argv[2:]]
from understudy.cli.main import main
main()
"""


class Books:
    """What the system of record was asked to do, each time it was asked, by key."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("").rstrip("/")
        self.done: Counter[str] = Counter()
        server.expect_request(re.compile("/refunds.*")).respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        if request.method == "POST":
            self.done[request.get_json()["key"]] += 1
            return Response("{}", status=201)
        return Response("{}", status=200 if request.path.rpartition("/")[2] in self.done else 404)


class House:
    """A folder with a configuration, and the servers started in it."""

    def __init__(self, folder: Path, url: str, books: Books) -> None:
        self.folder, self.books = folder, books
        (folder / "understudy.toml").write_text(CONFIG.format(url=url, books=books.url))
        (folder / "none.py").write_text("def draft(request):\n    return 'No.'\n")
        self.processes: list[starting.Fork] = []
        self.store = open_store(load(folder / "understudy.toml", {}), folder)
        record, self.key = make_key("Ines", tuple(Scope), now=datetime.now(UTC))
        self.store.write_now(lambda tx: add_key(tx, record, actor="test"))

    def start(self, *, dies_at: str = "") -> tuple[starting.Fork, str]:
        """Start a server; returns once it says where it listens."""
        program = ["-c", PROGRAM, dies_at] if dies_at else ["-m", "understudy"]
        with (self.folder / f"{len(self.processes)}.err").open("w") as err:
            command = [*program, "serve", "--port", "0", "--json"]
            process = starting.start(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=err)
        self.processes.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (self.folder / f"{len(self.processes) - 1}.err").read_text()
        return process, str(json.loads(line)["url"])

    def submit(self, url: str) -> None:
        """Hand over a draft that proposes a refund; the server may die before it answers."""
        body = {
            "id": "t-1",
            "conversation_id": "c-1",
            "topic": "orders",
            "messages": [{"role": "user", "content": "Please refund A17."}],
            "draft": {"text": "It is on its way.", "actions": [{"name": "refund", "arguments": {"order": "A17"}}]},
        }
        headers = {"Authorization": f"Bearer {self.key}"}
        with suppress(httpx2.HTTPError):
            httpx2.post(f"{url}/v1/turns", json=body, headers=headers, timeout=WITHIN_S)

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()
        self.store.close_now()


@pytest.fixture
def house(
    request: pytest.FixtureRequest, tmp_path: Path, new_postgres: Callable[[], str], httpserver: HTTPServer
) -> Iterator[House]:
    url = "sqlite:///house.db" if request.param == "sqlite" else new_postgres()
    made = House(tmp_path, url, Books(httpserver))
    yield made
    made.stop()


def until(holds: Callable[[], Any]) -> Any:
    ends = time.monotonic() + WITHIN_S
    while not (found := holds()):
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.05)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("house", "point"),
    [pytest.param(*one, marks=[pytest.mark.postgres] if one[0] == "postgres" else []) for one in KILLED],
    indirect=["house"],
)
def test_an_action_is_done_once_whoever_is_killed(house: House, point: str) -> None:
    dying, url = house.start(dies_at=point)
    house.submit(url)
    until(lambda: dying.poll() is not None)
    assert dying.returncode == -signal.SIGKILL
    house.start()

    def answered() -> bool:
        turns = house.store.read_now(lambda tx: tx.turns.listed(after=0, limit=9))
        return bool(turns) and all(turn.state.value == "answered" for turn in turns)

    until(answered)
    (turn,) = house.store.read_now(lambda tx: tx.turns.listed(after=0, limit=9))
    (entry,) = house.store.read_now(lambda tx: tx.actions.of_turn(turn.id))
    assert entry.state.value == "done"
    assert dict(house.books.done) == {entry.id: 1}
    events = [one.event for one in house.store.read_now(lambda tx: tx.ledger.entries(limit=1_000))]
    assert events.index("action.done") < events.index("outbox.queued")
    assert events.count("outbox.queued") == 1
