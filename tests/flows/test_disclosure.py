"""Customers are told that an AI writes: with its first message, after somebody else wrote, after a pause, never elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from stage_plan import ON_EACH_STORE, rules
from understudy.records.conversation import Origin
from understudy.records.disclosure import ChannelDisclosure, DisclosureText, Shown
from understudy.records.evidence import Draft
from understudy.records.outbox import Rejected, Retry
from understudy.records.review import VerdictKind
from understudy.records.rulebook import Level
from understudy.testing.scripted import RecordingChannel, ScriptedAgent

pytestmark = ON_EACH_STORE

Build = Callable[..., Any]

EN, DE = "An AI writes here.", "Hier schreibt eine KI."
TEXTS = {
    "en": DisclosureText(text=EN, short="AI:", version=3),
    "de": DisclosureText(text=DE, short="KI:", version=2),
}
GERMAN = "Ich möchte wissen, wann mein Paket kommt und ob das noch heute ist."


def telling(shown: Shown = Shown.MESSAGE, *, hours: float | None = 24) -> dict[str, ChannelDisclosure]:
    again = None if hours is None else timedelta(hours=hours)
    return {"recording": ChannelDisclosure(shown=shown, texts=TEXTS, language="en", again_after=again)}


def says(text: str) -> str:
    return f"{EN}\n\nAbout: {text}"


def made(stage: Any) -> list[dict[str, Any]]:
    return [json.loads(entry.body) for entry in stage.ledger if entry.event == "disclosure.made"]


def test_first_message_of_the_agent_tells_it_and_the_next_does_not(build: Build) -> None:
    stage = build(disclosures=telling())
    stage.ask("Hello")
    stage.ask("More")
    assert [text.startswith(EN) for text in stage.channel.texts] == [True, False]


def test_words_and_version_are_in_the_ledger_once_they_were_sent(build: Build) -> None:
    stage = build(disclosures=telling())
    turn = stage.ask("Hello")
    (entry,) = [entry for entry in stage.ledger if entry.event == "disclosure.made"]
    assert (entry.turn_id, entry.conversation_id) == (turn.id, stage.conversation().id)
    body = made(stage)[0]
    assert {name: body[name] for name in ("channel", "language", "version", "shown", "why", "wording")} == {
        "channel": "recording",
        "language": "en",
        "version": 3,
        "shown": "message",
        "why": "first",
        "wording": EN,
    }


def test_nothing_is_recorded_as_told_that_did_not_arrive(build: Build) -> None:
    stage = build(disclosures=telling(), channel=RecordingChannel(answers=[Rejected(reason="blocked")]))
    stage.ask("Hello")
    assert made(stage) == []


def test_message_after_one_that_did_not_arrive_tells_it(build: Build) -> None:
    stage = build(disclosures=telling(), channel=RecordingChannel(answers=[Rejected(reason="blocked")]))
    stage.ask("Hello")
    stage.run(stage.conversations.hand_back(stage.conversation().id, reviewer="rosa"))
    stage.ask("More")
    assert stage.channel.texts[-1].startswith(EN)


def test_each_try_sends_the_same_words(build: Build) -> None:
    stage = build(disclosures=telling(), channel=RecordingChannel(answers=[Retry(reason="busy")]))
    stage.ask("Hello")
    stage.pass_time(3600)
    assert [entry.text for entry in stage.channel.attempts] == [says("Hello")] * 2


def test_language_is_that_of_the_reply(build: Build) -> None:
    agent = ScriptedAgent(
        lambda _: Draft(text="Das Paket ist auf dem Weg und kommt noch heute.", agent="a"), name="echo"
    )
    stage = build(disclosures=telling(), agent=agent)
    stage.ask("Where is it?")
    assert stage.channel.texts[0].startswith(DE)


def test_language_is_the_customers_where_the_reply_is_too_short_to_tell(build: Build) -> None:
    agent = ScriptedAgent(lambda _: Draft(text="OK.", agent="a", agent_version="v1"), name="echo")
    stage = build(disclosures=telling(), agent=agent, rules=rules(Level.ASSIST))
    stage.ask(GERMAN)
    stage.give(stage.open_holds[0], VerdictKind.APPROVE)
    stage.settle()
    assert stage.channel.texts == [f"{DE}\n\nOK."]


def test_persons_own_message_never_tells_it(build: Build) -> None:
    stage = build(disclosures=telling(), rules=rules(Level.ASSIST))
    stage.ask("Hello")
    stage.give(stage.open_holds[0], VerdictKind.RESPOND, "I am Rosa.")
    stage.settle()
    assert stage.channel.texts == ["I am Rosa."]


def test_agent_tells_it_again_after_a_person_wrote(build: Build) -> None:
    stage = build(disclosures=telling())
    stage.ask("Hello")
    conversation = stage.conversation().id
    stage.run(stage.conversations.take_over(conversation, reviewer="rosa"))
    stage.run(stage.conversations.say(conversation, "I am Rosa.", reviewer="rosa"))
    stage.run(stage.conversations.hand_back(conversation, reviewer="rosa"))
    stage.run(stage.trust.lift(stage.conversation().contact_id, by="rosa"))
    stage.settle()
    stage.ask("Thanks")
    stage.ask("And more")
    assert [text.startswith(EN) for text in stage.channel.texts] == [True, False, True, False]
    assert [body["why"] for body in made(stage)] == ["first", "after_others"]


def test_agent_tells_it_again_after_the_configured_pause(build: Build) -> None:
    stage = build(disclosures=telling(hours=2))
    stage.ask("Hello")
    stage.pass_time(3600)
    stage.ask("An hour later")
    stage.pass_time(2 * 3600)
    stage.ask("Two hours later")
    assert [text.startswith(EN) for text in stage.channel.texts] == [True, False, True]


def test_what_the_channel_shows_itself_is_recorded_beside_an_untouched_reply(build: Build) -> None:
    stage = build(disclosures=telling(Shown.CHANNEL))
    stage.ask("Hello")
    assert stage.channel.texts == ["About: Hello"]
    assert made(stage)[0]["shown"] == "channel"


@pytest.mark.parametrize(("chars_max", "words"), [(200, EN), (25, "AI:")])
def test_words_are_short_where_the_whole_leaves_no_room(build: Build, chars_max: int, words: str) -> None:
    stage = build(disclosures=telling(), channel=RecordingChannel(chars_max=chars_max))
    stage.ask("Hello")
    assert stage.channel.texts == [f"{words}\n\nAbout: Hello"]


@pytest.mark.parametrize(
    ("kind", "origin"),
    [
        (VerdictKind.APPROVE, Origin.AI_APPROVED),
        (VerdictKind.EDIT, Origin.AI_EDITED),
        (VerdictKind.RESPOND, Origin.PERSON),
    ],
)
def test_message_says_whose_work_it_is(build: Build, kind: VerdictKind, origin: Origin) -> None:
    stage = build(disclosures=telling(), rules=rules(Level.ASSIST))
    stage.ask("Hello")
    stage.give(stage.open_holds[0], kind)
    stage.settle()
    (entry,) = stage.channel.delivered
    assert (entry.origin, stage.messages()[-1].origin) == (origin, origin)
    assert entry.ai_generated is origin.is_of_ai


def test_conversation_keeps_the_reply_without_the_words(build: Build) -> None:
    stage = build(disclosures=telling())
    stage.ask("Hello")
    said = stage.messages()[-1]
    assert (said.text, said.disclosure.text) == ("About: Hello", EN)


def test_agent_is_not_shown_the_words_as_its_own(build: Build) -> None:
    stage = build(disclosures=telling())
    stage.ask("Hello")
    stage.ask("More")
    assert EN not in str(stage.agent.requests[-1].messages)
