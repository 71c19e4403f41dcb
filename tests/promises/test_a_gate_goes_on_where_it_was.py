"""Servers killed by `kill -9` at any named point of a gate: another goes on, no trial is lost, none is kept twice.

On SQLite one server dies and another is started. On PostgreSQL two that work beside each other die wherever they come to
the point, and a third goes on.
"""

from __future__ import annotations

import json
import os
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

import starting
from understudy.databases import open_store
from understudy.records.access import Scope
from understudy.records.spread import Pace
from understudy.settings.load import load
from understudy.web.keys import add_key, make_key

CASES = 8
WITHIN_S = 120.0
POINTS = (
    "asked", "leased", "asking", "attempted", "graded", "keeping", "kept",
    "ending", "ended", "judging", "judged", "telling", "told",
)  # fmt: skip
LATER = {"leased": 30, "asking": 30, "attempted": 30, "graded": 30, "keeping": 30, "kept": 30}
"""At which time that a process comes to a point it dies; 1 where nothing is said."""
STORES = ("sqlite", "postgres")
USUAL = [("sqlite", point) for point in ("asked", "keeping", "judged")] + [
    ("postgres", "kept"),
    ("postgres", "telling"),
]
"""What the suite kills; `./dev kill-gates` comes to every point on every store."""
KILLED = [(store, point) for store in STORES for point in POINTS] if os.environ.get("EVERY_POINT") else USUAL

CONFIG = """
[agents.mine]
kind = "python"
target = "mine:old"
[agents.mine-2]
kind = "python"
target = "mine:new"
release_of = "mine"
[releases]
suites = ["s"]
[evaluation]
at_once_max = 3
cases_min = 5
[store]
url = "{url}"
[telemetry]
log_level = "ERROR"
"""

# The agents note each call in a file, with its moment, so that the calls of all processes can be held against what is kept.
AGENT = """
import asyncio, hashlib, time

async def draft(name, request, fails):
    of = request["rehearsal"]
    with open("calls", "a") as file:
        file.write(f"{name} {of['case']} {of['trial']} {time.time()}\\n")
    await asyncio.sleep(0.005)
    dice = hashlib.sha256(f"{name} {of['case']} {of['trial']}".encode()).digest()[0] / 256
    return "no" if dice < fails else "yes"

async def old(request):
    return await draft("old", request, 0.1)

async def new(request):
    return await draft("new", request, 0.6)
"""

# Runs the command line, and dies without a word at the n-th time that it comes to a point.
PROGRAM = """
import os, signal, sys
from understudy.evaluation.judging import Judging
from understudy.evaluation.spread import Spread
from understudy.release.orders import ReleaseOrders
from understudy.release.telling import Telling
point, left = sys.argv[1], int(sys.argv[2])

def come_to(at, *of):
    global left
    if at == point:
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

def watched(kind):
    made = kind.__init__
    def begin(self, *args, **more):
        made(self, *args, **more | {"watch": come_to})
    kind.__init__ = begin

for kind in (Spread, Judging, Telling):
    watched(kind)
ask = ReleaseOrders.ask
async def asked(self, *args, **more):
    found = await ask(self, *args, **more)
    if found[1] is not None:
        come_to("asked")
    return found
ReleaseOrders.ask = asked
sys.argv = ["understudy", *sys.argv[3:]]
from understudy.cli.main import main
main()
"""


class House:
    """A folder with a configuration and a suite, and the servers started in it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        (folder / "understudy.toml").write_text(CONFIG.format(url=url))
        (folder / "mine.py").write_text(AGENT)
        (folder / "suites" / "s").mkdir(parents=True)
        for number in range(CASES):
            text = f"id: c{number}\nmessages: [{{user: hello {number}}}]\ngraders: [{{exact: 'yes'}}]\n"
            (folder / "suites" / "s" / f"c{number}.yaml").write_text(text)
        (folder / "suites" / "s" / "suite.yaml").write_text("margin: 0.2\n")
        self.processes: list[starting.Fork] = []
        self.store = open_store(load(folder / "understudy.toml", {}), folder)
        record, self.key = make_key("Ines", tuple(Scope), now=datetime.now(UTC))
        self.store.write_now(lambda tx: add_key(tx, record, actor="test"))

    def start(self, *words: str, dies_at: str = "", nth: int = 1) -> tuple[starting.Fork, dict[str, Any]]:
        """Start a command; returns once it says that it runs, with what it says."""
        program = ["-c", PROGRAM, dies_at, str(nth)] if dies_at else ["-m", "understudy"]
        with (self.folder / f"{len(self.processes)}.err").open("w") as err:
            command = [*program, *words, "--json"]
            process = starting.start(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=err)
        self.processes.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (self.folder / f"{len(self.processes) - 1}.err").read_text()
        return process, json.loads(line)

    def create(self, url: str, entry: str) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx2.post(f"{url}/v1/releases", json={"entry": entry}, headers=headers, timeout=WITHIN_S)

    def get(self, url: str, path: str) -> Any:
        found = httpx2.get(f"{url}{path}", headers={"Authorization": f"Bearer {self.key}"}, timeout=WITHIN_S)
        assert found.status_code == 200, found.text
        return found.json()

    def read(self, query: Callable[[Any], Any]) -> Any:
        return self.store.read_now(query)

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()
        self.store.close_now()


def until(holds: Callable[[], Any]) -> Any:
    ends = time.monotonic() + WITHIN_S
    while not (found := holds()):
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.05)
    return found


@pytest.fixture
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    is_sqlite = request.param == "sqlite"
    url = "sqlite:///understudy-data/understudy.db" if is_sqlite else request.getfixturevalue("new_postgres")()
    built = House(tmp_path, url)
    yield built
    built.close()


def victims(house: House, point: str) -> tuple[list[starting.Fork], str]:
    """The processes that die at a point, and where the first of them serves."""
    nth = LATER.get(point, 1)
    serving, said = house.start("serve", "--port", "0", dies_at=point, nth=nth)
    if house.store.engine.dialect.name == "sqlite":
        return [serving], said["url"]
    beside, _ = house.start("work", dies_at=point, nth=nth)
    return [serving, beside], said["url"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("house", "point"),
    [pytest.param(*one, marks=[pytest.mark.postgres] if one[0] == "postgres" else []) for one in KILLED],
    indirect=["house"],
)
def test_gate_whose_servers_are_killed_at_a_named_point_goes_on(house: House, point: str) -> None:
    dying, url = victims(house, point)
    assert house.create(url, "mine").status_code == 201
    release = ""
    with suppress(httpx2.HTTPError):  # it may die before it has answered
        answer = house.create(url, "mine-2")
        assert answer.status_code == 202
        release = answer.json()["release"]["id"]
    assert release or point == "asked"
    until(lambda: any(process.poll() is not None for process in dying))
    assert {process.returncode for process in dying if process.poll() is not None} == {-signal.SIGKILL}

    _, said = house.start("serve", "--port", "0")
    (agent,) = house.get(said["url"], "/v1/releases")
    written = [one["release"]["id"] for one in agent["releases"] if one["release"]["entry"] == "mine-2"]
    assert written == [release or written[0]], "what was acknowledged is there, and what was written goes on"
    (release,) = written
    decided = Pace.DECIDED.value
    until(lambda: house.get(said["url"], f"/v1/releases/{release}")["gate"]["state"] == decided)
    found = house.get(said["url"], f"/v1/releases/{release}")
    assert (found["release"]["stage"], found["release"]["gate"]["verdict"]) == ("created", "fail")
    assert found["gate"]["result"] == found["release"]["gate"]
    look_at_books(house, release)


def look_at_books(house: House, release: str) -> None:
    """Hold what was asked of the agents against what is kept of it."""
    gates = house.read(lambda tx: tx.gates.of_candidate(release))
    gate = house.read(lambda tx: tx.pending_gates.latest(release))
    assert [one.id for one in gates] == [gate.result.id]
    entries = house.read(lambda tx: tx.ledger.entries(limit=100_000))
    events = Counter(entry.event for entry in entries)
    assert (events["gate.asked"], events["gate.judged"], events["release.gated"]) == (1, 1, 1)
    assert events["run.ended"] == 2
    (part,) = gate.parts
    calls = [line.split() for line in (house.folder / "calls").read_text().splitlines()]
    for name, run in (("old", part.baseline_run), ("new", part.candidate_run)):
        kept = {}
        for entry in entries:
            body = json.loads(entry.body)
            if entry.event == "trial.kept" and body["run"] == run:
                assert (body["case"], body["trial"]) not in kept, "kept twice"
                kept[body["case"], body["trial"]] = entry.at.timestamp()
        spread = house.read(lambda tx, run=run: tx.spread.get(run))
        trials = house.read(lambda tx, run=run: tx.runs.trials(run))
        assert {(one.case, one.trial) for one in trials} == set(kept), "what is kept and what the ledger says differ"
        assert len(trials) == len(kept)
        assert not [one for one in trials if one.error]
        in_order = house.read(lambda tx, run=run, read=spread.read: tx.spread.results(run, limit=read))
        assert len(in_order) == spread.read, "a trial that counts is lost"
        made = {(case, int(trial)) for who, case, trial, _ in calls if who == name}
        assert set(kept) <= made
        late = [call for call in calls if call[0] == name and float(call[3]) > kept.get((call[1], int(call[2])), 1e12)]
        assert late == [], "a trial was made again though its result was kept"
    assert house.read(lambda tx: tx.runs.get(part.baseline_run)).done == CASES * 10
