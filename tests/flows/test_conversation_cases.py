"""A conversation of the store is read as it was: its turns in order, whatever became of drafts on the way."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from understudy.errors import MalformedInput, NotFound
from understudy.evaluation.conversation_cases import conversation_case_of
from understudy.evaluation.history import stored_conversation
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.rulebook import Level, Profile
from understudy.records.suite import Case
from understudy.records.turn import TurnState
from understudy.testing.scripted import ScriptedAgent

Build = Callable[..., Any]


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    """Every draft waits for a person."""
    return build(agent=ScriptedAgent("Which order is it?", name="echo"), rules=staging.rules(Level.ASSIST))


def decide(
    stage: Any, turn: Any, verdict: VerdictKind, text: str | None = None, kind: HoldKind = HoldKind.DRAFT
) -> None:
    (hold,) = [one for one in stage.open_holds if one.turn_id == turn.id and one.kind is kind]
    stage.give(hold, verdict, text=text)
    stage.settle()


def case_of(stage: Any, name: str) -> Case:
    past = stage.read(lambda tx: stored_conversation(tx, name))
    return conversation_case_of(past, Profile())


def said(case: Case) -> list[str | None]:
    assert case.customer is not None
    return [state.say for state in case.customer.script.values()]


def test_conversation_is_read_up_to_the_turn_that_is_named(stage: Any) -> None:
    turns = []
    for text in ("Where is it?", "A-1", "And when?"):
        turns.append(stage.ask(text))
        decide(stage, turns[-1], VerdictKind.APPROVE)
    assert said(case_of(stage, turns[1].id)) == ["Where is it?", "{answer2}", None]
    whole = case_of(stage, turns[-1].id)
    assert said(whole) == ["Where is it?", "{answer2}", "And when?", None]
    assert case_of(stage, turns[0].conversation_id) == whole


def test_what_people_wrote_in_the_place_of_a_rejected_draft_is_what_the_customer_got(stage: Any) -> None:
    first = stage.ask("How much?")
    decide(stage, first, VerdictKind.REJECT)
    decide(stage, first, VerdictKind.RESPOND, "It is 30 EUR.", HoldKind.HAND_OFF)
    stage.run(stage.conversations.hand_back(first.conversation_id, reviewer="rosa"))
    second = stage.ask("Thank you")
    decide(stage, second, VerdictKind.APPROVE)
    case = case_of(stage, second.id)
    assert said(case) == ["How much?", "Thank you", None]
    assert case.customer is not None
    assert case.customer.facts == {}
    assert [dict(one.terms) for one in case.graders if one.kind == "facts"] == [{"must": ["30 EUR"]}]


def test_draft_that_a_newer_message_made_void_parts_nothing(stage: Any) -> None:
    void = stage.ask("Where is")
    turn = stage.ask("my order?")
    assert stage.turn(void.id).state is TurnState.SUPERSEDED
    decide(stage, turn, VerdictKind.REJECT)
    assert said(case_of(stage, turn.id)) == ["Where is\nmy order?", None]


def test_what_was_not_decided_yet_is_no_case(stage: Any) -> None:
    received = stage.receive("Where is it?")
    with pytest.raises(MalformedInput, match="was not decided yet"):
        case_of(stage, received.turn_id)
    with pytest.raises(MalformedInput, match="no turn of conversation"):
        case_of(stage, stage.turn(received.turn_id).conversation_id)
    with pytest.raises(NotFound, match="there is no turn and no conversation 'x'"):
        case_of(stage, "x")
