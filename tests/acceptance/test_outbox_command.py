"""`understudy outbox` beside a running server: what the channel did not take is seen, sent again or dropped."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from understudy.records.ledger import LedgerEntry

GONE, BROKEN, TAKEN, LATER = 410, 500, 200, 429


class Sink:
    """The business's own system, which answers each reply with the status it is told."""

    def __init__(self) -> None:
        self.status = TAKEN
        self.taken: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.url = ""
        self._one_at_a_time = threading.Lock()

    def take(self, request: Request) -> Response:
        with self._one_at_a_time:
            self.keys.append(request.headers["webhook-id"])
            if self.status == TAKEN:
                self.taken.append(json.loads(request.get_data())["data"])
            return Response("{}", self.status, content_type="application/json")


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    taking = Sink()
    with HTTPServer() as http:
        http.expect_request("/replies", method="POST").respond_with_handler(taking.take)
        taking.url = http.url_for("/replies")
        yield taking


@pytest.fixture(scope="module")
def product(serve: Callable[..., Any], sink: Sink) -> Any:
    return serve(sink=sink.url)


class Desk:
    """A server whose channel misbehaves as told, and the command line beside it."""

    def __init__(self, product: Any, sink: Sink, understudy: Callable[..., Any], until: Any) -> None:
        self.product, self.sink, self._until = product, sink, until
        self._understudy = understudy
        self._numbers = itertools.count(1)
        self.folder: Path = product.database.parents[1]

    def __call__(self, *words: str, code: int = 0) -> Any:
        """Run `understudy outbox …` to the end."""
        ended = self._understudy("outbox", *words, cwd=self.folder)
        assert ended.code == code, ended
        return ended

    def entries(self, *words: str) -> list[dict[str, Any]]:
        return self("list", "--json", *words).json()["entries"]

    def answered(self, status: int) -> Any:
        """A reviewer answers a customer and the channel says `status` to it; returns the outbox entry."""
        from understudy.records.conversation import Inbound

        self.sink.status = status
        number = next(self._numbers)
        app = self.product.app
        inbound = Inbound(
            provider_id=f"m-{id(self)}-{number}", external_id=f"c-{id(self)}-{number}", address="+44", text="?"
        )
        received = self._run(app.intake.receive("desk", inbound))
        conversation = received.message.conversation_id
        self._run(app.conversations.take_over(conversation, reviewer="Ines"))
        said = self._run(app.conversations.say(conversation, "Tomorrow.", reviewer="Ines"))
        wanted = {GONE: "dead", BROKEN: "unknown", TAKEN: "sent", LATER: "pending"}[status]
        return self.in_state(said.id, wanted)

    def in_state(self, outbox_id: str, state: str) -> Any:
        """Wait until an entry is in a state and has been tried."""

        def found() -> Any:
            entry = self.product.app.store.read_now(lambda tx: tx.outbox.get(outbox_id))
            return entry if entry.state.value == state and entry.attempts else None

        return self._until(found)

    def ledger(self, event: str) -> list[LedgerEntry]:
        entries = self.product.app.store.read_now(lambda tx: tx.ledger.entries(limit=100_000))
        return [entry for entry in entries if entry.event == event]

    def _run(self, coroutine: Any) -> Any:
        import asyncio

        return asyncio.run(coroutine)


@pytest.fixture
def outbox(product: Any, sink: Sink, understudy: Callable[..., Any], until: Any) -> Desk:
    return Desk(product, sink, understudy, until)


def test_a_dead_message_is_listed_with_what_the_channel_said(outbox: Desk) -> None:
    entry = outbox.answered(GONE)
    (listed,) = (one for one in outbox.entries("--state", "dead") if one["id"] == entry.id)
    assert (listed["channel"], listed["attempts"], listed["turn_id"]) == ("desk", 1, entry.turn_id)
    assert "410" in listed["last_error"]
    assert listed["hold_id"] is not None
    assert listed["age_s"] >= 0


def test_the_list_for_people_shows_state_and_counts(outbox: Desk) -> None:
    entry = outbox.answered(GONE)
    shown = outbox("list").out
    assert entry.id in shown
    assert "pending" in shown
    assert "dead" in shown


def test_no_list_shows_what_was_written(outbox: Desk) -> None:
    outbox.answered(GONE)
    assert "Tomorrow" not in outbox("list", "--json").out + outbox("list").out


def test_a_dead_message_is_sent_by_the_running_server(outbox: Desk, sink: Sink) -> None:
    entry = outbox.answered(GONE)
    sink.status = TAKEN
    assert outbox("retry", entry.id, "--by", "Ops", "--json").json() == {"retried": [entry.id], "skipped": []}
    outbox.in_state(entry.id, "sent")
    assert sink.keys.count(entry.id) == 2
    assert [one.actor for one in outbox.ledger("outbox.retried") if entry.id in one.body] == ["Ops"]


def test_all_dead_ones_are_sent_by_the_running_server(outbox: Desk, sink: Sink) -> None:
    dead = [outbox.answered(GONE) for _ in range(2)]
    sink.status = TAKEN
    assert {entry.id for entry in dead} <= set(outbox("retry", "--all-dead", "--json").json()["retried"])
    for entry in dead:
        outbox.in_state(entry.id, "sent")


def test_an_unknown_message_is_not_sent_again_unasked(outbox: Desk, sink: Sink) -> None:
    entry = outbox.answered(BROKEN)
    (listed,) = (one for one in outbox.entries("--state", "unknown") if one["id"] == entry.id)
    refused = outbox("retry", entry.id, code=3)
    assert listed["hold_id"] in refused.err
    assert "--it-did-not-arrive" in refused.err
    assert sink.keys.count(entry.id) == 1


def test_an_unknown_message_is_sent_where_somebody_knows_that_it_did_not_arrive(outbox: Desk, sink: Sink) -> None:
    entry = outbox.answered(BROKEN)
    sink.status = TAKEN
    outbox("retry", entry.id, "--it-did-not-arrive")
    outbox.in_state(entry.id, "sent")
    assert not [one for one in outbox.entries("--state", "unknown") if one["id"] == entry.id]


def test_a_dropped_message_is_not_sent(outbox: Desk, sink: Sink) -> None:
    entry = outbox.answered(LATER)
    sink.status = TAKEN
    assert outbox("drop", entry.id, "--reason", "said by telephone", "--json").json() == {"dropped": entry.id}
    (listed,) = (one for one in outbox.entries("--state", "dropped") if one["id"] == entry.id)
    assert "said by telephone" in listed["last_error"]
    assert [one.actor for one in outbox.ledger("outbox.dropped") if entry.id in one.body] == ["command line"]


@pytest.mark.parametrize(
    "words",
    [
        ["retry"],
        ["retry", "out-1", "--all-dead"],
        ["retry", "--all-dead", "--it-did-not-arrive"],
        ["retry", "nowhere"],
        ["drop", "nowhere", "--reason", "x"],
        ["drop", "nowhere"],
        ["list", "--state", "lost"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_said(outbox: Desk, words: list[str]) -> None:
    assert outbox(*words, code=3).err


@pytest.mark.postgres
def test_the_command_works_on_postgresql(
    new_postgres: Callable[[], str], write_folder: Callable[..., Path], understudy: Callable[..., Any], tmp_path: Path
) -> None:
    write_folder(tmp_path)
    env = {"UNDERSTUDY__STORE__URL": new_postgres()}
    ended = understudy("outbox", "list", "--json", cwd=tmp_path, env=env)
    assert ended.json() == {"counts": {"pending": 0, "sending": 0, "unknown": 0, "dead": 0}, "entries": []}
    assert understudy("outbox", "retry", "--all-dead", cwd=tmp_path, env=env).code == 0
