"""`understudy migrate-store`: everything arrives in the other database, or nothing does; and work goes on there."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from understudy.app import build
from understudy.databases import copy_store, open_store
from understudy.errors import ConfigurationError, StoreError
from understudy.records.access import Scope
from understudy.records.conversation import Inbound
from understudy.records.outbox import OutboxState
from understudy.records.review import HoldKind, HoldState
from understudy.records.turn import TurnState
from understudy.settings.load import load
from understudy.web.keys import add_key, make_key

pytestmark = pytest.mark.postgres


def quietly(_what: str, _done: int, _rows: int) -> None:
    """Hear of the progress and say nothing."""


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def change(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(statement)
        connection.commit()


@pytest.fixture
def filled(demo_once: Any, tmp_path: Path) -> Path:
    """A copy of the database that the demo filled."""
    assert demo_once.code == 0, demo_once.err
    return Path(shutil.copy(demo_once.folder / "demo.db", tmp_path / "filled.db"))


def test_everything_comes_back_as_it_was(
    filled: Path,
    tmp_path: Path,
    new_postgres: Callable[[], str],
    understudy: Callable[..., Any],
    tables_of: Callable[[Path], Any],
) -> None:
    """There and back again, by the command; the copy is compared with the source value by value."""
    postgres, back = new_postgres(), tmp_path / "back.db"
    change(filled, "INSERT INTO agent_calls VALUES ('call-1', 'shop', 1767225600000000, 1767225601000000)")
    there = understudy("migrate-store", "--from", "sqlite:///filled.db", "--to", postgres, "--json", cwd=tmp_path)
    assert there.code == 0, there
    assert understudy("migrate-store", "--from", postgres, "--to", "sqlite:///back.db", cwd=tmp_path).code == 0
    before = tables_of(filled)
    assert tables_of(back) == before
    assert there.json()["tables"] == {name: len(before[name]) for name in there.json()["tables"]}
    assert there.json()["rows"] > 1_000
    last = max(before["ledger"])
    assert there.json()["ledger"] == {"entries": last[0], "head": last[-1]}


def test_the_source_stays_as_it_was(
    filled: Path, new_postgres: Callable[[], str], tables_of: Callable[[Path], Any]
) -> None:
    before = tables_of(filled)
    copy_store(sqlite_url(filled), new_postgres(), told=quietly)
    assert tables_of(filled) == before


def test_progress_is_told_to_its_end_twice(filled: Path, new_postgres: Callable[[], str]) -> None:
    heard: list[tuple[str, int, int]] = []
    copied = copy_store(sqlite_url(filled), new_postgres(), told=lambda *news: heard.append(news))
    rows = sum(copied.rows.values())
    assert {(what, done) for what, done, of in heard if done == of} == {("copying", rows), ("comparing", rows)}


def test_no_number_is_given_twice(filled: Path, tmp_path: Path, new_postgres: Callable[[], str]) -> None:
    """The last rows were deleted before the move, as erasing may; their numbers must not come again."""
    change(filled, "UPDATE sqlite_sequence SET seq = seq + 1000 WHERE name = 'outbox'")
    postgres, back = new_postgres(), tmp_path / "back.db"
    copy_store(sqlite_url(filled), postgres, told=quietly)
    copy_store(postgres, sqlite_url(back), told=quietly)
    with closing(sqlite3.connect(filled)) as connection:
        last = dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))
    for url in (postgres, sqlite_url(back)):
        assert next_numbers(url) == {"outbox": last["outbox"] + 1, "turns": last["turns"] + 1}


def next_numbers(url: str) -> dict[str, int]:
    """The numbers that the next turn and outbox entry get."""
    from dataclasses import replace

    store = open_store(load(None, {"UNDERSTUDY__STORE__URL": url}), Path())

    def step(tx: Any) -> dict[str, int]:
        turn = tx.turns.listed(after=0, limit=1)[0]
        entry = tx.outbox.listed([OutboxState.SENT], limit=1)[0]
        tx.ledger.append("test.numbers", at=turn.created_at)
        return {
            "outbox": tx.outbox.add(replace(entry, id="another")).seq,
            "turns": tx.turns.add(replace(turn, id="another")).position,
        }

    try:
        return store.write_now(step)
    finally:
        store.close_now()


# --- all or nothing ---


def test_a_copy_that_was_killed_leaves_an_empty_database(filled: Path, new_postgres: Callable[[], str]) -> None:
    postgres = new_postgres()
    killed = (
        "import os, signal, sys\n"
        "from understudy.databases import copy_store\n"
        "def told(what, done, rows):\n"
        "    if what == 'comparing' and done > 0:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "copy_store(sys.argv[1], sys.argv[2], told=told)\n"
    )
    ended = subprocess.run([sys.executable, "-c", killed, sqlite_url(filled), postgres], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    copied = copy_store(sqlite_url(filled), postgres, told=quietly)  # which a row left behind would refuse
    assert sum(copied.rows.values()) > 1_000


@pytest.mark.parametrize("to_postgres", [True, False])
def test_a_copy_that_broke_off_leaves_an_empty_database(
    filled: Path, tmp_path: Path, new_postgres: Callable[[], str], to_postgres: bool
) -> None:
    target = new_postgres() if to_postgres else sqlite_url(tmp_path / "new" / "store.db")

    def break_off(what: str, done: int, _rows: int) -> None:
        if what == "comparing" and done > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_store(sqlite_url(filled), target, told=break_off)
    copy_store(sqlite_url(filled), target, told=quietly)


def test_a_value_that_the_target_does_not_take_stops_it_all(filled: Path, new_postgres: Callable[[], str]) -> None:
    postgres = new_postgres()
    change(filled, f"UPDATE verdicts SET reviewer = '{'x' * 201}'")
    with pytest.raises(StoreError, match="nothing was copied"):
        copy_store(sqlite_url(filled), postgres, told=quietly)
    change(filled, "UPDATE verdicts SET reviewer = 'Ines'")
    copy_store(sqlite_url(filled), postgres, told=quietly)


def test_a_value_that_would_change_on_the_way_stops_it_all(filled: Path, new_postgres: Callable[[], str]) -> None:
    """SQLite keeps bytes in a column of text; PostgreSQL writes them out in hex."""
    change(filled, "UPDATE verdicts SET reviewer = CAST(reviewer AS BLOB)")
    with pytest.raises(StoreError, match="table verdicts"):
        copy_store(sqlite_url(filled), new_postgres(), told=quietly)


def test_a_broken_ledger_is_not_carried_over(filled: Path, new_postgres: Callable[[], str]) -> None:
    change(filled, "UPDATE ledger SET actor = 'nobody' WHERE seq = 7")
    with pytest.raises(StoreError, match=r"entry 7 .* was changed"):
        copy_store(sqlite_url(filled), new_postgres(), told=quietly)


def test_a_target_that_holds_something_is_refused(
    filled: Path, tmp_path: Path, new_postgres: Callable[[], str]
) -> None:
    postgres = new_postgres()
    copy_store(sqlite_url(filled), postgres, told=quietly)
    other = Path(shutil.copy(filled, tmp_path / "other.db"))
    for target in (postgres, sqlite_url(other)):
        with pytest.raises(ConfigurationError, match="not empty"):
            copy_store(sqlite_url(filled), target, told=quietly)


def test_a_source_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"
    with pytest.raises(ConfigurationError, match=r"missing\.db"):
        copy_store(sqlite_url(missing), sqlite_url(tmp_path / "new.db"), told=quietly)
    assert not missing.exists()


def test_a_database_is_not_copied_onto_itself(filled: Path) -> None:
    with pytest.raises(ConfigurationError, match="same database"):
        copy_store(sqlite_url(filled), sqlite_url(filled.parent / "." / filled.name), told=quietly)


def test_a_source_of_another_version_says_how_to_bring_it_here(filled: Path, tmp_path: Path) -> None:
    change(filled, "UPDATE alembic_version SET version_num = 'older'")
    with pytest.raises(ConfigurationError, match="understudy migrate --to head"):
        copy_store(sqlite_url(filled), sqlite_url(tmp_path / "new.db"), told=quietly)


# --- in the middle of the day ---


class Sink:
    """The business's own system: away at first."""

    def __init__(self) -> None:
        self.is_away = True
        self.replies: list[str] = []
        self._one_at_a_time = threading.Lock()

    def take(self, request: Request) -> Response:
        with self._one_at_a_time:
            if self.is_away:
                return Response("{}", 503, headers={"Retry-After": "2"})
            self.replies.append(json.loads(request.get_data())["data"]["conversation_id"])
            return Response("{}", content_type="application/json")


@pytest.fixture
def sink() -> Iterator[tuple[Sink, str]]:
    away = Sink()
    with HTTPServer() as http:
        http.expect_request("/replies", method="POST").respond_with_handler(away.take)
        yield away, http.url_for("/replies")


def ask(app: Any, conversation: str, text: str) -> str:
    inbound = Inbound(provider_id=f"m-{conversation}", external_id=conversation, address="+44", text=text)
    return str(asyncio.run(app.intake.receive("desk", inbound)).turn_id)


def leave_in_the_middle(folder: Path, words: Any, until: Any) -> tuple[str, dict[str, str]]:
    """Bring a shop to the middle of its day, and let its server vanish; returns a key, and the turns by what they await.

    One waits for a reviewer, one for the channel, one was just acknowledged, of one the agent is being asked.
    """
    settings = load(folder / "understudy.toml", {})
    app = build(settings, folder)
    key, text = make_key("Ines", tuple(Scope), now=datetime.now(UTC))
    app.store.write_now(lambda tx: add_key(tx, key, actor="test"))

    def state_of(turn_id: str) -> Any:
        return app.store.read_now(lambda tx: tx.turns.get(turn_id)).state

    async def work() -> dict[str, str]:
        await app.start()
        turns = {}
        for name, said in (("a-reviewer", words.held), ("the-channel", words.automatic)):
            inbound = Inbound(provider_id=f"m-{name}", external_id=name, address="+44", text=said)
            turns[name] = (await app.intake.receive("desk", inbound)).turn_id
        wanted = {"a-reviewer": TurnState.HELD, "the-channel": TurnState.DELIVERING}
        reached = lambda: all(state_of(turns[name]) is state for name, state in wanted.items())  # noqa: E731
        await asyncio.to_thread(until, reached)
        await app.sweeps.stop()
        await app.dispatcher.stop(grace_s=5)
        for channel in app.channels.values():
            await channel.close()  # a vanished process leaves no connection open
        return turns

    turns = asyncio.run(asyncio.wait_for(work(), 120))
    for name in ("a-draft", "its-turn"):
        turns[name] = ask(app, name, words.held)
    assert state_of(turns["its-turn"]) is TurnState.COLLECTING
    app.store.close_now()
    app.sole_process.release()
    lease_ends = int((datetime.now(UTC) + timedelta(seconds=8)).timestamp() * 1_000_000)
    change(
        folder / "understudy-data" / "understudy.db",
        f"UPDATE turns SET state = 'drafting', due_at = {lease_ends} WHERE id = '{turns['a-draft']}'",
    )
    return text, turns


def test_work_goes_on_in_the_other_database(
    tmp_path: Path,
    write_folder: Callable[..., Path],
    new_postgres: Callable[[], str],
    understudy: Callable[..., Any],
    start_server: Callable[..., Any],
    sink: tuple[Sink, str],
    words: Any,
    until: Any,
) -> None:
    away, url = sink
    write_folder(tmp_path, sink=url, more="[drafting]\ndeadline_s = 2\n")
    key, turns = leave_in_the_middle(tmp_path, words, until)
    postgres = new_postgres()
    source = "sqlite:///understudy-data/understudy.db"
    assert understudy("migrate-store", "--from", source, "--to", postgres, cwd=tmp_path).code == 0
    shutil.rmtree(tmp_path / "understudy-data")
    away.is_away = False

    env = {"UNDERSTUDY__STORE__URL": postgres}
    server = start_server(tmp_path, env=env)
    refused = understudy("migrate-store", "--from", postgres, "--to", "sqlite:///back.db", cwd=tmp_path)
    assert (refused.code, "a server works on the source" in refused.err) == (3, True), refused

    with httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=20) as api:
        held = {turns[name] for name in ("a-reviewer", "a-draft", "its-turn")}
        until(lambda: {hold["turn_id"] for hold in open_holds(api)} == held)
        for hold in open_holds(api):
            assert hold["kind"] == HoldKind.DRAFT.value
            headers = {"If-Match": f'"{hold["version"]}"'}
            answer = api.post(f"/v1/holds/{hold['id']}/verdict", json={"action": "approve"}, headers=headers)
            assert answer.status_code == 200, answer.text
        until(lambda: all(api.get(f"/v1/turns/{turn}").json()["state"] == "answered" for turn in turns.values()))
    assert sorted(away.replies) == sorted(turns)
    server.stop()
    verified = understudy("audit", "verify", "--json", cwd=tmp_path, env=env)
    assert verified.json()["intact"] is True
    assert verified.json()["entries"] > 0


def open_holds(api: httpx2.Client) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api.get("/v1/holds").json()["items"]
    return [hold for hold in items if hold["state"] == HoldState.OPEN.value]


def test_a_source_that_a_server_works_on_is_refused(
    serve: Callable[..., Any], understudy: Callable[..., Any], tmp_path: Path
) -> None:
    running = serve()
    source = sqlite_url(running.database)
    refused = understudy("migrate-store", "--from", source, "--to", "sqlite:///new.db", cwd=tmp_path)
    assert refused.code == 3
    assert "another server works on" in refused.err
    assert not (tmp_path / "new.db").exists()
