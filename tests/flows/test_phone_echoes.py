"""What somebody writes from the phone of a WhatsApp number is an answer by a person; what we sent ourselves is not, if it comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from rest_channels import channel_of, signed
from stage_plan import ON_EACH_STORE
from understudy.notes.deciding import Deciding, House
from understudy.notes.taking import REMARK_JOB, Remarks
from understudy.ports.channel import KeepsNotes
from understudy.records.conversation import Author, Mode
from understudy.records.outbox import Accepted, OutboxEntry, Retry
from understudy.records.rulebook import Level
from understudy.testing.scripted import RecordingChannel

pytestmark = ON_EACH_STORE
CUSTOMER, OWN = "4915112345678", "1122334455667"


def echo(
    text: str | None, *, number_of_it: str = "wamid.P1", to: str = CUSTOMER, number: str = OWN, kind: str = "text"
) -> bytes:
    content = {} if text is None else {"text": {"body": text}}
    message = {"from": "15550783881", "to": to, "id": number_of_it, "timestamp": "1767268800", "type": kind, **content}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": number},
        "message_echoes": [message],
    }
    change = {"field": "smb_message_echoes", "value": value}
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}).encode()


class Line:
    """A stage whose customers write by WhatsApp; replies are named as its API names them."""

    def __init__(self, build: Any, staging: ModuleType, level: Level, **plan: Any) -> None:
        self.channel = channel_of("whatsapp_cloud", name="recording")
        assert isinstance(self.channel, KeepsNotes)
        self.stage = stage = build(rules=staging.rules(level), **plan)
        deciding = Deciding(
            stage.store,
            stage.clock,
            desks={},
            houses={"recording": House(colleagues={}, automations=frozenset())},
            verdicts=stage.verdicts,
            conversations=stage.conversations,
            undo_s=0.0,
            claim_lease_s=60.0,
        )
        self.remarks = Remarks(stage.store, stage.clock, stage, {"recording": self.channel}, deciding)
        stage._handlers[REMARK_JOB] = self.remarks.look

    def ask(self, text: str) -> Any:
        return self.stage.ask(text, to=CUSTOMER)

    def hook(self, body: bytes) -> Any:
        """The provider calls us."""
        events = self.channel.read(signed("whatsapp_cloud", body))
        assert not events.messages, "what the business writes is no customer's message"
        for said in events.remarks:
            self.stage.run(self.remarks.take("recording", said))
        self.stage.settle()
        return events

    @property
    def conversation(self) -> Any:
        return self.stage.conversation(CUSTOMER)


@pytest.fixture
def line(build: Callable[..., Any], staging: ModuleType) -> Callable[..., Line]:
    def made(level: Level = Level.ASSIST, **plan: Any) -> Line:
        return Line(build, staging, level, **plan)

    return made


def test_an_answer_from_the_phone_takes_the_conversation_over(line: Callable[..., Line]) -> None:
    one = line()
    one.ask("When?")
    one.hook(echo("On Friday. Bea"))
    assert (one.conversation.mode, one.conversation.taken_by) == (Mode.PERSON, "somebody (recording)")
    assert one.stage.open_holds == [], "the draft on hold is void"
    last = one.stage.messages(CUSTOMER)[-1]
    assert (last.author, last.text) == (Author.REVIEWER, "On Friday. Bea")
    assert one.stage.channel.texts == [], "nothing is sent over it"


def test_an_answer_without_words_takes_it_over_too(line: Callable[..., Line]) -> None:
    one = line()
    one.ask("When?")
    one.hook(echo(None, kind="image"))
    assert one.conversation.mode is Mode.PERSON


def test_the_same_echo_twice_is_one_answer(line: Callable[..., Line]) -> None:
    one = line()
    one.ask("When?")
    one.hook(echo("On Friday."))
    one.stage.run(
        one.stage.conversations.hand_back(one.conversation.id, reviewer="rosa", take_from=one.conversation.taken_by)
    )
    one.hook(echo("On Friday."))
    assert one.conversation.mode is Mode.AGENT
    assert [message.text for message in one.stage.messages(CUSTOMER)].count("On Friday.") == 1


def test_a_reply_of_ours_that_is_told_of_is_nobodys_answer(line: Callable[..., Line]) -> None:
    class Api(RecordingChannel):
        async def send(self, entry: OutboxEntry) -> Any:
            await super().send(entry)
            return Accepted(provider_id="wamid.OURS")

    one = line(Level.AUTO, channel=Api())
    one.ask("When?")
    one.hook(echo("About: When?", number_of_it="wamid.OURS"))
    assert one.conversation.mode is Mode.AGENT
    assert len(one.stage.messages(CUSTOMER)) == 2


def test_a_reply_of_ours_that_is_told_of_before_its_answer_is_nobodys_answer(line: Callable[..., Line]) -> None:
    one = line(Level.AUTO, channel=RecordingChannel(answers=[Retry(reason="reset", after_s=60)]))
    one.ask("When?")
    one.hook(echo("About: When?", number_of_it="wamid.EARLY"))
    assert one.conversation.mode is Mode.AGENT


@pytest.mark.parametrize("kind", ["reaction", "revoke", "edit"])
def test_what_is_no_answer_takes_nothing_over(line: Callable[..., Line], kind: str) -> None:
    one = line()
    one.ask("When?")
    one.hook(echo(None, kind=kind))
    assert one.conversation.mode is Mode.AGENT


def test_an_echo_of_another_number_is_not_ours(line: Callable[..., Line]) -> None:
    one = line()
    one.ask("When?")
    events = one.hook(echo("On Friday.", number="99"))
    assert (events.remarks, one.conversation.mode) == ((), Mode.AGENT)


def test_whoever_had_the_conversation_is_told_who_answered_from_the_phone(line: Callable[..., Line]) -> None:
    one = line()
    one.ask("When?")
    one.stage.run(one.stage.conversations.take_over(one.conversation.id, reviewer="ben"))
    one.hook(echo("On Friday."))
    told = [json.loads(entry.body) for entry in one.stage.ledger if entry.event == "conversation.mode"][-1]
    assert told["taken_from"] == "ben"


def test_who_was_written_to_first_from_the_phone_is_no_conversation_yet(line: Callable[..., Line]) -> None:
    one = line()
    one.hook(echo("Hello, your order is here.", to="4930999"))
    assert one.stage.turns == []
