"""Chatwoot exports: the bot's last answer, judged by a takeover, the customer's rating or a label."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from understudy.backtest.histories.chatwoot import read
from understudy.backtest.histories.labelled import Labelled
from understudy.backtest.histories.ratings import PLAIN, Meaning
from understudy.backtest.histories.source import Source
from understudy.errors import MalformedInput

Write = Callable[..., Source]
CUSTOMER, BOT, PERSON = {"type": "contact", "id": 8}, {"type": "agent_bot", "id": 2}, {"type": "user", "id": 5}


def said(number: int, sender: dict[str, Any] | None, content: str | None, **more: Any) -> dict[str, Any]:
    kind = 2 if sender is None else 0 if sender is CUSTOMER else 1
    return {
        "id": number,
        "content": content,
        "message_type": kind,
        "created_at": 1_777_000_000 + number,
        "private": False,
        "content_type": "text",
        "content_attributes": {},
        "sender": sender,
        **more,
    }


def survey(number: int, rating: int) -> dict[str, Any]:
    submitted = {"csat_survey_response": {"rating": rating, "feedback_message": ""}}
    return said(
        number,
        BOT,
        "Please rate this conversation",
        message_type=3,
        content_type="input_csat",
        content_attributes={"submitted_values": submitted},
    )


def conversation(*messages: dict[str, Any], own: int = 41, **more: Any) -> dict[str, Any]:
    return {
        "id": own,
        "inbox_id": 3,
        "status": "resolved",
        "labels": [],
        "meta": {"channel": "Channel::WebWidget"},
        "messages": list(messages),
        **more,
    }


ASKED, ANSWERED = said(1, CUSTOMER, "My lamp flickers."), said(2, BOT, "Try another socket first.")


def turns(source: Source, meaning: Meaning = PLAIN) -> list[Labelled]:
    return list(read(source, meaning))


def action(turn: Labelled) -> str | None:
    return None if turn.record.verdict is None else turn.record.verdict.action.value


def test_last_answer_of_the_bot_is_the_draft(written: Write) -> None:
    note = said(4, PERSON, "Known batch fault?", private=True)
    more = [
        said(3, None, "Assigned to bot"),
        note,
        said(6, BOT, "Then we send a new one."),
        said(5, CUSTOMER, "I did."),
    ]
    (turn,) = turns(written(conversation(ASKED, ANSWERED, *more, survey(7, 5), custom_attributes={"topic": "defects"})))
    record = turn.record
    assert [(message.role, message.content) for message in record.messages] == [
        ("user", "My lamp flickers."),
        ("assistant", "Try another socket first."),
        ("user", "I did."),
    ]
    assert (record.id, record.conversation_id, record.topic, record.channel) == ("41#6", "41", "defects", "WebWidget")
    assert record.draft.text == "Then we send a new one."
    assert record.at is not None
    assert action(turn) == "approve"


@pytest.mark.parametrize(("rating", "expected"), [(5, "approve"), (4, "approve"), (3, "reject"), (1, "reject")])
def test_four_and_five_of_five_are_good(written: Write, rating: int, expected: str) -> None:
    assert action(turns(written(conversation(ASKED, ANSWERED, survey(3, rating))))[0]) == expected


def test_person_who_answered_after_the_bot_took_over(written: Write) -> None:
    found = turns(written(conversation(ASKED, ANSWERED, said(3, PERSON, "I send you a new lamp."), survey(4, 5))))
    assert action(found[0]) == "take_over"


def test_labels_count_where_they_are_explained(written: Write) -> None:
    source = written(conversation(ASKED, ANSWERED, labels=["lamps", "bot-failed"]))
    assert action(turns(source)[0]) is None
    assert action(turns(source, Meaning(bad=frozenset({"bot-failed"})))[0]) == "reject"


def test_conversation_without_a_bot_says_nothing(written: Write) -> None:
    assert (
        turns(written(conversation(ASKED, said(2, PERSON, "Hello.")), conversation(said(1, BOT, "Welcome!"), own=2)))
        == []
    )


def test_satisfaction_responses_are_joined_by_conversation(written: Write) -> None:
    rows = [{"id": 1, "rating": 2, "conversation_id": 41, "message_id": 9}, conversation(ASKED, ANSWERED)]
    assert [action(one) for one in turns(written(*rows))] == ["reject"]


@pytest.mark.parametrize(
    "wrap", [lambda c: {"payload": c}, lambda c: {"data": {"meta": {}, "payload": c}}, lambda c: c]
)
def test_lists_of_the_api_are_unpacked(written: Write, wrap: Callable[[list[Any]], Any]) -> None:
    conversations = [conversation(ASKED, ANSWERED, own=1), conversation(ASKED, ANSWERED, own=2)]
    assert [one.record.conversation_id for one in turns(written(wrap(conversations), name="h.json"))] == ["1", "2"]


def test_messages_of_one_conversation_are_unpacked(written: Write) -> None:
    page = {
        "meta": {"labels": ["bot-ok"]},
        "payload": [{**ASKED, "conversation_id": 77}, {**ANSWERED, "conversation_id": 77}],
    }
    (turn,) = turns(written(page), Meaning(good=frozenset({"bot-ok"})))
    assert (turn.record.conversation_id, action(turn)) == ("77", "approve")


def test_webhook_names_of_types_are_read_too(written: Write) -> None:
    messages = [
        {**ASKED, "message_type": "incoming"},
        {**ANSWERED, "message_type": "outgoing", "sender": None, "sender_type": "AgentBot"},
    ]
    assert len(turns(written(conversation(*messages)))) == 1


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({"foo": 1}, "conversations of a Chatwoot export"),
        (conversation({"content": "x"}), "message_type"),
        (conversation({**ASKED, "created_at": "x"}, ANSWERED), "created_at"),
        (conversation(ASKED, ANSWERED, survey(3, "lots")), "rating"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(written: Write, row: Any, what: str) -> None:
    with pytest.raises(MalformedInput, match=what) as caught:
        turns(written(conversation(ASKED, ANSWERED), row))
    assert "line 2" in caught.value.message
