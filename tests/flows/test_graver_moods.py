"""Whoever is angry, in distress or complains gets a person where the agent has no answer, and no safe reply in their place."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE
from understudy.errors import AgentUnavailable
from understudy.records.assessment import DecisionKind
from understudy.records.conversation import Author
from understudy.records.evidence import Draft
from understudy.records.review import HoldKind
from understudy.testing.scripted import ScriptedAgent
from understudy.turn.replay import replay

pytestmark = ON_EACH_STORE
Build = Callable[..., Any]
ON = (("agent_failed", "sorry"), ("quality.does_not_know", "sorry"))


def knows_nothing(request: Any) -> Draft:
    return Draft(text="I do not know.", does_not_know=True, agent_version="v1")


def fails(request: Any) -> Draft:
    raise AgentUnavailable(agent="scripted", problem="it is down")


@pytest.mark.parametrize(("agent", "code"), [(knows_nothing, "quality.does_not_know"), (fails, "agent_failed")])
def test_who_is_angry_in_their_first_message_is_not_asked_to_say_it_in_other_words(
    build: Build, staging: ModuleType, agent: Any, code: str
) -> None:
    stage = build(rules=staging.rules(degrade_on=ON), agent=ScriptedAgent(agent))
    assert stage.ask("Is there a discount?", to="calm").decision is DecisionKind.DEGRADE
    turn = stage.ask("This is ridiculous, worst service ever! Where is the discount?", to="angry")
    assert (turn.decision, list(turn.reasons)) == (DecisionKind.HAND_OFF, [code, "escalation.anger"])
    assert [hold.kind for hold in stage.open_holds if hold.turn_id == turn.id] == [HoldKind.HAND_OFF]
    assert Author.SAFE_REPLY not in {entry.author for entry in stage.entries_of(turn)}


def test_why_no_safe_reply_was_sent_replays(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(degrade_on=ON), agent=ScriptedAgent(knows_nothing))
    turn = stage.ask("I want to make a formal complaint about this.")
    recorded, computed = stage.read(lambda tx: replay(tx, turn.id))
    assert recorded == computed
    assert [reason.code for reason in recorded.decision.reasons] == ["quality.does_not_know", "escalation.complaint"]
