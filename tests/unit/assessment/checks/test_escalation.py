"""A customer who wants or needs a person is heard."""

from __future__ import annotations

from typing import Any

import pytest

from understudy.assessment.check import NO_DRAFT
from understudy.assessment.checks.escalation import EscalationCheck
from understudy.records.evidence import ChatMessage, Evidence
from understudy.records.rulebook import Rules


def codes(evidence: Evidence) -> list[str]:
    return [finding.code for finding in EscalationCheck().examine(evidence, NO_DRAFT, Rules()).findings]


@pytest.mark.parametrize(
    "text",
    [
        "can I talk to a human",
        "Can I speak with a real person please?",
        "agent please",
        "Representative.",
        "HUMAN",
        "speak to someone",
        "I'd like to be transferred to a human agent",
        "Please connect me to a supervisor.",
        "yes, please transfer me.",
        "put me through to someone",
        "Is there someone else I can speak to?",
        "I need a human",
        "get me a human now!",
        "I want to speak to your manager",
        "let me talk to a person",
        "is there a real person there?",
        "Can you have someone call me?",
        "I don't want to talk to a bot",
        "Please escalate this to a manager",
        "I\u2019d rather talk to a colleague of yours",
        "I tried that twice. Can I just get a real person?",
        "customer service representative",
    ],
)
def test_wish_for_a_person_is_heard(turn: Any, text: str) -> None:
    assert "wants_person" in codes(turn(text))


@pytest.mark.parametrize(
    "text",
    [
        "are you a person selling insurance?",
        "can I pick it up in person?",
        "the person who delivered it was kind",
        "please don't transfer me to another agent",
        "I would prefer not to be transferred to a human agent.",
        "No need to speak to a representative, thanks.",
        "I spoke to a representative yesterday",
        "we already talked to your agent last week",
        "a ticket for one person",
        "someone stole my card",
        "I give up my seat for someone else",
        "Do I need to speak to someone to change my PIN?",
        "am I talking to a real person?",
        "I booked through a travel agent.",
        "How do I add a manager to our team account?",
        "it was a human error",
        "can you talk to me in Spanish?",
    ],
)
def test_other_mention_of_people_is_no_wish(turn: Any, text: str) -> None:
    assert "wants_person" not in codes(turn(text))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("I want to kill myself", "vulnerable"),
        ("my husband just passed away", "vulnerable"),
        ("I can't afford food this week", "vulnerable"),
        ("I will kill you all, I'll kill your people", "vulnerable"),
        ("you will hear from my lawyer", "legal_threat"),
        ("I'm going to sue", "legal_threat"),
        ("I will file a complaint with the ombudsman", "legal_threat"),
        ("I'll go to the press", "legal_threat"),
        ("this is fraud", "legal_threat"),
        ("this is ridiculous", "anger"),
        ("I am so angry right now", "anger"),
        ("worst service ever", "anger"),
        ("WHERE IS MY ORDER ANSWER ME NOW", "anger"),
        ("hello????", "anger"),
    ],
)
def test_distress_threat_and_anger_are_heard(turn: Any, text: str, code: str) -> None:
    assert code in codes(turn(text))


@pytest.mark.parametrize(
    "text",
    [
        "my phone died",
        "press the button",
        "the tennis court is closed",
        "I need to report fraud on my card",
        "thanks, you are great!",
        "OK, order ABC",
        "I would like to know the opening hours",
        "my payment did not go through",
    ],
)
def test_ordinary_words_raise_nothing(turn: Any, text: str) -> None:
    assert codes(turn(text)) == []


def test_question_asked_again_is_noticed(turn: Any) -> None:
    question = "Where is my order number twelve please?"
    before = [ChatMessage(role="user", content=question), ChatMessage(role="assistant", content="It is on its way.")]
    assert codes(turn(question.replace("Where", "where"), before=before)) == ["repeated_question"]


def test_short_answer_given_again_is_no_repeated_question(turn: Any) -> None:
    before = [ChatMessage(role="user", content="yes please"), ChatMessage(role="assistant", content="And this?")]
    assert codes(turn("yes please", before=before)) == []


def test_wish_of_an_earlier_turn_does_not_count_again(turn: Any) -> None:
    before = [
        ChatMessage(role="user", content="agent please"),
        ChatMessage(role="assistant", content="Here I am.", person=True),
    ]
    assert codes(turn("thanks, that solved it", before=before)) == []
