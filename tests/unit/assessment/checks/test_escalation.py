"""A customer who wants or needs a person is heard."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.assessment.check import NO_DRAFT
from understudy.assessment.checks.escalation import EscalationCheck
from understudy.records.assessment import Span
from understudy.records.evidence import NO_MOMENT, ChatMessage, ContactFacts, Draft, Evidence, ToolCall
from understudy.records.rulebook import Rules, TopicRule


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
        ("I want to kill myself", "self_harm"),
        ("my husband just passed away", "vulnerable"),
        ("I can't afford food this week", "vulnerable"),
        ("I will kill you all, I'll kill your people", "threat"),
        ("someone used my card at a shop I never visited", "fraud"),
        ("I need to report fraud on my card", "fraud"),
        ("there are unauthorized charges on my statement", "fraud"),
        ("I want to make a formal complaint", "complaint"),
        ("\u0456 want t\u043e sue y\u043eu", "legal_threat"),
        ("I w\u200bant to k\u00adill myself", "self_harm"),
        ("\uff54\uff48\uff49\uff53 is ridiculous", "anger"),
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


def test_the_same_words_about_another_order_are_another_question(turn: Any) -> None:
    """Names with digits say what it is about: whoever asks for their second parcel was not let down with the first."""

    def asks(number: str) -> str:
        return f"Hello, could you tell me when my order {number} will arrive? I need it this week."

    before = [ChatMessage(role="user", content=asks("A-1027")), ChatMessage(role="assistant", content="On Friday.")]
    assert codes(turn(asks("A-1031"), before=before)) == []
    assert codes(turn(asks("a-1027"), before=before)) == ["repeated_question"]


def test_short_answer_given_again_is_no_repeated_question(turn: Any) -> None:
    before = [ChatMessage(role="user", content="yes please"), ChatMessage(role="assistant", content="And this?")]
    assert codes(turn("yes please", before=before)) == []


def test_wish_of_an_earlier_turn_does_not_count_again(turn: Any) -> None:
    before = [
        ChatMessage(role="user", content="agent please"),
        ChatMessage(role="assistant", content="Here I am.", person=True),
    ]
    assert codes(turn("thanks, that solved it", before=before)) == []


def said(*texts: str) -> list[ChatMessage]:
    """A conversation in which the agent answers something different each time."""
    answers = ["We look into it.", "Please try again.", "Have you checked your e-mails?"]
    return [
        message
        for text, answer in zip(texts, answers, strict=False)
        for message in (ChatMessage(role="user", content=text), ChatMessage(role="assistant", content=answer))
    ]


def test_anger_that_rises_is_noticed_before_it_is_anger(turn: Any) -> None:
    before = said("Where is my parcel?", "I already told you the number, this does not help")
    assert codes(turn("How many times do I have to say it, I am disappointed", before=before)) == ["rising_anger"]


def test_an_even_temper_does_not_rise(turn: Any) -> None:
    before = said("This is disappointing", "Still no parcel", "Hm")
    assert "rising_anger" not in codes(turn("All right, I will wait", before=before))


def test_an_agent_that_says_the_same_again_goes_in_circles(turn: Any) -> None:
    answer = "You can return your order within 30 days, the label is in the parcel."
    before = [ChatMessage(role="user", content="My label is missing"), ChatMessage(role="assistant", content=answer)]
    evidence = turn("But there is no label in the parcel", answer, before=before)
    found = EscalationCheck().examine(evidence, evidence.draft, Rules()).findings
    assert [(finding.code, finding.span) for finding in found] == [("going_in_circles", Span(start=0, end=len(answer)))]


@pytest.mark.parametrize(
    "text",
    [
        "Wo bleibt meine Bestellung, ich warte schon seit zwei Wochen",
        "\u0413\u0434\u0435 \u043c\u043e\u0439 \u0437\u0430\u043a\u0430\u0437?",
    ],
)
def test_language_without_a_lexicon_is_a_finding(turn: Any, text: str) -> None:
    assert codes(turn(text)) == ["unknown_language"]


@pytest.mark.parametrize("text", ["ok", "K\u00f6ln 50667", "W3445693", "\U0001f44d\U0001f44d", "Zo\u00eb M\u00fcller"])
def test_too_little_text_is_in_no_language(turn: Any, text: str) -> None:
    assert codes(turn(text)) == []


@pytest.mark.parametrize(("tag", "code"), [("VIP", "vip"), ("open_complaint", "open_complaint")])
def test_mark_in_the_system_of_record_counts(turn: Any, tag: str, code: str) -> None:
    assert codes(turn("hello", contact=ContactFacts(tags=(tag, "newsletter")))) == [code]


def test_words_of_a_topic_that_is_never_automatic_hold_whatever_the_topic_is(turn: Any) -> None:
    rules = Rules(never_auto=("legal",), topics=(TopicRule(topic="legal", phrases=("power of attorney",)),))
    evidence = turn("Where is my parcel? And I have a power of attorney for my aunt", topic="delivery")
    found = EscalationCheck().examine(evidence, NO_DRAFT, rules).findings
    assert [finding.code for finding in found] == ["never_auto"]


def test_what_is_locked_and_passed_on_needs_a_person(turn: Any) -> None:
    call = ToolCall(id="1", name="transfer_to_human", arguments='{"summary": "the account is locked"}')
    before = [ChatMessage(role="assistant", tool_calls=(call,))]
    assert "needs_person" in codes(turn("It says my account is locked", before=before))


@given(st.text(max_size=300), st.text(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_gives_a_score_and_spans_inside_the_draft(turn: Any, customer: str, draft: str) -> None:
    evidence = turn(customer or "x", draft)
    examined = EscalationCheck().examine(evidence, Draft(text=draft), Rules())
    assert 0.0 <= examined.score <= 1.0
    assert all(finding.span is None or finding.span.end <= len(draft) for finding in examined.findings)


def test_locks_of_which_a_passage_speaks_are_not_this_customers(turn: Any) -> None:
    draft = "Your card is blocked after three wrong tries."

    def found(**given: Any) -> list[str]:
        evidence = turn("What happens if I mistype my PIN?", draft, **given)
        return [finding.code for finding in EscalationCheck().examine(evidence, evidence.draft, Rules()).findings]

    assert found() == ["needs_person"]
    assert found(passages=(draft,)) == []


def test_signal_falls_before_the_finding_comes(turn: Any) -> None:
    def score(customer: str) -> float:
        evidence = turn(customer)
        assert evidence.draft is not None
        return EscalationCheck().examine(evidence, evidence.draft, Rules()).score

    assert score("Where is my parcel?") == 1.0
    assert score("Can I talk to a human?") < 0.4


# --- the agent offers a person, and passes the customer on ---

OFFER = "I cannot unlock it. Would you like me to transfer you to a human agent?"


def answered(text: str, offer: str = OFFER, *, person: bool = False) -> Evidence:
    said = (ChatMessage(role="user", content="Hm."), ChatMessage(role="assistant", content=offer, person=person))
    return Evidence(
        turn_id="t-1",
        conversation_id="c-1",
        channel="webchat",
        topic="accounts",
        at=NO_MOMENT,
        draft=NO_DRAFT,
        messages=(*said, ChatMessage(role="user", content=text)),
        burst=1,
    )


@pytest.mark.parametrize(
    ("text", "offer"),
    [
        ("Yes, please.", OFFER),
        ("yes", OFFER),
        ("Sure, go ahead with the transfer. Thank you.", OFFER),
        ("That would be helpful. I need it today.", OFFER),
        ("ok", "A colleague could look into it. Shall I have someone call you?"),
        ("Yes", "I can connect you to a supervisor. Would you like that, or is there anything else?"),
    ],
)
def test_yes_to_the_offer_of_a_person_is_a_wish(text: str, offer: str) -> None:
    assert "accepts_person" in codes(answered(text, offer))


@pytest.mark.parametrize(
    ("text", "offer"),
    [
        ("No, thanks.", OFFER),
        ("Is there any other way?", OFFER),
        ("Yes, but please don't transfer me to another agent.", OFFER),
        ("Yes", "Reply yes to cancel it. If you'd rather speak with a human agent, just let me know."),
        ("Yes, please", "Would you like me to cancel it?"),
        ("I would prefer not to be transferred.", OFFER),
    ],
)
def test_what_is_no_yes_to_a_person_is_none(text: str, offer: str) -> None:
    assert "accepts_person" not in codes(answered(text, offer))


def test_yes_to_the_offer_of_a_colleague_who_wrote_it_is_for_that_colleague() -> None:
    assert "accepts_person" not in codes(answered("Yes", person=True))


def announced(turn: Any, text: str) -> bool:
    evidence = turn("It is locked.", text)
    assert evidence.draft is not None
    found = EscalationCheck().examine(evidence, evidence.draft, Rules()).findings
    return any(finding.code == "person_announced" for finding in found)


@pytest.mark.parametrize(
    "text",
    [
        "YOU ARE BEING TRANSFERRED TO A HUMAN AGENT. PLEASE HOLD ON.",
        "I will transfer you to a human agent who can unlock it.",
        "Sorry about that. Let me connect you to a supervisor right away.",
        "I've escalated your case to a specialist.",
        "A human agent will be with you shortly.",
        "A colleague has been notified.",
        "\u0130\u0130\u0130\u0130 I'll pass you on to a colleague",
    ],
)
def test_draft_that_passes_the_customer_on_is_heard(turn: Any, text: str) -> None:
    assert announced(turn, text)


@pytest.mark.parametrize(
    "text",
    [
        "I can transfer you to a human agent. Would you like that?",
        "If it is still locked, I will transfer you to a human agent.",
        "Would you like me to connect you to a supervisor?",
        "I am unable to transfer you to a supervisor.",
        "Once you confirm, I will pass you on to a colleague.",
        "I will transfer the money to your account today.",
        "We will pass this on to the courier.",
    ],
)
def test_offer_or_condition_passes_nobody_on(turn: Any, text: str) -> None:
    assert not announced(turn, text)
