"""Who says STOP gets nothing more on that channel but the one confirmation, until they say START."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE, rules
from understudy.records.conversation import Author
from understudy.records.opt_out import OPTED_OUT, OptOutTerms, OptOutWords
from understudy.records.outbox import OutboxState, Rejected, Unknown
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.rulebook import Level
from understudy.testing.scripted import RecordingChannel
from understudy.turn.asides import Asides

pytestmark = ON_EACH_STORE

Build = Callable[..., Any]

WORDS = {
    "en": OptOutWords(stop=("stop", "unsubscribe"), start=("start",), stopped="No more.", started="Again.", version=3),
    "de": OptOutWords(stop=("abmelden",), start=("anmelden",), stopped="Schluss.", started="Wieder."),
}
HERE = frozenset({"recording"})
MINDED = Asides(opt_out=OptOutTerms(channels=HERE, confirmed=HERE, words=WORDS))


@pytest.mark.parametrize(("word", "answer"), [("STOP", "No more."), (" stop! ", "No more."), ("Abmelden", "Schluss.")])
def test_stop_is_confirmed_once_in_its_language(build: Build, word: str, answer: str) -> None:
    stage = build(asides=MINDED)
    stage.receive(word)
    stage.settle()
    stage.receive(word)
    stage.settle()
    assert stage.channel.texts == [answer]


def test_stop_begins_no_turn(build: Build) -> None:
    stage = build(asides=MINDED)
    stage.receive("STOP")
    stage.settle()
    assert (stage.turns, stage.agent.requests) == ([], [])


def test_stop_is_part_of_the_conversation(build: Build) -> None:
    stage = build(asides=MINDED)
    stage.receive("STOP")
    stage.settle()
    assert [(one.author, one.text) for one in stage.messages()] == [
        (Author.CUSTOMER, "STOP"),
        (Author.SAFE_REPLY, "No more."),
    ]


@pytest.mark.parametrize("text", ["Stop my order", "Please stop the delivery", "The bus stop", "cancel", "don't stop"])
def test_message_that_is_more_than_the_word_is_answered(build: Build, text: str) -> None:
    stage = build(asides=MINDED)
    stage.ask(text)
    assert stage.channel.texts == [f"About: {text}"]


def test_reply_on_its_way_waits_for_a_person_with_the_reason(build: Build) -> None:
    stage = build(asides=MINDED, rules=rules(Level.ASSIST))
    stage.ask("When do you open?")
    stage.receive("STOP")
    stage.settle()
    stage.give(stage.open_holds[0], VerdictKind.APPROVE)
    stage.settle()
    assert stage.channel.texts == ["No more."]
    (hold,) = stage.open_holds
    assert (hold.kind, hold.reasons) == (HoldKind.HAND_OFF, (OPTED_OUT,))


def test_persons_own_words_do_not_leave_either(build: Build) -> None:
    stage = build(asides=MINDED)
    stage.ask("When do you open?")
    stage.receive("STOP")
    stage.settle()
    conversation = stage.conversation().id
    stage.run(stage.conversations.take_over(conversation, reviewer="rosa"))
    entry = stage.run(stage.conversations.say(conversation, "I am Rosa.", reviewer="rosa"))
    stage.settle()
    kept = stage.read(lambda tx: tx.outbox.get(entry.id))
    assert kept.state is OutboxState.DEAD
    assert "wants no messages on recording" in kept.last_error


def test_start_begins_messages_again(build: Build) -> None:
    stage = build(asides=MINDED)
    for word in ("STOP", "START"):
        stage.receive(word)
        stage.settle()
    stage.ask("When do you open?")
    assert stage.channel.texts[:2] == ["No more.", "Again."]
    assert stage.channel.delivered[-1].author is Author.AGENT


def test_start_of_somebody_who_gets_messages_is_answered(build: Build) -> None:
    stage = build(asides=MINDED)
    stage.ask("start")
    assert stage.channel.texts == ["About: start"]


def test_stop_holds_in_every_conversation_of_the_customer_on_that_channel(build: Build) -> None:
    stage = build(asides=MINDED)
    stage.receive("STOP", to="e-1", address="+44")
    stage.settle()
    stage.ask("When do you open?", to="e-2", address="+44")
    assert stage.channel.texts == ["No more."]


def test_stop_of_one_customer_is_no_others(build: Build) -> None:
    stage = build(asides=MINDED)
    stage.receive("STOP", to="e-1")
    stage.settle()
    stage.ask("When do you open?", to="e-2")
    assert stage.channel.texts == ["No more.", "About: When do you open?"]


@pytest.mark.parametrize("answer", [Rejected(reason="blocked by the carrier"), Unknown(reason="reset")])
def test_confirmation_that_fails_keeps_nobody_waiting(build: Build, answer: Any) -> None:
    stage = build(asides=MINDED, channel=RecordingChannel(answers=[answer], honours_keys=False))
    stage.receive("STOP")
    stage.settle()
    assert stage.open_holds == []


def test_nothing_is_confirmed_where_the_carrier_does(build: Build) -> None:
    stage = build(asides=Asides(opt_out=OptOutTerms(channels=HERE, words=WORDS)))
    stage.receive("STOP")
    stage.settle()
    stage.ask("When do you open?")
    assert stage.channel.texts == []


def test_word_is_a_word_only_where_it_counts(build: Build) -> None:
    stage = build(asides=Asides(opt_out=OptOutTerms(channels=frozenset({"sms"}), words=WORDS)))
    stage.ask("STOP")
    assert stage.channel.texts == ["About: STOP"]


def test_it_outlives_the_process(build: Build) -> None:
    stage = build(asides=MINDED)
    stage.receive("STOP")
    stage.settle()
    stage = stage.restarted()
    stage.ask("When do you open?")
    assert stage.channel.texts == ["No more."]


def test_ledger_says_who_said_which_word(build: Build) -> None:
    stage = build(asides=MINDED)
    stage.receive("Stop.")
    stage.settle()
    (entry,) = [entry for entry in stage.ledger if entry.event == "opt_out.made"]
    assert '"said":"stop"' in entry.body.replace(" ", "")
    assert entry.actor == "customer"
