"""Customers, agents, people, channels, clocks and crashes in any order, looked at after every step.

Verified after each step: every acknowledged message belongs to exactly one turn that is not void; nothing was sent
without a decision, a verdict, an approved reply or a person; no text of a void draft reached a customer; what was
delivered left in the order it was queued; nothing arrived twice; the ledger is whole. At the end everybody is served.
Not verified: two processes at once, other databases, lost disks.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from understudy.errors import AgentAnsweredNonsense, AgentUnavailable, Conflict, InputError, TakenByOther
from understudy.records.assessment import DecisionKind
from understudy.records.codec import load
from understudy.records.conversation import Author, Mode
from understudy.records.evidence import Draft
from understudy.records.outbox import Accepted, Rejected, Retry, Unknown
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.rulebook import Level
from understudy.records.turn import TurnState
from understudy.review.holds import ReviewLimits
from understudy.testing.scripted import DeliversThen, RecordingChannel, ScriptedAgent
from understudy.turn.coalescing import CoalescingLimits

CUSTOMERS = st.sampled_from(["ada", "bob"])
REVIEWERS = st.sampled_from(["rosa", "emil"])
TEXTS = st.sampled_from(["hi", "Where is it?", "and my", "Where is it?", "Can I talk to a human, please?"])
FAILURES = st.sampled_from([AgentUnavailable("down"), AgentAnsweredNonsense("odd"), RuntimeError("bug")])
SENDS = st.sampled_from(
    [
        Accepted(),
        Retry(reason="busy"),
        Retry(reason="busy", after_s=90),
        Rejected(reason="blocked"),
        Unknown(reason="reset"),
        DeliversThen(answer=Unknown(reason="reset")),
        DeliversThen(answer=OSError("broken pipe")),
    ]
)


class World(RuleBasedStateMachine):
    """One house, two customers, two reviewers."""

    staging: ModuleType
    migrated: Path
    folder: Path
    numbers: Iterator[int]

    def __init__(self) -> None:
        super().__init__()
        self.stage: Any = None
        self.sent: dict[str, tuple[str, str]] = {}
        self.drafts = 0
        self.next_answer: Any = None
        self.holds: list[Any] = []
        """Holds as somebody saw them at some moment, which may be over."""
        self.seen = 0
        self.last_hash: str | None = None

    @initialize(
        level=st.sampled_from([Level.AUTO, Level.AUTO, Level.ASSIST]),
        channel=st.sampled_from(["keys", "look up", "neither"]),
        on_expiry=st.sampled_from(["raise", "safe_reply"]),
        quota=st.sampled_from([1, 200]),
    )
    def open_the_house(self, level: Level, channel: str, on_expiry: Any, quota: int) -> None:
        path = shutil.copy(self.migrated, self.folder / f"world-{next(self.numbers)}.db")
        rules = self.staging.rules(
            level,
            automatic_per_hour_max=quota,
            hand_off_notice="notice",
            degrade_on=(("agent_failed", "sorry"), ("quality.does_not_know", "follow_up")),
        )
        plan = self.staging.Plan(
            path=path,
            agent=ScriptedAgent(self.answer),
            channel=RecordingChannel(honours_keys=channel == "keys", can_look_up=channel == "look up"),
            rules=rules,
            review=ReviewLimits(on_expiry=on_expiry),
            coalescing=CoalescingLimits(window_s_min=1, window_s_max=4, burst_s_max=8),
        )
        self.stage = self.staging.Stage(plan)

    def answer(self, _request: Any) -> Any:
        """Every draft has a text of its own, so that it can be told where it went."""
        self.drafts += 1
        answer, self.next_answer = self.next_answer, None
        if isinstance(answer, Exception):
            return answer
        return Draft(text=f"This is draft number {self.drafts}.", **(answer or {}))

    def teardown(self) -> None:
        if self.stage is None:
            return
        self.next_answer = None
        self.stage.channel.answers.clear()
        self.stage.let_people_finish()
        self.look_around()
        for turn in self.stage.turns:
            if turn.state is TurnState.HANDED_OFF:
                assert self._conversation(turn).mode is Mode.PERSON or self._was_handled(turn), turn
            else:
                assert turn.state in (TurnState.ANSWERED, TurnState.SUPERSEDED), turn
        self.stage.close()

    def _conversation(self, turn: Any) -> Any:
        return self.stage.read(lambda tx: tx.conversations.get(turn.conversation_id))

    def _was_handled(self, turn: Any) -> bool:
        """Whether a person closed a hand-off of this conversation, or took it over, after the turn was handed off."""
        later = ("hold.decided", "conversation.mode", "verdict.given")
        return any(
            entry.event in later and entry.conversation_id == turn.conversation_id and entry.at >= turn.finished_at
            for entry in self.stage.ledger
        )

    # Customers -----------------------------------------------------------------------------------------------

    @rule(customer=CUSTOMERS, text=TEXTS, then=st.sampled_from(["go on", "serve", "serve", "wait"]))
    def customer_writes(self, customer: str, text: str, then: str) -> None:
        provider_id = f"p-{len(self.sent)}"
        received = self.stage.receive(text, to=customer, provider_id=provider_id)
        self.sent[provider_id] = (customer, received.message.id)
        if then != "go on":
            self.stage.pass_time(5 if then == "serve" else 90)

    @rule(customer=CUSTOMERS, seconds=st.sampled_from([0, 5, 70]))
    def customer_asks_and_waits(self, customer: str, seconds: float) -> None:
        self.customer_writes(customer, "Where is it?", "serve")
        self.stage.pass_time(seconds)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def channel_repeats_a_message(self, data: Any) -> None:
        provider_id = data.draw(st.sampled_from(sorted(self.sent)))
        customer, message_id = self.sent[provider_id]
        received = self.stage.receive("again", to=customer, provider_id=provider_id)
        assert received.is_duplicate
        assert received.message.id == message_id

    # Agents and channels -------------------------------------------------------------------------------------

    @rule(answer=st.one_of(FAILURES, st.sampled_from([{"handoff": True}, {"does_not_know": True}])))
    def agent_will_misbehave(self, answer: Any) -> None:
        self.next_answer = answer

    @rule(answers=st.lists(SENDS, min_size=1, max_size=3))
    def channel_will_answer(self, answers: list[Any]) -> None:
        self.stage.channel.answers.extend(answers)

    # The machine room ----------------------------------------------------------------------------------------

    @rule(count=st.integers(1, 6))
    def work(self, count: int) -> None:
        for _ in range(count):
            if (job := self.stage._next_due()) is not None:
                self.stage.look(job)

    @rule(seconds=st.sampled_from([0.5, 2, 5, 70, 1000, 4000]))
    def time_passes(self, seconds: float) -> None:
        self.stage.pass_time(seconds)

    @rule(what=st.sampled_from(["nothing", "the newest hint comes first", "every hint is lost", "a restart"]))
    def something_goes_wrong(self, what: str) -> None:
        match what:
            case "the newest hint comes first":
                self.stage.hints.reverse()
            case "every hint is lost":
                self.stage.hints.clear()
            case "a restart":
                self.stage = self.stage.restarted()

    # People --------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.holds)
    @rule(
        data=st.data(),
        verdict=st.sampled_from([VerdictKind.APPROVE, *VerdictKind]),
        reviewer=REVIEWERS,
        is_current=st.booleans(),
        then_works=st.booleans(),
    )
    def somebody_decides(
        self, data: Any, verdict: VerdictKind, reviewer: str, is_current: bool, then_works: bool
    ) -> None:
        hold = self._some_hold(data)
        if hold.kind is HoldKind.UNSURE_SEND:
            verdict = self.stage._sensible(hold) if self._is_open(hold) else VerdictKind.REJECT
        version = self._stored(hold).version if is_current else hold.version
        before = (self.stage.ledger, len(self.stage.channel.attempts))
        try:
            self.stage.give(hold, verdict, reviewer=reviewer, version=version)
        except (Conflict, InputError):
            assert (self.stage.ledger, len(self.stage.channel.attempts)) == before
        if then_works:
            self.stage.settle()

    def _some_hold(self, data: Any) -> Any:
        """One that is open, or one that somebody still has on the screen."""
        return data.draw(st.sampled_from([*self.stage.open_holds, *self.holds[-6:]]))

    def _stored(self, hold: Any) -> Any:
        return self.stage.read(lambda tx: tx.holds.get(hold.id))

    def _is_open(self, hold: Any) -> bool:
        return any(hold.id == one.id for one in self.stage.open_holds)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), reviewer=REVIEWERS, releases=st.booleans())
    def somebody_claims(self, data: Any, reviewer: str, releases: bool) -> None:
        hold = self._some_hold(data)
        try:
            self.stage.run(self.stage.holds.claim(hold.id, reviewer=reviewer))
            if releases:
                self.stage.run(self.stage.holds.release(hold.id, reviewer=reviewer))
        except Conflict:
            pass  # Somebody else has it, or it is over.

    @precondition(lambda self: self.sent)
    @rule(
        data=st.data(),
        reviewer=REVIEWERS,
        what=st.sampled_from(["take over", "say", "hand back"]),
        is_by_name=st.booleans(),
    )
    def somebody_steps_in(self, data: Any, reviewer: str, what: str, is_by_name: bool) -> None:
        customer = data.draw(st.sampled_from(sorted({customer for customer, _ in self.sent.values()})))
        conversation = self.stage.conversation(customer)
        first = conversation.taken_by if is_by_name else None
        actions = self.stage.conversations
        try:
            if what == "take over":
                self.stage.run(actions.take_over(conversation.id, reviewer=reviewer, take_from=first))
            elif what == "say" and conversation.mode is Mode.PERSON:
                self.stage.run(actions.say(conversation.id, f"{reviewer} here.", reviewer=reviewer))
            elif what == "hand back" and not self._waits(conversation):
                self.stage.run(actions.hand_back(conversation.id, reviewer=reviewer, take_from=first))
        except TakenByOther:
            assert self.stage.conversation(customer) == conversation

    def _waits(self, conversation: Any) -> bool:
        return any(hold.conversation_id == conversation.id for hold in self.stage.open_holds)

    # What must hold ------------------------------------------------------------------------------------------

    @invariant()
    def look_around(self) -> None:
        if self.stage is None:
            return
        self.holds += [hold for hold in self.stage.open_holds if hold not in self.holds]
        turns = {turn.id: turn for turn in self.stage.turns}
        self.every_message_has_one_turn(turns)
        self.everything_sent_was_allowed(turns)
        self.nothing_was_sent_twice_or_out_of_order()
        self.the_ledger_goes_on()

    def every_message_has_one_turn(self, turns: dict[str, Any]) -> None:
        stored: dict[str, Any] = {}
        for customer in {customer for customer, _ in self.sent.values()}:
            stored |= {message.id: message for message in self.stage.messages(customer)}
        for customer, message_id in self.sent.values():
            assert message_id in stored, f"a message of {customer} is gone"
            turn = turns[stored[message_id].turn_id]
            assert turn.state is not TurnState.SUPERSEDED, f"a message of {customer} hangs on a void turn"

    def everything_sent_was_allowed(self, turns: dict[str, Any]) -> None:
        approved = {reply.text for reply in self.stage.rulebook.rules.safe_replies}
        for entry in self.stage.channel.delivered:
            if entry.author is Author.AGENT:
                turn = turns[entry.turn_id]
                assert turn.state is not TurnState.SUPERSEDED, f"{entry.text!r} is of a void turn"
                assert turn.decision is DecisionKind.DELIVER or self._approved(turn, entry.text), entry
            elif entry.author is Author.SAFE_REPLY:
                assert entry.text in approved, entry
            else:
                assert entry.author is Author.REVIEWER, entry

    def _approved(self, turn: Any, text: str) -> bool:
        verdicts = self.stage.read(lambda tx: tx.verdicts.of_turn(turn.id))
        stored = self.stage.read(lambda tx: tx.artifacts.get(turn.id, "draft"))
        allowed = {verdict.text for verdict in verdicts if verdict.kind is VerdictKind.EDIT}
        if stored is not None and any(verdict.kind is VerdictKind.APPROVE for verdict in verdicts):
            allowed.add(load(Draft, stored).text)
        return text in allowed

    def nothing_was_sent_twice_or_out_of_order(self) -> None:
        seqs: dict[str, list[int]] = {}
        for entry in self.stage.channel.delivered:
            seqs.setdefault(entry.conversation_id, []).append(entry.seq)
        for queued in seqs.values():
            assert queued == sorted(set(queued)), "something left twice, or before what was queued earlier"

    def the_ledger_goes_on(self) -> None:
        new = self.stage.read(lambda tx: tx.ledger.entries(after=self.seen, limit=100_000))
        assert self.staging.is_chained(new, after=self.seen, previous=self.last_hash)
        if new:
            self.seen, self.last_hash = new[-1].seq, new[-1].hash


def test_the_world_in_any_order_keeps_every_promise(
    staging: ModuleType, migrated: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    World.staging, World.migrated, World.folder = staging, migrated, tmp_path
    World.numbers = iter(range(1_000_000))
    scale = settings.default.max_examples if settings.default is not None else 50
    run_state_machine_as_test(World, settings=settings(max_examples=max(20, scale), stateful_step_count=40))
