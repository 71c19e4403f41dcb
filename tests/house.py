"""A folder with a configuration, a database and real processes on it: customers write by webhook and read at a sink.

The agent notes what it is asked, when and by which process, by the first 100 characters of the message, which have to
tell it from others. It drafts for as many seconds as the message says; asked for something "until told", it drafts
until the file `told` is there. Nothing here judges. Test files are no package, so conftest.py loads this file by its
path (see tests/postgres.py).
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

import starting

WITHIN_S = 120.0
"""How long anything may take that a person would call immediate, on a machine with much else to do."""
CERTIFICATES = ssl.create_default_context()  # to read them takes 16 ms, which no request here needs to do anew

AGENT = """
import asyncio, os, pathlib, re, time

def note(*words):
    with open("asked.log", "a") as log:
        log.write(" ".join(map(str, words)) + "\\n")

async def draft(request):
    text = request["messages"][-1]["content"]
    name = text[:100].strip()
    note("began", os.getpid(), time.monotonic(), name)
    while "until told" in text and not pathlib.Path("told").exists():
        await asyncio.sleep(0.02)
    seconds = re.search(r"([0-9.]+) seconds", text)
    await asyncio.sleep(float(seconds[1]) if seconds else 0)
    note("ended", os.getpid(), time.monotonic(), name)
    return f"About {name}"
"""

CONFIG = """
[agents.slow]
kind = "python"
target = "slow:draft"
{agent}

[disclosure]
shown = "off"
[channels.desk]
kind = "webhook"
url = "{sink}"
insecure = true

[coalescing]
window_s_min = 0
window_s_max = 0

[topics.reviewed]
phrases = ["please review"]

[topics.any]
phrases = ["seconds", "until told"]

[autonomy]
audit_rate = 0
automatic_per_hour_max = 1000000
grants = [{{ topic = "any", level = "auto", threshold = 0 }}]

[telemetry]
log_level = "WARNING"

[store]
url = "{url}"

{more}
"""


def until(holds: Callable[[], Any], *, within_s: float = WITHIN_S) -> Any:
    """Look again and again, less often the longer it takes; returns what `holds` returned once that is truthy."""
    began = time.monotonic()
    while not (found := holds()):
        waited_s = time.monotonic() - began
        assert waited_s < within_s, f"waited {within_s} s in vain"
        time.sleep(min(0.02 + waited_s / 20, 0.1))
    return found


@dataclass(frozen=True)
class Asked:
    """One line of the agent's log: it `began` or `ended` a draft; `at` is comparable between processes."""

    what: str
    pid: int
    at: float
    text: str


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
    """A folder with its database, and the processes started in it. `agent` and `more` are lines for the configuration."""

    until = staticmethod(until)

    def __init__(self, folder: Path, url: str, sink: Sink, *, agent: str = "", more: str = "") -> None:
        self.folder = folder
        self.sink = sink
        self.url = ""
        self.url_of: dict[int, str] = {}
        self.processes: list[starting.Fork] = []
        (folder / "slow.py").write_text(AGENT, encoding="utf-8")
        config = CONFIG.format(sink=sink.url, url=url, agent=agent, more=more)
        (folder / "understudy.toml").write_text(config, encoding="utf-8")

    def start(self, *words: str, program: Path | None = None) -> starting.Fork:
        """Start a command; returns once it says that it runs. `program`: a folder with another version's source."""
        return self.start_all(words, program=program)[0]

    def start_all(self, *commands: tuple[str, ...], program: Path | None = None) -> list[starting.Fork]:
        """Start commands side by side; returns once all say that they run. `url` is then the last server's."""
        started = []
        for words in commands:
            # A file, not a pipe: nobody reads what they say until they end, and a full pipe would stop them.
            with (self.folder / f"{len(self.processes)}.err").open("w") as err:
                started.append(self._spawn(*words, "--json", program=program, stderr=err))
            self.processes.append(started[-1])
        for process in started:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, self.err(process)
            if "url" in (said := json.loads(line)):
                self.url = self.url_of[process.pid] = said["url"]
        return started

    def run(self, *words: str, program: Path | None = None) -> tuple[int, str]:
        """Run a command to its end; returns its exit code and all it said."""
        process = self._spawn(*words, program=program)
        out, err = process.communicate(timeout=WITHIN_S)
        assert "Traceback" not in err, err
        return process.returncode, out + err

    def err(self, process: starting.Fork) -> str:
        """What a process that was started has said on standard error so far."""
        return (self.folder / f"{self.processes.index(process)}.err").read_text(encoding="utf-8")

    def must(self, *words: str, program: Path | None = None) -> str:
        """Run a command that has to succeed; returns what it said."""
        code, said = self.run(*words, program=program)
        assert code == 0, said
        return said

    def _spawn(self, *words: str, program: Path | None, stderr: Any = subprocess.PIPE) -> starting.Fork:
        env = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY")}
        env |= {"COLUMNS": "200", "NO_COLOR": "1"}
        env |= {} if program is None else {"PYTHONPATH": str(program)}
        streams = {"stdout": subprocess.PIPE, "stderr": stderr}
        command = ["-m", "understudy", *words]
        return starting.start(command, cwd=self.folder, env=env, afresh=program is not None, **streams)

    def post(self, text: str, *, client: Any = httpx2, to: str | None = None, url: str | None = None) -> Any:
        """Write as a customer, in a conversation of its own; returns the answer."""
        name = text[:100].strip()
        customer = to or name
        body = {"type": "message.received", "data": {"conversation_id": customer, "from": customer, "text": text}}
        headers = {"webhook-id": f"in-{name}"}
        more = {"verify": CERTIFICATES} if client is httpx2 else {}
        return client.post(f"{url or self.url}/webhooks/desk", json=body, headers=headers, timeout=WITHIN_S, **more)

    def write(self, text: str, *, client: Any = httpx2, to: str | None = None, url: str | None = None) -> None:
        """Write as a customer; returns once it is acknowledged."""
        answer = self.post(text, client=client, to=to, url=url)
        assert answer.status_code == 200, answer.text

    def key(self) -> str:
        """Make an API key with which a reviewer works."""
        return str(json.loads(self.must("keys", "create", "Ines", "--json"))["key"])

    def holds(self, key: str) -> list[Any]:
        """What waits for people."""
        headers = {"Authorization": f"Bearer {key}"}
        more: dict[str, Any] = {"headers": headers, "timeout": WITHIN_S, "verify": CERTIFICATES}
        found = httpx2.get(f"{self.url}/v1/holds", params={"limit": 200}, **more)
        assert found.status_code == 200, found.text
        return list(found.json()["items"])

    def tell(self) -> None:
        """Let the agent end what it drafts until told."""
        (self.folder / "told").touch()

    @property
    def log(self) -> list[Asked]:
        """What the agent noted, in order."""
        path = self.folder / "asked.log"
        whole = path.read_text(encoding="utf-8").rpartition("\n")[0] if path.exists() else ""
        lines = (line.split(" ", 3) for line in whole.splitlines())
        return [Asked(what, int(pid), float(at), text) for what, pid, at, text in lines]

    @property
    def asked(self) -> list[tuple[int, str]]:
        """Which process asked the agent what, in order."""
        return [(noted.pid, noted.text) for noted in self.log if noted.what == "began"]

    def answered(self, *texts: str) -> bool:
        return {f"About {text}" for text in texts} <= set(self.sink.texts)

    def servers(self, parent: starting.Fork) -> list[int]:
        """The processes that a parent keeps."""
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def close(self) -> None:
        """Stop what still runs."""
        self.tell()
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.communicate(timeout=WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


@contextmanager
def housed(folder: Path, url: str, server: HTTPServer, **options: Any) -> Iterator[House]:
    """Have a house while the block runs."""
    made = House(folder, url, Sink(server), **options)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def build_house(
    tmp_path: Path, new_postgres: Callable[[], str], httpserver: HTTPServer
) -> Iterator[Callable[..., House]]:
    """Make a house with a PostgreSQL database of its own: `build_house(agent="at_once_max = 1")`."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(housed(tmp_path, new_postgres(), httpserver, **options))


@pytest.fixture
def house(build_house: Callable[..., House]) -> House:
    """A house with nothing special about it."""
    return build_house()
