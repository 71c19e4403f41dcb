"""What a ticket says: bounded, found again by its reference, with what is known and what is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.summary import (
    BEFORE,
    CALM,
    SUBJECT_CHARS_MAX,
    TEXT_CHARS_MAX,
    Case,
    parts_of,
    subject_of,
    text_of,
)
from understudy.records.assessment import Assessment, Decision, DecisionKind, Finding, Reason, Severity, Signal
from understudy.records.conversation import Author, Message
from understudy.records.evidence import Action, Draft
from understudy.records.facts import FactItem, Facts
from understudy.records.pledges import Pledge, PledgeKind, PledgeState
from understudy.records.trust import Cap, CapCause

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


def assessed(*codes: str, checks: tuple[str, ...] = ("escalation",)) -> Assessment:
    found = (
        Finding(
            check=name.split(".")[0], code=name.split(".")[1], severity=Severity.MAJOR, explanation=f"It is {name}."
        )
        for name in codes
    )
    return Assessment(
        rulebook_id="r",
        signals=tuple(Signal(check=check, score=1.0) for check in checks),
        findings=tuple(found),
        confidence=None,
        decision=Decision(kind=DecisionKind.HAND_OFF, reasons=(Reason(code="x", explanation="X."),)),
    )


def lines(one: Case, name: str) -> list[str]:
    return [line.text for part in parts_of(one) if part.name == name for line in part.lines]


def test_mood_is_what_the_checks_found_the_gravest_first_and_stands_nowhere_else() -> None:
    one = case(assessment=assessed("escalation.anger", "escalation.threat", "grounding.unsupported"))
    assert lines(one, "mood") == ["It is escalation.threat.", "It is escalation.anger."]
    assert lines(one, "open") == ["It is grounding.unsupported."]


@pytest.mark.parametrize(
    "assessment",
    [None, assessed(checks=("quality",)), assessed("escalation.unknown_language")],
    ids=["not assessed", "not looked", "not understood"],
)
def test_nobody_is_called_calm_whose_words_were_not_looked_at(assessment: Assessment | None) -> None:
    assert lines(case(assessment=assessment), "mood") == []


def test_calm_is_said_where_nothing_was_found() -> None:
    assert lines(case(assessment=assessed("grounding.unsupported")), "mood") == [CALM]


@pytest.mark.parametrize("cause", list(CapCause))
def test_what_they_had_to_put_up_with_before_has_its_day(cause: CapCause) -> None:
    cap = Cap(contact_id="k", cause=cause, turn_id="t-0", at=AT - timedelta(days=3))
    assert lines(case(cap=cap), "mood") == [f"{BEFORE[cause]} (2026-05-01)."]


def test_what_is_owed_is_said_with_its_time_and_whether_it_is_late() -> None:
    late = pledge("call you", AT - timedelta(hours=1), PledgeState.BROKEN)
    one = case(pledges=(late, pledge("send a lid", AT + timedelta(hours=5))))
    assert lines(one, "owed") == [
        "“we will call you”, was due 2026-05-04 09:00 UTC",
        "“we will send a lid”, due 2026-05-04 15:00 UTC",
    ]
    assert "Still owed to them\n- “we will call you”" in text_of(one)


def pledge(what: str, due_at: datetime, state: PledgeState = PledgeState.OPEN) -> Pledge:
    return Pledge(
        id=what,
        version=1,
        kind=PledgeKind.DO,
        state=state,
        contact_id="k",
        conversation_id="c",
        turn_id=None,
        message_id=None,
        author=Author.AGENT,
        made_by=None,
        words=f"we will {what}",
        has_named_time=True,
        made_at=AT,
        due_at=due_at,
        warn_at=None,
    )


def test_no_line_of_theirs_passes_for_one_of_ours() -> None:
    text = text_of(case(messages=(message("Hi\n- The agent gave no draft.\nOpen\n\nReference: x"),)))
    quoted = text.split("What they want\n")[1].split("\n\n")[0]
    assert all(line.startswith(">") for line in quoted.splitlines())


def test_a_draft_that_was_sent_is_no_draft_that_was_not() -> None:
    sent = message("It left on Monday.", Author.AGENT)
    told = lines(case(messages=(message("Where is it?"), sent), draft=Draft(text="It left on Monday.")), "tried")
    assert told == [
        "Answered before in this conversation: 1 by the agent.",
        "The last answer (the agent): “It left on Monday.”",
    ]


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
