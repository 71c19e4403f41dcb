"""The whole product for a test to use as its users do: a server over a SQLite file, keys, the command line.

`serve` starts a server inside the test's process, on a port of its own: quick, and its clock and store are real.
`start_server` and `understudy` start real processes. Nothing here judges; each test says what it expects.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import os
import signal
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest
import structlog

import browsing
import demo_played
import starting
from understudy.app import App, build
from understudy.cli.main import main
from understudy.client.client import Client
from understudy.databases import open_store
from understudy.records.access import Scope
from understudy.settings.load import load
from understudy.web import feed
from understudy.web.asgi import create
from understudy.web.keys import add_key, make_key, revoke_key
from understudy.web.server import Server

browser, open_tab, demo_once = browsing.browser, browsing.open_tab, demo_played.demo_once
desk, emptied, enter, own_console = browsing.desk, browsing.emptied, browsing.enter, browsing.own_console

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WITHIN_S = 120.0
"""How long anything may take that a person would call immediate; generous, because the machine may be busy."""
CERTIFICATES = ssl.create_default_context()  # to read them takes 16 ms, which no client here needs to do anew

DOCUMENTS = {
    "opening-hours.md": "---\ntitle: Opening hours\ntopic: stores\n---\n"
    "Our shop is open from Monday to Saturday, 9:00 to 18:00. We are closed on Sundays.\n",
    "returns.md": "---\ntitle: Returns\ntopic: returns\n---\n"
    "You may send any kettle back within 30 days of delivery. We pay the return postage.\n",
}

CONFIG = """
review = {{ seed_rate = 0, second_rate = 0, undo_s = 0 }}
[business]
name = "Fernhill Kettles"
[agents.faq]
kind = "faq"
knowledge = "knowledge"

[channels.webchat]
kind = "webchat"

[channels.desk]
kind = "webhook"
url = "{sink}"
secrets = ["{secret}"]

[coalescing]
window_s_min = {window_s}
window_s_max = {window_s}

[autonomy]
audit_rate = 0
grants = [{{ topic = "stores", level = "auto", threshold = 0.6 }}]

[safe_replies.handed_over]
text = "A colleague takes over and answers here."

[routing]
hand_off_notice = "handed_over"

[openai]
wait_s = 0.3
held_notice = "A colleague is looking at this."

{more}
"""
AUTOMATIC = "What are your opening hours?"
"""The faq agent answers this from a topic that may answer alone; anything on returns waits for a person."""
HELD = "Do you pay the return postage?"


def write_folder(
    folder: Path, *, sink: str = "http://127.0.0.1:9/replies", window_s: float = 0.0, more: str = ""
) -> Path:
    """Write documents and a configuration; returns the configuration's path."""
    knowledge = folder / "knowledge"
    knowledge.mkdir(parents=True, exist_ok=True)
    for name, text in DOCUMENTS.items():
        (knowledge / name).write_text(text, encoding="utf-8")
    config = folder / "understudy.toml"
    config.write_text(CONFIG.format(sink=sink, secret=SECRET, window_s=window_s, more=more), encoding="utf-8")
    return config


def until(holds: Callable[[], Any], *, within_s: float = WITHIN_S) -> Any:
    """Look again and again, less often the longer it takes; returns what `holds` returned once that is truthy."""
    began = time.monotonic()
    while not (found := holds()):
        waited_s = time.monotonic() - began
        assert waited_s < within_s, f"waited {within_s} s in vain"
        time.sleep(min(0.01 + waited_s / 20, 0.1))
    return found


def tables_of(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that is stored, row by row."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in sorted(names)}


@dataclass(repr=False)
class Running:
    """A server that runs, and the ways a test looks at it."""

    app: App
    server: Server
    url: str
    database: Path
    thread: threading.Thread
    clients: list[Any] = field(default_factory=list)

    def key(self, *scopes: Scope, name: str = "Ines", age_s: float = 0, days: int | None = None) -> str:
        """Make a key; no scopes given means all. With `days` it is valid that long, from `age_s` ago on."""
        now = datetime.now(UTC) - timedelta(seconds=age_s)
        expires_at = None if days is None else now + timedelta(days=days)
        record, text = make_key(name, scopes or tuple(Scope), now=now, expires_at=expires_at)
        self.app.store.write_now(lambda tx: add_key(tx, record, actor="test"))
        return text

    def revoke(self, key: str) -> None:
        """Make a key void."""
        key_id = key.split("_")[1]
        self.app.store.write_now(lambda tx: revoke_key(tx, key_id, now=datetime.now(UTC), actor="test"))

    def http(self, key: str | None = None, **headers: str) -> httpx2.Client:
        """An HTTP client that sends a key; closed with the server."""
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        client = httpx2.Client(base_url=self.url, headers=headers, timeout=WITHIN_S, verify=CERTIFICATES)
        self.clients.append(client)
        return client

    def client(self, key: str | None = None) -> Client:
        """The Python client; closed with the server."""
        client = Client(self.url, key or self.key(), timeout_s=WITHIN_S)
        self.clients.append(client)
        return client

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that is stored, row by row."""
        return tables_of(self.database)

    def stop(self) -> None:
        """Stop in order, and wait for it."""
        self.server.end_streams()
        self.server.should_exit = True
        self.thread.join(WITHIN_S)
        assert not self.thread.is_alive(), "the server does not stop"
        for client in self.clients:
            client.close()


def run_server(folder: Path, config: Path, environment: dict[str, str]) -> Running:
    settings = load(config, {"UNDERSTUDY__SERVER__PORT": "0", **environment})
    app = build(settings, folder)
    server = Server(create(app), settings)
    listening = server.listen()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            asyncio.run(server.serve(sockets=[listening]))
        except BaseException as error:
            failed.append(error)
            raise

    thread = threading.Thread(target=work, name="server", daemon=True)
    thread.start()
    until(lambda: server.started or failed)
    assert not failed, failed
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    database = folder / "understudy-data" / "understudy.db"
    return Running(app=app, server=server, url=url, database=database, thread=thread)


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Running]]:
    """Start servers: `serve(sink=…, window_s=…, more="[limits]…")`. Each has a folder and a database of its own."""
    started: list[Running] = []

    def start(*, environment: dict[str, str] | None = None, **options: Any) -> Running:
        folder = tmp_path_factory.mktemp("served")
        started.append(run_server(folder, write_folder(folder, **options), environment or {}))
        return started[-1]

    yield start
    for running in started:
        running.stop()


@pytest.fixture(scope="module")
def served(serve: Callable[..., Running]) -> Running:
    """One server for all tests of a module."""
    return serve()


@pytest.fixture
def only_pushed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody look by itself whether there is news: what a waiter hears was told to it."""
    monkeypatch.setattr(feed, "POLL_S", 3600.0)


@pytest.fixture(scope="session")
def key_in() -> Callable[..., str]:
    """Make a key in a folder's database without starting a process: `key_in(folder, Scope.TURNS_WRITE)`."""

    def make(folder: Path, *scopes: Scope, name: str = "Ines") -> str:
        store = open_store(load(folder / "understudy.toml", {}), folder)
        record, text = make_key(name, scopes or tuple(Scope), now=datetime.now(UTC))
        try:
            store.write_now(lambda tx: add_key(tx, record, actor="test"))
        finally:
            store.close_now()
        return text

    return make


@pytest.fixture(scope="session", name="until")
def until_fixture() -> Callable[..., Any]:
    return until


@pytest.fixture(scope="session", name="write_folder")
def write_folder_fixture() -> Callable[..., Path]:
    return write_folder


@pytest.fixture(scope="session", name="tables_of")
def tables_of_fixture() -> Callable[[Path], dict[str, list[tuple[Any, ...]]]]:
    return tables_of


@dataclass(frozen=True)
class Words:
    """What customers say in these tests, and the secret webhooks are signed with."""

    automatic: str = AUTOMATIC
    held: str = HELD
    secret: str = SECRET

    def record(self, record_id: str, *, text: str = "We pay the return postage.", **more: Any) -> Any:
        """A turn record with a draft that a person must look at."""
        return {
            "id": record_id,
            "messages": [{"role": "user", "content": self.held}],
            "draft": {"text": text, "sources": [{"id": "returns", "text": DOCUMENTS["returns.md"]}]},
            **more,
        }


@pytest.fixture(scope="session")
def words() -> Words:
    return Words()


@dataclass(frozen=True)
class Ended:
    """A command that ended. A traceback on stderr is never an answer."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The last line of standard output, as JSON."""
        return json.loads(self.out.strip().splitlines()[-1])


def environment(more: Mapping[str, str] = {}) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY")}
    return {**kept, "COLUMNS": "200", "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", **more}


@pytest.fixture(scope="session")
def understudy() -> Callable[..., Ended]:
    """Run a command as users do: `understudy("check", "file", cwd=folder)`."""

    def run(
        *words: str,
        cwd: Path,
        stdin: str = "",
        env: Mapping[str, str] = {},
        timeout_s: float = 180,
        afresh: bool = False,
    ) -> Ended:
        command = ["-m", "understudy", *words]
        ended = starting.run(command, cwd=cwd, env=environment(env), text=stdin, timeout=timeout_s, afresh=afresh)
        assert "Traceback" not in ended.stderr, ended.stderr
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return run


@pytest.fixture
def understudy_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Ended]]:
    """Run a command as `understudy` does, in this process: for the many ways to be refused, each a second quicker."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def run(*words: str, cwd: Path, env: Mapping[str, str] = {}) -> Ended:
        for name in [name for name in os.environ if name.startswith("UNDERSTUDY")]:
            monkeypatch.delenv(name)
        for name, value in {**env, "COLUMNS": "200", "NO_COLOR": "1"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["understudy", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, out, err)

    yield run
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@dataclass
class Process:
    """A server process of its own."""

    process: starting.Fork
    url: str

    def stop(self, how: signal.Signals = signal.SIGTERM) -> Ended:
        """Ask it to stop; returns how it ended."""
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=WITHIN_S)
        assert "Traceback" not in err, err
        return Ended(self.process.returncode, out, err)


@pytest.fixture
def start_server() -> Iterator[Callable[..., Process]]:
    """Start `understudy serve` in a folder, and wait until it says where it listens."""
    started: list[starting.Fork] = []

    def start(folder: Path, *more: str, env: Mapping[str, str] = {}, afresh: bool = False) -> Process:
        command = ["-m", "understudy", "serve", "--port", "0", "--json", *more]
        pipe = subprocess.PIPE
        process = starting.start(command, cwd=folder, env=environment(env), stdout=pipe, stderr=pipe, afresh=afresh)
        started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        return Process(process, json.loads(line)["url"])

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def load_beside(name: str) -> ModuleType:  # test files are no package
    full_name = f"understudy_tests_{name}"
    if full_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(full_name, Path(__file__).parents[1] / f"{name}.py")
        assert spec is not None and spec.loader is not None  # noqa: PT018
        sys.modules[full_name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full_name])
    return sys.modules[full_name]


build_house, house = load_beside("house").build_house, load_beside("house").house
