"""What a ticket says: bounded, found again by its reference, with what is known and what is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from understudy.records.conversation import Author, Message
from understudy.records.evidence import Action, Draft
from understudy.records.facts import FactItem, Facts
from understudy.tickets.summary import SUBJECT_CHARS_MAX, TEXT_CHARS_MAX, Case, subject_of, text_of

AT = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
TEXT = st.text(max_size=300)


def message(text: str, author: Author = Author.CUSTOMER, turn: str = "t-2") -> Message:
    return Message(
        seq=1,
        id="m",
        conversation_id="c",
        turn_id=turn,
        author=author,
        author_name=None,
        text=text,
        at=AT,
        provider_id=None,
    )


def case(**more: Any) -> Case:
    given_: dict[str, Any] = {
        "key": "tk-1", "channel": "sms", "topic": "orders", "words": ("The agent gave no draft.",), "turn_id": "t-2",
        "messages": (message("Hi", turn="t-1"), message("Hello.", Author.AGENT, "t-1"), message("Where is it?")),
        "customer": "Ada", "at": AT,
    }  # fmt: skip
    return Case(**{**given_, **more})


def facts(**more: Any) -> Facts:
    return Facts(
        **{"system": "shop", "about": "orders", "taken_at": AT, "fresh_until": AT + timedelta(minutes=5), **more}
    )


def test_a_person_reads_what_is_wanted_tried_known_and_open() -> None:
    draft = Draft(text="It left on Monday.", actions=(Action(name="refund", arguments={"amount": 5}),))
    read = (
        facts(
            items=(FactItem(id="o-1", values={"order": "1042", "status": "shipped"}, link="https://shop/o-1"),),
            has_more=True,
        ),
    )
    text = text_of(case(draft=draft, facts=read, link="https://us/console/#/hold/h-1"))
    assert text.splitlines()[:2] == ["Reference: tk-1", "In Understudy: https://us/console/#/hold/h-1"]
    assert "> Where is it?" in text
    assert "> Hi" not in text, "that was answered"
    assert "Answered before in this conversation: 1 by the agent." in text
    assert "not sent: “It left on Monday.”" in text
    assert "not done: refund" in text
    assert "- shop, orders (as of 2026-05-04 10:00 UTC): order 1042; status shipped https://shop/o-1" in text
    assert "there are more" in text


def test_none_and_unknown_and_stale_are_three_things() -> None:
    old = facts(about="contact", taken_at=AT - timedelta(hours=1), fresh_until=AT - timedelta(minutes=1))
    text = text_of(case(facts=(facts(), facts(about="tickets", unknown="timed_out"), old)))
    assert "- shop, orders (as of 2026-05-04 10:00 UTC): none" in text
    assert "- shop, tickets: unknown, the system did not answer in time" in text
    assert "- shop, contact: unknown, it was read too long ago" in text


@given(texts=st.lists(TEXT, max_size=12), topic=st.none() | TEXT, customer=TEXT, draft=TEXT, value=TEXT)
def test_whatever_was_said_the_ticket_is_bounded_and_bears_its_reference(
    texts: list[str], topic: str | None, customer: str, draft: str, value: str
) -> None:
    read = (facts(items=(FactItem(values={"x": value}),) * 9),)
    one = case(
        messages=tuple(message(text * 20) for text in texts),
        topic=topic,
        customer=customer,
        draft=Draft(text=draft * 50),
        facts=read,
    )
    subject, text = subject_of(one), text_of(one)
    assert subject.endswith("[tk-1]")
    assert len(subject) <= SUBJECT_CHARS_MAX
    assert len(subject.splitlines()) == 1
    assert "Reference: tk-1" in text
    assert len(text) <= TEXT_CHARS_MAX
