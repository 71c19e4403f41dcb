"""What a customer was promised is told to the agent and looked at by the checks, over all that they are proven to be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from understudy.adapters.stores.session import Session
from understudy.contacts.erasing import Erasing
from understudy.effects.identity import verify
from understudy.effects.pledging import add_pledge, end_pledge
from understudy.records.assessment import DecisionKind
from understudy.records.codec import dump, load
from understudy.records.conversation import Inbound
from understudy.records.evidence import Draft, Evidence
from understudy.records.identity import HandleKind, Vouched
from understudy.records.pledges import PledgeKind, PledgeState, PledgeTerms
from understudy.records.rulebook import Level
from understudy.testing.scripted import RecordingChannel, ScriptedAgent
from understudy.turn.replay import replay

Build = Callable[..., Any]
CALL = "we will call you tomorrow"
DAY = 86_400.0


def says(text: str) -> ScriptedAgent:
    return ScriptedAgent(Draft(text=text, agent="echo", agent_version="v1"), name="echo")


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    """Every draft leaves by itself, unless something speaks against it."""
    return build(agent=says("Thank you for writing."), rules=staging.rules(Level.AUTO))


def owe(stage: Any, conversation: Any, words: str = CALL, *, in_s: float = DAY) -> Any:
    due_at = stage.clock.now() + timedelta(seconds=in_s)
    return stage.store.write_now(
        lambda tx: add_pledge(
            tx, stage.clock, conversation.id, words, kind=PledgeKind.CALL, terms=PledgeTerms(), due_at=due_at, by="rosa"
        )
    )


def evidence(stage: Any, turn: Any) -> Evidence:
    return stage.read(lambda tx: load(Evidence, tx.artifacts.get(turn.id, "evidence")))


def told(stage: Any) -> list[str]:
    return [one.words for one in stage.plan.agent.requests[-1].owed]


def test_the_agent_is_told_what_is_owed_and_the_evidence_says_so(stage: Any) -> None:
    stage.ask("It is broken.")
    assert told(stage) == []
    owe(stage, stage.conversation())
    turn = stage.ask("And now?")
    assert told(stage) == [CALL]
    assert [one.words for one in evidence(stage, turn).owed] == [CALL]
    assert turn.decision is DecisionKind.DELIVER


def test_what_was_kept_is_told_no_more(stage: Any) -> None:
    stage.ask("It is broken.")
    pledge = owe(stage, stage.conversation())
    stage.ask("And now?")
    stage.store.write_now(lambda tx: end_pledge(tx, stage.clock, pledge, PledgeState.KEPT, by="rosa"))
    turn = stage.ask("Thanks!")
    assert told(stage) == []
    assert evidence(stage, turn).owed == ()


def test_nobody_is_told_what_others_are_owed(stage: Any) -> None:
    stage.ask("It is broken.", to="one")
    stage.ask("Hello.", to="other")
    owe(stage, stage.conversation("one"))
    stage.ask("And now?", to="other")
    assert told(stage) == []


def test_a_draft_that_takes_it_back_is_held_whatever_the_confidence(build: Build, staging: ModuleType) -> None:
    stage = build(agent=says("I am afraid we cannot call you back."), rules=staging.rules(Level.AUTO))
    assert stage.ask("It is broken.").decision is DecisionKind.DELIVER
    owe(stage, stage.conversation())
    turn = stage.ask("When do you call?")
    assert (turn.decision, turn.reasons[0]) == (DecisionKind.HOLD, "quality.pledge_contradicted")


def test_a_decision_over_what_is_owed_replays_after_it_was_kept(build: Build, staging: ModuleType) -> None:
    stage = build(agent=says("I am afraid we cannot call you back."), rules=staging.rules(Level.AUTO))
    stage.ask("It is broken.")
    pledge = owe(stage, stage.conversation())
    turn = stage.ask("When do you call?")
    stage.store.write_now(lambda tx: end_pledge(tx, stage.clock, pledge, PledgeState.KEPT, by="rosa"))
    recorded, computed = stage.read(lambda tx: replay(tx, turn.id))
    assert dump(recorded) == dump(computed)


def mailed(stage: Any, text: str, address: str = "kim@mail.example") -> Any:
    inbound = Inbound(
        provider_id=stage.clock.new_id("p"), external_id=f"t-{address}", address=address, text=text, topic="orders"
    )
    received = stage.run(stage.intake.receive("mail", inbound))
    stage.settle()
    return stage.read(lambda tx: tx.conversations.get(received.message.conversation_id))


def test_what_was_promised_on_another_channel_is_told_where_who_writes_is_proven(
    build: Build, staging: ModuleType
) -> None:
    stage = build(
        agent=says("Thank you for writing."),
        rules=staging.rules(Level.AUTO),
        channel=RecordingChannel(name="webchat"),
        more_channels=[RecordingChannel(name="mail")],
        proofs={"webchat": "none", "mail": "address"},
    )
    owe(stage, mailed(stage, "hello"))
    stage.ask("Hello", to="visit", contact_email="kim@mail.example")
    assert told(stage) == [], "that she is Kim is only what the visitor says"
    visit = stage.conversation("visit")
    stage.store.write_now(
        lambda tx: verify(tx, stage.clock, visit, HandleKind.EMAIL, "kim@mail.example", Vouched.CODE, by="system")
    )
    turn = stage.ask("Hello again", to="visit")
    assert told(stage) == [CALL]
    assert [one.words for one in evidence(stage, turn).owed] == [CALL]


def test_what_was_promised_to_who_is_erased_stands_in_no_evidence_of_others(build: Build, staging: ModuleType) -> None:
    stage = build(
        agent=says("Thank you for writing."),
        rules=staging.rules(Level.AUTO),
        channel=RecordingChannel(name="webchat"),
        more_channels=[RecordingChannel(name="mail")],
        proofs={"webchat": "none", "mail": "address"},
    )
    known = mailed(stage, "hello")
    owe(stage, known, "call the unforgettable Kim")
    stage.ask("Hello", to="visit")
    visit = stage.conversation("visit")
    stage.store.write_now(
        lambda tx: verify(tx, stage.clock, visit, HandleKind.EMAIL, "kim@mail.example", Vouched.CODE, by="system")
    )
    turn = stage.ask("Hello again", to="visit")
    assert "unforgettable" in stage.read(lambda tx: tx.artifacts.get(turn.id, "evidence"))
    stage.run(Erasing(stage.store, stage.clock).erase(known.contact_id, with_linked=False, by="lena"))
    assert stage.read(lambda tx: tx.artifacts.get(turn.id, "evidence")) is None
    stage.ask("And again", to="visit")
    assert told(stage) == []


def test_who_is_not_proven_is_told_only_what_was_said_here(build: Build, staging: ModuleType) -> None:
    stage = build(agent=says("Thank you for writing."), rules=staging.rules(Level.AUTO), proof="none")
    stage.ask("Hello.")
    owe(stage, stage.conversation())
    stage.ask("Hello again.")
    assert told(stage) == [CALL], "it was promised in this conversation, which whoever writes can read"


def test_where_nothing_is_owed_a_turn_asks_nothing_more(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    fetched = Session._fetched

    def watched(self: Session, statement: Any, values: Any) -> Any:
        read.append(statement.on(self.dialect).sql)
        return fetched(self, statement, values)

    stage.ask("Hello.")
    monkeypatch.setattr(Session, "_fetched", watched)
    stage.ask("Hello again.", to="e-2")
    assert read
    assert [sql for sql in read if "pledges" in sql] == []
