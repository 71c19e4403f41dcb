"""What a turn is about is learned from what reviewers tag; unsure means unknown, and unknown is never automatic."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from types import ModuleType
from typing import Any

import pytest

from understudy.errors import InputError
from understudy.learning.topic_training import Tag, TopicTrial, named, train
from understudy.learning.topics import TopicLearning
from understudy.ports.telemetry import TopicModelAdopted
from understudy.records.assessment import DecisionKind
from understudy.records.autonomy import RefitTerms
from understudy.records.codec import load
from understudy.records.evidence import Draft, Evidence
from understudy.records.review import VerdictKind
from understudy.records.rulebook import UNKNOWN_TOPIC, Level, TopicRule
from understudy.records.topics import TopicModel, TopicTerms
from understudy.testing.scripted import ScriptedAgent
from understudy.turn.replay import replay

Build = Callable[..., Any]
QUICK = TopicTerms(tags_min=60, topic_tags_min=5, wrong_max=0.1, unknown_share=0.0)
SAYINGS = {
    "delivery": "when does parcel number {} arrive, it is late",
    "refunds": "please give me my money back for invoice {}",
    "password": "i forgot my login password for account {}",
}


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    made = build(
        rules=staging.rules(Level.ASSIST),
        agent=ScriptedAgent(lambda _: Draft(text="It comes on Monday.", agent="echo", agent_version="v1")),
    )
    cadence = RefitTerms(new_verdicts=30)
    made.topics = TopicLearning(made.store, made.clock, made, cadence=cadence, terms=QUICK)
    return made


def ask(stage: Any, text: str, **fields: Any) -> Any:
    return stage.ask(text, to=stage.clock.new_id("e"), **{"topic": None, **fields})


@cache
def trained() -> TopicModel:
    names = sorted(SAYINGS)
    tags = [Tag(position=n, text=SAYINGS[names[n % 3]].format(n), topic=names[n % 3]) for n in range(90)]
    model = train(tags, QUICK)
    assert model is not None
    return named(model)


def install(stage: Any) -> TopicModel:
    """Put a model in force that was learned elsewhere."""
    model = trained()

    def step(tx: Any) -> None:
        tx.topics.add(model, now=stage.clock.now())
        tx.ledger.append("server.started", at=stage.clock.now())

    stage.store.write_now(step)
    return model


def evidence(stage: Any, turn: Any) -> Evidence:
    return load(Evidence, stage.read(lambda tx: tx.artifacts.get(turn.id, "evidence")))


def teach(stage: Any, count: int, *, tag: bool = True, **fields: Any) -> None:
    names = sorted(SAYINGS)
    for number in range(count):
        topic = names[number % len(names)]
        turn = ask(stage, SAYINGS[topic].format(number), **fields)
        (hold,) = [hold for hold in stage.open_holds if hold.turn_id == turn.id]
        stage.give(hold, VerdictKind.APPROVE, topic=topic if tag else None)
        stage.settle()


def learn(stage: Any) -> TopicTrial | None:
    return stage.run(stage.topics.learn())


def test_without_a_model_nobody_knows_the_topic(stage: Any) -> None:
    turn = ask(stage, SAYINGS["delivery"].format(1))
    assert (turn.topic, evidence(stage, turn).topic_by) == (UNKNOWN_TOPIC, None)
    assert learn(stage) is None


def test_a_model_learned_from_tags_names_the_topic_and_stands_in_the_evidence(stage: Any) -> None:
    teach(stage, 75)
    trial = learn(stage)
    assert trial is not None
    assert trial.is_better
    (event,) = stage.emitted(TopicModelAdopted)
    assert (event.model, event.replaces, event.topics) == (trial.model.id, None, 3)
    turn = ask(stage, "My parcel is late, when does it arrive?")
    seen = evidence(stage, turn)
    assert (turn.topic, seen.topic_by) == ("delivery", "model")
    assert seen.topic_guess is not None
    assert (seen.topic_guess.topic, seen.topic_guess.model) == ("delivery", trial.model.id)
    assert seen.topic_guess.certainty >= seen.topic_guess.threshold


def test_what_it_is_not_sure_of_is_unknown_and_never_automatic(build: Build, staging: ModuleType) -> None:
    stage = build(rules=staging.rules(Level.ASSIST))
    install(stage)
    stage = stage.restarted(rules=staging.rules(Level.AUTO))
    turn = ask(stage, "qwertz uiop")
    guess = evidence(stage, turn).topic_guess
    assert turn.topic == UNKNOWN_TOPIC
    assert guess is not None
    assert not guess.is_sure
    assert turn.decision is DecisionKind.HOLD
    assert "unknown_topic" in turn.reasons


def test_a_decision_replays_without_the_model(stage: Any) -> None:
    install(stage)
    turn = ask(stage, "My parcel is late, when does it arrive?")
    recorded, now = stage.read(lambda tx: replay(tx, turn.id))
    assert recorded == now


def test_channel_rules_and_agent_come_before_the_model(build: Build, staging: ModuleType) -> None:
    rules = staging.rules(Level.ASSIST, topics=(TopicRule(topic="invoices", phrases=("invoice",)),))
    stage = build(rules=rules)
    install(stage)
    given = ask(stage, SAYINGS["delivery"].format(1), topic="given")
    ruled = ask(stage, SAYINGS["refunds"].format(1))
    guessed = ask(stage, SAYINGS["password"].format(1))
    named = [(turn.topic, evidence(stage, turn).topic_by) for turn in (given, ruled, guessed)]
    assert named == [("given", "channel"), ("invoices", "rules"), ("password", "model")]
    assert [evidence(stage, turn).topic_guess is None for turn in (given, ruled, guessed)] == [True, True, False]


def test_topics_that_the_channel_gave_teach_too_and_those_of_a_model_do_not(stage: Any) -> None:
    for number in range(75):
        topic = sorted(SAYINGS)[number % 3]
        ask(stage, SAYINGS[topic].format(number), topic=topic)
    trial = learn(stage)
    assert trial is not None
    assert trial.model.tags == 53
    assert evidence(stage, ask(stage, SAYINGS["delivery"].format(7))).topic_by == "model"
    assert len(stage.run(stage.topics._tags())) == 75


def test_a_reviewers_tag_counts_before_the_channels(stage: Any) -> None:
    turn = ask(stage, "Which is it?", topic="delivery")
    (hold,) = stage.open_holds
    stage.give(hold, VerdictKind.APPROVE, topic=" refunds ")
    (tag,) = stage.run(stage.topics._tags())
    assert tag.topic == "refunds"
    assert stage.turn(turn.id).topic == "delivery", "a tag teaches; it changes nothing of its turn"
    (entry,) = [entry for entry in stage.ledger if entry.event == "verdict.given"]
    assert json.loads(entry.body)["topic"] == "refunds"


@pytest.mark.parametrize("topic", ["", "  ", "x" * 201])
def test_a_tag_has_a_few_characters(stage: Any, topic: str) -> None:
    ask(stage, "Which is it?")
    (hold,) = stage.open_holds
    with pytest.raises(InputError, match="topic must have 1 to 200"):
        stage.give(hold, VerdictKind.APPROVE, topic=topic)
    assert len(stage.open_holds) == 1


def test_a_turn_gathered_once_more_keeps_the_topic_it_was_given(stage: Any) -> None:
    install(stage)
    stage.receive("My parcel is late, when does it arrive?", to="again", topic=None)
    conversation = stage.read(lambda tx: tx.conversations.find(stage.channel.name, "again")).id
    asked = stage.store.write_now(lambda tx: stage.flow._take_up(tx, conversation))
    stage.run(stage.flow._draft(asked))
    stage.run(stage.conversations.take_over(conversation, reviewer="rosa"))
    stage.run(stage.conversations.hand_back(conversation, reviewer="rosa"))
    stage.settle()
    (turn,) = [turn for turn in stage.turns if turn.conversation_id == conversation]
    assert (turn.topic, evidence(stage, turn).topic_by) == ("delivery", "model")


def test_the_same_tags_are_not_used_twice_and_whoever_adopts_first_wins(stage: Any) -> None:
    teach(stage, 75)
    trial = learn(stage)
    assert trial is not None
    assert learn(stage) is None
    late = replace(trial, model=replace(trial.model, id="late"))
    stage.run(stage.topics._adopt(late, None))
    assert stage.read(lambda tx: tx.topics.latest()).id == trial.model.id
    assert len(stage.emitted(TopicModelAdopted)) == 1


def test_it_is_tried_again_after_its_time_or_enough_new_tags(stage: Any) -> None:
    stage.run(stage.topics.sweep())
    now = stage.clock.now()
    assert stage.run(stage.topics._is_due(now)) is False
    assert stage.run(stage.topics._is_due(now + timedelta(days=2))) is True
    teach(stage, 30)
    assert stage.run(stage.topics._is_due(now)) is True


def test_a_stop_ends_a_training_and_adopts_nothing(stage: Any) -> None:
    teach(stage, 63)
    stage.topics.stop()
    assert learn(stage) is None
    assert stage.read(lambda tx: tx.topics.latest()) is None


def test_no_turn_waits_for_scipy() -> None:
    """What a process that answers turns imports: everything but the background's arithmetic."""
    code = """
import sys
import understudy.app
from understudy.assessment.topic_model import classify, counts_of
from understudy.records.topics import TopicModel
from base64 import b64encode
import numpy as np
pack = lambda a: b64encode(a.tobytes()).decode()
keys = np.array(sorted(counts_of("parcel")), dtype="<i4")
ones = np.ones(keys.size)
model = TopicModel(id="m", topics=("a", "b"), features=pack(keys), idf=pack(ones.astype("<f4")),
    weights=pack(np.array([[9, 0]] * keys.size, dtype="<i1")), scales=pack(ones.astype("<f4")), unseen_idf=2.0,
    biases=(0.0, 0.0), thresholds=(0.5, 0.5), tags=1)
assert classify(model, "parcel").is_sure
assert not [name for name in sys.modules if name.partition(".")[0] == "scipy"], "scipy was imported"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
