"""A process dies at each write of a story in turn, just before or just after it reached the disk; another goes on.

Verified: every message that was acknowledged is answered exactly once or was taken by a person, replies keep the order
of the questions, no text reaches a customer twice, and the ledger is whole.
Not verified here: a power cut (tests run without fsync) and two processes at once; the benchmarks kill real ones.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any, TypeVar

import pytest

from understudy.errors import Conflict
from understudy.ports.agent import DraftRequest
from understudy.ports.store import Committed, Store, Transaction
from understudy.records.conversation import Author
from understudy.records.evidence import Draft
from understudy.records.outbox import Retry, Unknown
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.turn import TurnState
from understudy.review.holds import ReviewLimits
from understudy.testing.scripted import DeliversThen, RecordingChannel, ScriptedAgent

T = TypeVar("T")


class Died(BaseException):
    """The process is gone; nobody catches this."""


class MortalStore:
    """A store whose process dies at its n-th write, before or after the commit, and is of no use from then on."""

    def __init__(self, store: Store, *, at: int, is_after: bool) -> None:
        self._store, self._left, self._is_after = store, at, is_after
        self.is_dead = False

    def write(self, step: Callable[[Transaction], T]) -> Awaitable[T]:
        return self._write(step)

    async def _write(self, step: Callable[[Transaction], T]) -> T:
        self._breathe()
        self._left -= 1
        if self._left == 0 and not self._is_after:
            self.is_dead = True
            raise Died
        result = await self._store.write(step)
        if self._left == 0:
            self.is_dead = True
            raise Died
        return result

    def read(self, query: Callable[[Transaction], T]) -> Awaitable[T]:
        self._breathe()
        return self._store.read(query)

    def subscribe(self, listener: Callable[[Committed], None]) -> None:
        self._store.subscribe(lambda committed: None if self.is_dead else listener(committed))

    async def close(self) -> None:
        await self._store.close()

    def _breathe(self) -> None:
        if self.is_dead:
            raise Died


def agent(request: DraftRequest) -> Draft:
    asked = " + ".join(m.content for m in request.messages if m.role == "user" and m.content)
    return Draft(text=f"About: {asked}", handoff="person" in asked)


def channel(kind: str) -> RecordingChannel:
    """A channel that is busy once and once loses its answer to a message that arrived."""
    answers = [Retry(reason="busy"), DeliversThen(answer=Unknown(reason="reset"))]
    return RecordingChannel(answers=answers, honours_keys=kind == "keys", can_look_up=kind == "look up")


class Story:
    """Customers write, people decide. A customer's device and a person repeat what was not acknowledged."""

    def __init__(self, stage: Any) -> None:
        self.stage = stage
        self.acknowledged: dict[str, str] = {}
        self.unsent = [
            ("e-auto", "One", "orders"),
            ("e-held", "Two", "delicate"),
            ("e-person", "Three, a person please", "orders"),
            ("e-void", "Four", "delicate"),
            ("e-void", "Five", "delicate"),
            ("e-auto", "Six", "orders"),
        ]

    def play(self) -> None:
        self.customers_write()
        self.stage.pass_time(30)
        self.people_decide()
        self.stage.pass_time(1000)

    def customers_write(self) -> None:
        while self.unsent:
            to, text, topic = self.unsent[0]
            received = self.stage.receive(text, provider_id=f"p-{text}", to=to, topic=topic)
            self.acknowledged[received.message.id] = to
            self.unsent.pop(0)
            self.stage.settle()

    def people_decide(self) -> None:
        for hold in self.stage.open_holds:
            if hold.kind is not HoldKind.DRAFT:
                continue
            try:
                self.stage.give(hold, VerdictKind.EDIT, f"Better, for {hold.turn_id}.")
            except Conflict:
                continue  # The verdict was taken before the crash, or the customer wrote again.
            self.stage.settle()


def plan(staging: ModuleType, kind: str) -> dict[str, Any]:
    return {
        "agent": ScriptedAgent(agent),
        "channel": channel(kind),
        "rules": staging.rules(never_auto=("delicate",), hand_off_notice="notice"),
        "review": ReviewLimits(on_expiry="safe_reply"),
    }


def writes_of(build: Callable[..., Any], staging: ModuleType, kind: str) -> int:
    """How many writes the story takes where nobody dies."""
    count = [0]

    class Counting(MortalStore):
        async def _write(self, step: Callable[[Transaction], T]) -> T:
            count[0] += 1
            return await super()._write(step)

    stage = build(**plan(staging, kind), wrap=lambda store: Counting(store, at=10**9, is_after=False))
    story = Story(stage)
    story.play()
    writes = count[0]
    check(stage, story, kind)
    return writes


def check(stage: Any, story: Story, kind: str) -> None:
    stage.let_people_finish()
    turns = {turn.id: turn for turn in stage.turns}
    for to in set(story.acknowledged.values()):
        for message in stage.messages(to):
            if message.id in story.acknowledged:
                assert turns[message.turn_id].state is TurnState.ANSWERED, f"{message.text!r} was not answered"
    answered = [turn for turn in turns.values() if turn.state is TurnState.ANSWERED]
    for turn in answered:
        read = [entry for entry in stage.channel.delivered if entry.turn_id == turn.id]
        assert read, f"{turn.id} counts as answered and nothing was sent"
        assert sum(entry.author is not Author.SAFE_REPLY for entry in read) <= 1, f"{turn.id} was answered twice"
    for entry in stage.channel.delivered:
        assert stage.channel.times_delivered(entry.id) == 1, f"{entry.text!r} was sent twice ({kind})"
        assert turns[entry.turn_id].state is not TurnState.SUPERSEDED, f"{entry.text!r} is of a void draft"
    for to in ("e-auto", "e-void"):
        seqs = [entry.seq for entry in stage.channel.delivered if entry.external_id == to]
        assert seqs == sorted(seqs), "replies left in another order than they were queued"


@pytest.mark.parametrize("is_after", [False, True], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("kind", ["keys", "look up", "neither"])
def test_a_crash_between_any_two_steps_loses_nothing(
    build: Callable[..., Any], staging: ModuleType, kind: str, is_after: bool
) -> None:
    writes = writes_of(build, staging, kind)
    assert writes > 40, "the story became too short to mean anything"
    for number in range(1, writes + 1):
        stage = build(
            **plan(staging, kind),
            wrap=lambda store, number=number: MortalStore(store, at=number, is_after=is_after),
        )
        story = Story(stage)
        try:
            story.play()
        except Died:
            story.stage = stage.restarted(wrap=lambda store: store)
            story.play()
        try:
            check(story.stage, story, kind)
            assert staging.is_chained(story.stage.ledger)
        except AssertionError as problem:
            problem.add_note(f"the process died at write {number} of {writes}")
            raise
        stage.close()
