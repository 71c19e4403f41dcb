"""A story with customers and people, played again and again while another call to the database breaks each time.

It is played on the stage of the tests, with the product's flows, a frozen clock and a real database, so the n-th call is
the same call in every run. Nobody dies: the process lives on, as it does after an I/O error. Verified are the answers that
customers got, the ledger, and that nothing half-done is left.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from crash_harness.broken_calls import BrokenCalls
from crash_harness.remains import faults_of_file, remains
from understudy.errors import UnderstudyError
from understudy.records.conversation import Author
from understudy.records.evidence import Draft
from understudy.records.outbox import Retry, Unknown
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.turn import TurnState
from understudy.testing.scripted import DeliversThen, RecordingChannel, ScriptedAgent

STAGE = Path(__file__).resolve().parents[2] / "tests" / "stage.py"
TRIES_MAX = 5
LETTERS = (
    ("ann", "One", "orders"),
    ("ben", "Two", "delicate"),
    ("ann", "Three", "orders"),
    ("cem", "Four", "delicate"),
    ("cem", "Five", "delicate"),
    ("dot", "Six", "orders"),
    ("ann", "Seven", "orders"),
    ("eve", "Eight", "delicate"),
    ("ben", "Nine", "orders"),
    ("dot", "Ten", "orders"),
    ("fay", "Eleven", "orders"),
    ("eve", "Twelve", "delicate"),
    ("gus", "Thirteen", "orders"),
    ("hal", "Fourteen", "delicate"),
    ("ivy", "Fifteen", "orders"),
    ("gus", "Sixteen", "orders"),
    ("jan", "Seventeen", "delicate"),
    ("ivy", "Eighteen", "orders"),
    ("hal", "Nineteen", "orders"),
    ("kim", "Twenty", "orders"),
)


def staging() -> ModuleType:
    """The tests' stage; test files are no package, so it is loaded by its path."""
    name = "understudy_tests_stage"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, STAGE)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


class Story:
    """One run. `honours_keys` False: the channel can neither repeat nor be asked, so people are."""

    def __init__(self, build: Callable[..., Any], calls: BrokenCalls, *, honours_keys: bool, **plan: Any) -> None:
        self.calls = calls
        self.acknowledged: dict[str, str] = {}
        self.errors: list[UnderstudyError] = []
        answers: list[Any] = [Retry(reason="busy"), DeliversThen(answer=Unknown(reason="reset"))]
        stage = staging()

        def wrap(store: Any) -> Any:
            calls.get_into(store.engine)
            return store

        self.stage = build(
            agent=ScriptedAgent(_answer),
            channel=RecordingChannel(answers=answers, honours_keys=honours_keys),
            rules=stage.rules(never_auto=("delicate",)),
            wrap=wrap,
            **plan,
        )
        if honours_keys:  # one kind of process has room and takes the next step along, the other leaves it
            self.stage.take_along()

    def play(self) -> list[str]:
        """Play to the end; returns what is wrong then."""
        for to, text, topic in LETTERS:
            self._write(to, text, topic)
            self._bear(self.stage.settle)
        self._bear(lambda: self.stage.pass_time(30))
        for _ in range(TRIES_MAX):
            self._bear(self._people_decide)
            self._bear(lambda: self.stage.pass_time(100))
        self.stage.let_people_finish()
        return self._faults()

    def _write(self, to: str, text: str, topic: str) -> None:
        """Write as a channel does: the same message again until it is acknowledged."""
        for _ in range(TRIES_MAX):
            received = self._bear(lambda: self.stage.receive(text, provider_id=f"p-{text}", to=to, topic=topic))
            if received is not None:
                self.acknowledged[received.message.id] = to
                return
        raise AssertionError(f"{text!r} was refused {TRIES_MAX} times")

    def _people_decide(self) -> None:
        for hold in self.stage.open_holds:
            if hold.kind is HoldKind.DRAFT:
                self.stage.give(hold, VerdictKind.EDIT, f"Better, for {hold.turn_id}.")
                self.stage.settle()

    def _bear(self, do: Callable[[], Any]) -> Any:
        """Do something; an error that the product anticipates is borne, any other is a fault of the product's."""
        try:
            return do()
        except UnderstudyError as error:
            self.errors.append(error)
            return None

    def _faults(self) -> list[str]:
        stage = self.stage
        found = remains(stage.kept.engine) + faults_of_file(stage.kept.engine)
        turns = {turn.id: turn for turn in stage.turns}
        for to in {to for to, _, _ in LETTERS}:
            for message in stage.messages(to):
                is_answered = (
                    message.author is not Author.CUSTOMER or turns[message.turn_id].state is TurnState.ANSWERED
                )
                if not is_answered:
                    found.append(f"{message.text!r} was acknowledged and not answered")
        known = {message.id for to in {to for to, _, _ in LETTERS} for message in stage.messages(to)}
        found.extend(f"{one} was acknowledged and is not stored" for one in self.acknowledged if one not in known)
        for entry in stage.channel.delivered:
            if (times := stage.channel.times_delivered(entry.id)) != 1:
                found.append(f"{entry.text!r} was sent {times} times")
        for to in {to for to, _, _ in LETTERS}:
            seqs = [entry.seq for entry in stage.channel.delivered if entry.external_id == to]
            if seqs != sorted(seqs):
                found.append(f"replies to {to} left in another order than they were queued")
        if not staging().is_chained(stage.ledger):
            found.append("the ledger is broken")
        return found


def _answer(request: Any) -> Draft:
    asked = " + ".join(message.content for message in request.messages if message.role == "user" and message.content)
    return Draft(text=f"About: {asked}")
