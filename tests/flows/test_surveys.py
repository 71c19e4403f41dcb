"""Customers are asked how it was by rule, once it is quiet; their answer is linked to the turn and starts none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE, rules
from understudy.records.feedback import FeedbackKind
from understudy.records.opt_out import OptOutTerms, OptOutWords
from understudy.records.outbox import Rejected
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.rulebook import Level
from understudy.records.survey import Question, Scale, SurveyState, SurveyTerms
from understudy.records.trust import CapCause
from understudy.review.surveys import Surveys
from understudy.testing.scripted import RecordingChannel
from understudy.turn.asides import Asides

pytestmark = ON_EACH_STORE

Build = Callable[..., Any]

QUESTION = "How did we do, 1 to 5?"
HERE = frozenset({"recording"})
HOUR_S = 3600.0
STOP = OptOutTerms(
    channels=HERE,
    confirmed=HERE,
    words={"en": OptOutWords(stop=("stop",), start=("start",), stopped="No more.", started="Again.")},
)


def terms(**more: Any) -> SurveyTerms:
    questions = {"en": Question(text=QUESTION, version=2), "de": Question(text="Wie war es, 1 bis 5?")}
    return SurveyTerms(**{"scale": Scale.SCORE, "channels": HERE, "questions": questions, "language": "en", **more})


def opened(build: Build, own: SurveyTerms | None = None, **plan: Any) -> tuple[Any, Callable[[], int]]:
    own = own or terms()
    stage = build(asides=Asides(survey=own, opt_out=STOP), **plan)
    surveys = Surveys(stage.store, stage.clock, terms=own)

    def sweep() -> int:
        asked = stage.run(surveys.sweep())
        stage.settle()
        return asked

    return stage, sweep


def asked_once(build: Build, own: SurveyTerms | None = None, **plan: Any) -> tuple[Any, Any, Callable[[], int]]:
    """A stage on which a customer was answered and then asked."""
    stage, sweep = opened(build, own, **plan)
    turn = stage.ask("When do you open?")
    stage.pass_time(2 * HOUR_S)
    assert sweep() == 1
    return stage, turn, sweep


def survey_of(stage: Any, turn: Any) -> Any:
    return stage.read(lambda tx: tx.surveys.of_turn(turn.id))


def test_customer_is_asked_once_the_conversation_is_quiet(build: Build) -> None:
    stage, sweep = opened(build)
    stage.ask("When do you open?")
    stage.pass_time(HOUR_S)
    assert sweep() == 0
    stage.pass_time(HOUR_S)
    assert sweep() == 1
    assert stage.channel.texts[-1] == QUESTION
    assert sweep() == 0


def test_question_is_in_the_customers_language(build: Build) -> None:
    stage, sweep = opened(build)
    stage.ask("Ich möchte wissen, wann mein Paket kommt und ob das noch heute ist.")
    stage.pass_time(2 * HOUR_S)
    sweep()
    assert stage.channel.texts[-1] == "Wie war es, 1 bis 5?"


def test_nobody_is_asked_while_a_person_has_to_answer(build: Build) -> None:
    stage, sweep = opened(build, rules=rules(Level.ASSIST))
    stage.ask("When do you open?")
    stage.pass_time(2 * HOUR_S)
    assert sweep() == 0


def test_nobody_is_asked_twice_in_the_time_between(build: Build) -> None:
    stage, _, sweep = asked_once(build)
    stage.receive("5")
    stage.settle()
    for _ in range(2):
        stage.ask("And on Sundays?", to="e-2", address="at-e-1")
        stage.pass_time(3 * HOUR_S)
        assert sweep() == 0
    stage.clock.advance(31 * 24 * HOUR_S)
    stage.ask("And at Easter?", to="e-2", address="at-e-1")
    stage.pass_time(3 * HOUR_S)
    assert sweep() == 1


def test_who_wants_no_messages_is_not_asked(build: Build) -> None:
    stage, sweep = opened(build)
    stage.ask("When do you open?")
    stage.receive("STOP")
    stage.settle()
    stage.pass_time(2 * HOUR_S)
    assert sweep() == 0


def test_lot_that_fell_on_others_is_not_drawn_again(build: Build) -> None:
    stage, sweep = opened(build, terms(share=1e-12))
    turn = stage.ask("When do you open?")
    stage.pass_time(2 * HOUR_S)
    assert (sweep(), sweep()) == (0, 0)
    assert survey_of(stage, turn).state is SurveyState.UNDRAWN


def test_old_conversations_are_not_asked_about_when_asking_begins(build: Build) -> None:
    stage, sweep = opened(build)
    stage.ask("When do you open?")
    stage.pass_time(72 * HOUR_S)
    assert sweep() == 0


@pytest.mark.parametrize(
    ("text", "score"), [("5", 5), ("2", 2), ("4/5", 4), ("\U0001f44d", 5), ("\u2b50\u2b50\u2b50", 3)]
)
def test_answer_is_kept_with_the_turn_it_is_about(build: Build, text: str, score: int) -> None:
    stage, turn, _ = asked_once(build)
    received = stage.receive(text)
    stage.settle()
    kept = survey_of(stage, turn)
    assert (kept.state, kept.score, received.turn_id) == (SurveyState.ANSWERED, score, turn.id)


def test_answer_starts_no_turn(build: Build) -> None:
    stage, turn, _ = asked_once(build)
    stage.receive("5")
    stage.settle()
    assert [one.id for one in stage.turns] == [turn.id]
    assert stage.channel.texts[-1] == QUESTION


@pytest.mark.parametrize("text", ["5 boxes please", "I ordered 5", "5?", "55", "6", "5 and where is my parcel?", "0"])
def test_message_that_is_more_than_an_answer_is_answered(build: Build, text: str) -> None:
    stage, turn, _ = asked_once(build)
    stage.ask(text)
    assert len(stage.turns) == 2
    assert survey_of(stage, turn).state is SurveyState.PASSED


def test_number_that_comes_after_another_message_is_no_answer(build: Build) -> None:
    stage, turn, _ = asked_once(build)
    stage.ask("How many fit in a box?")
    stage.ask("5")
    assert len(stage.turns) == 3
    assert survey_of(stage, turn).score is None


def test_number_that_comes_too_late_is_no_answer(build: Build) -> None:
    stage, turn, sweep = asked_once(build)
    stage.pass_time(73 * HOUR_S)
    sweep()
    stage.ask("5")
    assert survey_of(stage, turn).state is SurveyState.PASSED
    assert len(stage.turns) == 2


def test_number_before_any_question_is_answered(build: Build) -> None:
    stage, _ = opened(build)
    stage.ask("5")
    assert len(stage.turns) == 1


def test_number_is_no_answer_where_the_question_never_arrived(build: Build) -> None:
    stage, sweep = opened(build, channel=RecordingChannel())
    turn = stage.ask("When do you open?")
    stage.channel.answers.append(Rejected(reason="blocked"))
    stage.pass_time(2 * HOUR_S)
    assert sweep() == 1
    stage.ask("5")
    assert survey_of(stage, turn).score is None
    assert stage.open_holds == []


def test_bad_score_is_a_bad_outcome(build: Build) -> None:
    stage, turn, _ = asked_once(build)
    stage.receive("1")
    stage.settle()
    said = stage.read(lambda tx: tx.feedback.of_turn(turn.id))
    assert [one.kind for one in said] == [FeedbackKind.THUMBS_DOWN]
    cap = stage.read(lambda tx: tx.caps.of_contact(stage.conversation().contact_id))
    assert cap.cause is CapCause.THUMBS_DOWN
    assert [hold.kind for hold in stage.open_holds] == [HoldKind.AUDIT]


def test_three_says_neither(build: Build) -> None:
    stage, turn, _ = asked_once(build)
    stage.receive("3")
    stage.settle()
    assert stage.read(lambda tx: tx.feedback.of_turn(turn.id)) == []


def test_thumbs_are_asked_where_configured_and_a_number_is_none(build: Build) -> None:
    stage, turn, _ = asked_once(build, terms(scale=Scale.THUMBS))
    stage.ask("5")
    assert len(stage.turns) == 2
    assert survey_of(stage, turn).score is None


def test_answers_are_counted_apart_by_who_answered(build: Build) -> None:
    stage, sweep = opened(build, rules=rules(Level.ASSIST))
    stage.ask("When do you open?")
    stage.give(stage.open_holds[0], VerdictKind.APPROVE)
    stage.settle()
    stage.pass_time(2 * HOUR_S)
    assert sweep() == 1
    stage.receive("4")
    stage.settle()
    now = stage.clock.now()
    (counted,) = stage.read(lambda tx: tx.surveys.counted(now - timedelta(days=1), now + timedelta(days=1), None))
    assert (counted.alone, counted.score, counted.surveys) == (False, 4, 1)


def test_redelivered_answer_changes_nothing(build: Build) -> None:
    stage, turn, _ = asked_once(build)
    stage.receive("5", provider_id="p-answer")
    again = stage.receive("5", provider_id="p-answer")
    stage.settle()
    assert (again.is_duplicate, len(stage.turns)) == (True, 1)
    assert survey_of(stage, turn).score == 5
