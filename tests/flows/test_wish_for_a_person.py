"""Who asks for a person gets one: at once, in any language that is heard, whatever else goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stage_plan import NEVER_WAIT, rules
from understudy.errors import AgentError
from understudy.records.assessment import WANTS_PERSON, DecisionKind
from understudy.records.conversation import Mode
from understudy.records.review import HoldKind
from understudy.records.rulebook import Level
from understudy.records.turn import TurnState
from understudy.settings.model import Settings
from understudy.settings.rules import rulebook_of
from understudy.testing.scripted import ScriptedAgent
from understudy.turn.coalescing import CoalescingLimits

Build = Callable[..., Any]

WISHES = {
    "en": "Can I talk to a human, please?",
    "de": "Kann ich bitte mit einem Menschen sprechen?",
    "fr": "Puis-je parler \u00e0 un conseiller ?",
    "es": "Quiero hablar con una persona",
    "it": "Vorrei parlare con un operatore",
    "nl": "Ik wil met een medewerker spreken",
    "pt": "Quero falar com um atendente",
}
A_MOMENT = CoalescingLimits(window_s_min=2, window_s_max=2, burst_s_max=10)


def assert_given_to_a_person(stage: Any, turn: Any) -> None:
    assert turn.state is TurnState.HANDED_OFF
    assert WANTS_PERSON in turn.reasons
    assert stage.conversation().mode is Mode.PERSON
    assert [hold.kind for hold in stage.open_holds] == [HoldKind.HAND_OFF]


@pytest.mark.parametrize("wish", WISHES.values(), ids=WISHES.keys())
def test_first_message_that_asks_for_a_person_gets_one(build: Build, wish: str) -> None:
    stage = build()
    assert_given_to_a_person(stage, stage.ask(wish))
    assert stage.channel.delivered == []


@pytest.mark.parametrize("wish", WISHES.values(), ids=WISHES.keys())
def test_wish_is_heard_while_a_draft_waits_on_hold(build: Build, wish: str) -> None:
    stage = build(rules=rules(Level.ASSIST))
    stage.ask("When do you open?")
    assert_given_to_a_person(stage, stage.ask(wish))


def test_wish_in_the_middle_of_a_burst_is_heard(build: Build) -> None:
    stage = build(coalescing=A_MOMENT)
    stage.receive("Hello")
    stage.receive("can i talk to a humna")
    received = stage.receive("my order is 4711")
    stage.pass_time(10)
    assert_given_to_a_person(stage, stage.turn(received.turn_id))


def test_wish_is_heard_where_the_agent_gives_no_draft(build: Build) -> None:
    def fails(_request: Any) -> Any:
        raise AgentError("it is gone")

    stage = build(agent=ScriptedAgent(fails, name="echo"), coalescing=NEVER_WAIT)
    turn = stage.ask(WISHES["de"])
    stage.pass_time(600)
    assert_given_to_a_person(stage, stage.turn(turn.id))


def test_wish_after_automatic_answers_ends_them_for_good(build: Build) -> None:
    stage = build()
    stage.ask("When do you open?")
    stage.ask(WISHES["fr"])
    turn = stage.ask("Hello? When do you open?")
    assert turn.decision is DecisionKind.HAND_OFF
    assert len(stage.channel.delivered) == 1


def test_configuration_cannot_mute_the_wish() -> None:
    settings = Settings.model_validate({"routing": {"hand_off_codes": ["escalation.threat"]}})
    assert WANTS_PERSON in rulebook_of(settings).rules.hand_off_codes
