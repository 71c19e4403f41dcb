"""`understudy outbox` beside a running server: what the channel did not take is seen, sent again or dropped."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sinks import BROKEN, GONE, LATER, TAKEN, Sink, listening
from understudy.cli.main import main
from understudy.ports.store import Transaction
from understudy.records.conversation import Inbound
from understudy.records.ledger import LedgerEntry
from understudy.records.turn import TurnState


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    taking = Sink()
    with listening(taking):
        yield taking


UNKEYED = """
[channels.unkeyed]
kind = "webhook"
url = "{url}"
secrets = ["{secret}"]
honours_keys = false
"""


@pytest.fixture(scope="module")
def product(serve: Callable[..., Any], sink: Sink, words: Any) -> Any:
    return serve(more=UNKEYED.format(url=sink.url, secret=words.secret))


class Desk:
    """A server whose channel misbehaves as told, and the command line beside it."""

    def __init__(self, product: Any, sink: Sink, until: Any, capsys: pytest.CaptureFixture[str]) -> None:
        self.product, self.sink, self._until, self._capsys = product, sink, until, capsys
        self._numbers = itertools.count(1)
        self.folder: Path = product.database.parents[1]

    def __call__(self, *words: str, code: int = 0) -> str:
        """Run `understudy outbox …` in this process, to spare its start; returns what it says."""
        config = ["--config", str(self.folder / "understudy.toml")]
        self._capsys.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["understudy", "outbox", *words, *config])
            patch.setenv("COLUMNS", "300")
            with pytest.raises(SystemExit) as ended:
                main()
        said = self._capsys.readouterr()
        assert ended.value.code == code, said
        return said.out if code == 0 else said.err

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json").splitlines()[-1])

    def entries(self, state: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.json("list", "--state", state)["entries"]
        return entries

    def answered(self, status: int) -> Any:
        """A reviewer answers a customer and the channel says `status` to it; returns the outbox entry."""
        self.sink.status = TAKEN
        number = next(self._numbers)
        app = self.product.app
        inbound = Inbound(
            provider_id=f"m-{id(self)}-{number}", external_id=f"c-{id(self)}-{number}", address="+44", text="?"
        )
        received = self._run(app.intake.receive("unkeyed", inbound))
        conversation = received.message.conversation_id
        self._until(lambda: app.store.read_now(lambda tx: _is_told(tx, received.turn_id, conversation)))
        self.sink.status = status
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
        return asyncio.run(coroutine)


def _is_told(tx: Transaction, turn_id: str, conversation_id: str) -> bool:
    """Whether the customer was told that a person takes over, so that nothing else is to be sent."""
    return tx.turns.get(turn_id).state is TurnState.HANDED_OFF and tx.outbox.head(conversation_id) is None


@pytest.fixture
def outbox(product: Any, sink: Sink, until: Any, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(product, sink, until, capsys)


def test_a_dead_message_is_listed_with_what_the_channel_said(outbox: Desk) -> None:
    entry = outbox.answered(GONE)
    (listed,) = (one for one in outbox.entries("dead") if one["id"] == entry.id)
    assert (listed["channel"], listed["attempts"], listed["turn_id"]) == ("unkeyed", 1, entry.turn_id)
    assert "410" in listed["last_error"]
    assert listed["hold_id"] is not None
    assert listed["age_s"] >= 0


def test_the_list_for_people_shows_state_and_counts(outbox: Desk) -> None:
    entry = outbox.answered(GONE)
    shown = outbox("list")
    assert entry.id in shown
    assert "pending" in shown
    assert "dead" in shown


def test_no_list_shows_what_was_written(outbox: Desk) -> None:
    outbox.answered(GONE)
    assert "Tomorrow" not in outbox("list", "--json") + outbox("list")


def test_a_dead_message_is_sent_by_the_running_server(outbox: Desk, sink: Sink) -> None:
    entry = outbox.answered(GONE)
    sink.status = TAKEN
    assert outbox.json("retry", entry.id, "--by", "Ops") == {"retried": [entry.id], "skipped": []}
    outbox.in_state(entry.id, "sent")
    assert sink.keys.count(entry.id) == 2
    assert [one.actor for one in outbox.ledger("outbox.retried") if entry.id in one.body] == ["Ops"]


def test_all_dead_ones_are_sent_by_the_running_server(outbox: Desk, sink: Sink) -> None:
    dead = [outbox.answered(GONE) for _ in range(2)]
    sink.status = TAKEN
    assert {entry.id for entry in dead} <= set(outbox.json("retry", "--all-dead")["retried"])
    for entry in dead:
        outbox.in_state(entry.id, "sent")


def test_an_unknown_message_is_not_sent_again_unasked(outbox: Desk, sink: Sink) -> None:
    entry = outbox.answered(BROKEN)
    (listed,) = (one for one in outbox.entries("unknown") if one["id"] == entry.id)
    refused = outbox("retry", entry.id, code=3)
    assert listed["hold_id"] in refused
    assert "--it-did-not-arrive" in refused
    assert sink.keys.count(entry.id) == 1


def test_an_unknown_message_is_sent_where_somebody_knows_that_it_did_not_arrive(outbox: Desk, sink: Sink) -> None:
    entry = outbox.answered(BROKEN)
    sink.status = TAKEN
    outbox("retry", entry.id, "--it-did-not-arrive")
    outbox.in_state(entry.id, "sent")
    assert not [one for one in outbox.entries("unknown") if one["id"] == entry.id]


def test_a_dropped_message_is_not_sent(outbox: Desk, sink: Sink) -> None:
    entry = outbox.answered(LATER)
    sink.status = TAKEN
    assert outbox.json("drop", entry.id, "--reason", "said by telephone") == {"dropped": entry.id}
    (listed,) = (one for one in outbox.entries("dropped") if one["id"] == entry.id)
    assert "said by telephone" in listed["last_error"]
    assert [one.actor for one in outbox.ledger("outbox.dropped") if entry.id in one.body] == ["command line"]


@pytest.mark.parametrize(
    "wrong",
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
def test_what_cannot_be_done_is_said(outbox: Desk, wrong: list[str]) -> None:
    assert outbox(*wrong, code=3)


@pytest.mark.postgres
def test_the_command_works_on_postgresql(
    new_postgres: Callable[[], str], write_folder: Callable[..., Path], understudy: Callable[..., Any], tmp_path: Path
) -> None:
    write_folder(tmp_path)
    env = {"UNDERSTUDY__STORE__URL": new_postgres()}
    ended = understudy("outbox", "list", "--json", cwd=tmp_path, env=env)
    assert ended.json() == {"counts": {"pending": 0, "sending": 0, "unknown": 0, "dead": 0}, "entries": []}
