"""A conversation of the past becomes a customer who says it again, tools that answer it again, and graders of its mistakes."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.checks import CHECKS
from understudy.errors import MalformedInput
from understudy.evaluation.attempts import Release, attempt
from understudy.evaluation.case_file import read_case
from understudy.evaluation.cases import Past, duplicate_of
from understudy.evaluation.conversation import ScriptedPlayer
from understudy.evaluation.conversation_cases import STEPS_MAX, PastConversation, conversation_case_of
from understudy.evaluation.graders import graders_of
from understudy.evaluation.graders.contract import NO_MEANS
from understudy.evaluation.suites import case_text
from understudy.evaluation.teeth import graded, tried
from understudy.evaluation.tool_desk import ToolDesk
from understudy.ports.agent import DraftRequest
from understudy.records.assessment import DecisionKind, Finding, Severity
from understudy.records.evidence import Action, ChatMessage, ContactFacts, Draft, ToolCall
from understudy.records.feedback import FeedbackKind
from understudy.records.review import VerdictKind
from understudy.records.rulebook import Profile
from understudy.records.suite import Case, CaseRule, GraderTerms
from understudy.settings.model import Settings
from understudy.settings.rules import rulebook_of

SHOP = Profile(name="Shop", domains=("shop.example",))
RULEBOOK = rulebook_of(Settings())


def user(*texts: str) -> tuple[ChatMessage, ...]:
    return tuple(ChatMessage(role="user", content=text) for text in texts)


def agent(text: str) -> ChatMessage:
    return ChatMessage(role="assistant", content=text)


def past(number: int, messages: tuple[ChatMessage, ...], reply: str, **fields: Any) -> Past:
    draft = Draft(text=reply, tool_calls=fields.pop("calls", ()))
    given = {"channel": "webchat", "topic": "refunds", "contact": ContactFacts(), "verdict": VerdictKind.APPROVE}
    return Past(id=f"t-{number}", messages=messages, draft=draft, **(given | fields))


ASKS = "Which order is it?"
FIRST = past(1, user("Where is my refund?"), ASKS)
SECOND = past(2, (*user("Where is my refund?"), agent(ASKS), *user("A-1", "please hurry")), "It was sent on 3 May.")
THIRD = past(
    3,
    (*SECOND.messages, agent("It was sent on 3 May."), *user("How much was it?")),
    "You got 50 EUR.",
    verdict=VerdictKind.REJECT,
    better="You got 30 EUR on 3 May.",
    reasons=("wrong_amount",),
)


def made(*turns: Past, **options: Any) -> Case:
    return conversation_case_of(PastConversation(id="c-9", turns=turns), SHOP, **options)


def said(case: Case) -> list[str | None]:
    assert case.customer is not None
    return [state.say for state in case.customer.script.values()]


class Scripted:
    """An agent that gives these replies, one after the other."""

    name, version = "scripted", None

    def __init__(self, *replies: str) -> None:
        self._replies = list(replies)

    async def draft(self, request: DraftRequest) -> Draft:
        return Draft(text=self._replies.pop(0))

    async def check(self) -> str:
        return "ready"

    async def close(self) -> None:
        pass


def refuses(case: Case, *replies: str) -> bool:
    """Whether the graders of a case refuse an agent that gives these replies when it is played."""
    release = Release(name="r", agent=Scripted(*replies), rulebook=RULEBOOK, checks=CHECKS)

    def player(of: Case, _trial: int) -> ScriptedPlayer:
        assert of.customer is not None
        return ScriptedPlayer(of.customer)

    async def play() -> bool:
        attempted = await attempt(release, case, 0, player)
        grades = await graded(graders_of(case, NO_MEANS), attempted)
        assert all(grade.error is None for grade in grades), grades
        return any(grade.loss for grade in grades)

    return asyncio.run(play())


def test_customer_says_what_they_said_in_their_order_and_a_burst_at_once() -> None:
    case = made(FIRST, SECOND, THIRD)
    assert case.customer is not None
    assert said(case) == ["Where is my refund?", "{answer2}", "How much was it?", None]
    assert case.customer.facts == {"answer2": "A-1\nplease hurry"}
    assert (case.customer.goal, case.customer.persona) == ("Where is my refund?", "polite, writes briefly")
    assert case.customer.turns_max == 4


def test_what_answers_no_question_of_the_agent_is_no_hidden_fact() -> None:
    asks_back = (*FIRST.messages, agent(ASKS), *user("Why do you ask?"))
    case = made(FIRST, past(2, asks_back, "To find it.", verdict=VerdictKind.REJECT))
    assert case.customer is not None
    assert case.customer.facts == {}


def test_conversation_whose_turns_tell_nothing_of_those_before_is_put_together() -> None:
    case = made(FIRST, replace(SECOND, messages=user("A-1")), replace(THIRD, messages=user("How much was it?")))
    assert said(case) == ["Where is my refund?", "{answer2}", "How much was it?", None]


def test_draft_that_was_never_sent_parts_what_the_customer_said_before_and_after_it() -> None:
    rejected = replace(FIRST, verdict=VerdictKind.REJECT)
    second = past(2, user("Where is my refund?", "Hello??"), "Soon.")
    assert said(made(rejected, second))[:2] == ["Where is my refund?", "Hello??"]


def test_fixed_agent_passes_and_the_repeating_one_fails() -> None:
    case = made(FIRST, SECOND, THIRD)
    assert refuses(case, ASKS, "It was sent on 3 May.", "You got 50 EUR.")
    assert refuses(case, ASKS, "It was sent on 3 May.", "You got some money.")
    assert not refuses(case, ASKS, "It was sent on 3 May.", "You got €30.00.")


def test_value_that_another_reply_rightly_gave_is_neither_asked_for_nor_refused() -> None:
    terms = {one.kind: dict(one.terms) for one in made(FIRST, SECOND, THIRD).graders}
    assert terms == {"facts": {"must": ["30 EUR"], "must_not": ["50 EUR"]}}
    earlier = replace(SECOND, draft=Draft(text="50 EUR were asked for."))
    terms = {
        one.kind: dict(one.terms) for one in made(FIRST, earlier, replace(THIRD, better="You got 30 EUR.")).graders
    }
    assert terms == {"facts": {"must": ["30 EUR"]}, "differs": {"from": "You got 50 EUR."}}


def test_mistakes_of_earlier_turns_are_refused_as_well() -> None:
    first = replace(FIRST, verdict=VerdictKind.REJECT, reasons=("rude",), draft=Draft(text="Look it up yourself."))
    case = made(first, SECOND, replace(THIRD, verdict=VerdictKind.APPROVE, better=None, reasons=()))
    assert case.failure_mode == "rude"
    assert (case.rule, case.what_was_wrong) == (
        CaseRule.MUST_PASS,
        "After 'Where is my refund?': A reviewer rejected the draft. They named: rude.",
    )
    assert refuses(case, "Look it up yourself.", "It was sent.", "30 EUR.")
    assert not refuses(case, ASKS, "It was sent.", "30 EUR.")


def test_conversation_that_rightly_went_to_a_person_must_go_to_one_again() -> None:
    last = replace(THIRD, verdict=None, better=None, reasons=(), decision=DecisionKind.HAND_OFF)
    assert [(one.kind, dict(one.terms)) for one in made(FIRST, SECOND, last).graders] == [
        ("decision", {"": ["hand_off"]})
    ]
    bad = replace(FIRST, verdict=VerdictKind.REJECT)
    assert [one.kind for one in made(bad, SECOND, last).graders] == ["decision", "differs"]


def test_manner_is_what_the_checks_noticed() -> None:
    angry = Finding(check="escalation", code="anger", severity=Severity.MAJOR, explanation="Angry.")
    case = made(FIRST, replace(THIRD, findings=(angry,)), tags=("mine",))
    assert case.customer is not None
    assert case.customer.persona == "angry, writes briefly"
    assert {one.kind: dict(one.terms) for one in case.graders}["checks"]["forbidden"] == ["escalation.anger"]


def test_tags_are_given_ones_and_what_customers_said_of_any_reply() -> None:
    case = made(replace(FIRST, feedback=(FeedbackKind.COMPLAINT,)), SECOND, tags=("mine",))
    assert (case.tags, case.failure_mode, case.rule) == (("mine", "complaint"), "complaint", CaseRule.MUST_PASS)


def call(name: str, arguments: dict[str, Any], result: str) -> ToolCall:
    return ToolCall(id=f"call-{result}", name=name, arguments=json.dumps(arguments), result=result)


def test_tools_answer_as_they_did_by_name_arguments_and_in_the_order_of_their_answers() -> None:
    case = made(
        replace(FIRST, draft=Draft(text=ASKS, tool_calls=(call("get", {"id": "A-1"}, "packed"),))),
        replace(SECOND, draft=Draft(text="x", tool_calls=(call("get", {"id": "B-2"}, "lost"),))),
        replace(THIRD, draft=Draft(text="y", tool_calls=(call("get", {"id": "A-1"}, "sent"),))),
    )
    desk = ToolDesk(case.tools)
    asked = [Action(name="get", arguments={"id": name}) for name in ("A-1", "B-2", "A-1", "A-1", "C-3")]
    answers = [desk.answer(action) for action in asked]
    assert [one.result for one in answers] == ["packed", "lost", "sent", "sent", None]
    assert answers[-1].error == "no answer is recorded for these arguments"


def test_tool_traffic_that_each_turn_repeats_is_taken_once() -> None:
    traffic = (
        ChatMessage(role="assistant", tool_calls=(ToolCall(id="1", name="get", arguments="{}"),)),
        ChatMessage(role="tool", tool_call_id="1", content="sent"),
    )
    second = replace(SECOND, messages=(*user("Where is my refund?"), *traffic, agent(ASKS), *user("A-1")))
    third = replace(THIRD, messages=(*second.messages, agent("x"), *user("How much?")))
    assert [(one.name, one.result, one.call) for one in made(FIRST, second, third).tools] == [("get", "sent", None)]


def test_person_has_one_stand_in_in_all_turns() -> None:
    contact = ContactFacts(id="k-7", name="Grace Hopper", emails=("grace@navy.mil",))
    first = replace(FIRST, messages=user("I am Grace, grace@navy.mil."), contact=contact)
    answer = Draft(text="x", tool_calls=(call("find", {"email": "Grace@navy.mil"}, '{"email": "grace@navy.mil"}'),))
    second = replace(SECOND, messages=(*first.messages, agent(ASKS), *user("grace@navy.mil again")), draft=answer)
    third = replace(THIRD, messages=(*second.messages, agent("x"), *user("How much?")), better="Dear Grace, 30 EUR.")
    text = case_text(made(first, second, third))
    for secret in ("grace", "hopper", "navy", "k-7"):
        assert secret not in text.lower()
    assert text.count("customer1@example.com") >= 4
    assert "customer2" not in text


def test_long_conversation_begins_with_what_was_said_before() -> None:
    whole: tuple[ChatMessage, ...] = ()
    for number in range(STEPS_MAX + 5):
        whole = (*whole, *user(f"question {number}"), agent(f"answer {number}"))
    case = made(past(1, whole[:-1], "bad", verdict=VerdictKind.REJECT))
    assert case.messages == whole[:10]
    assert len(said(case)) == STEPS_MAX + 1
    assert case.customer is not None
    assert case.customer.turns_max <= 50


def test_conversation_without_a_word_of_the_customer_is_refused() -> None:
    with pytest.raises(MalformedInput, match="the customer wrote no text"):
        made(past(1, (ChatMessage(role="user", content=None),), "Hello?", verdict=VerdictKind.REJECT))


def test_same_conversation_and_a_like_one_that_fails_alike_are_taken_once() -> None:
    case = made(FIRST, SECOND, THIRD)
    assert duplicate_of(made(FIRST, SECOND, THIRD), [case]) == case.id
    like = replace(THIRD, id="t-8", messages=(*THIRD.messages[:-1], *user("how much was it??")))
    assert duplicate_of(made(FIRST, SECOND, like), [case]) == case.id
    assert duplicate_of(made(FIRST, SECOND, replace(like, reasons=("rude",))), [case]) is None


def test_graders_are_tried_on_an_agent_that_repeats_the_refused_reply() -> None:
    case = made(FIRST, SECOND, THIRD)
    found = asyncio.run(tried(case, graders_of(case, NO_MEANS), RULEBOOK, CHECKS))
    assert found is not None
    assert found.refused
    toothless = replace(case, graders=(GraderTerms(kind="regex", terms={"must": "EUR"}),))
    found = asyncio.run(tried(toothless, graders_of(toothless, NO_MEANS), RULEBOOK, CHECKS))
    assert found is not None
    assert found.refused is False


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30), min_size=1, max_size=6
    )
)
def test_whatever_was_said_the_case_can_be_written_read_and_played(texts: list[str]) -> None:
    whole: tuple[ChatMessage, ...] = ()
    for text in texts:
        whole = (*whole, *user(text), agent("Is it so?"))
    if not any(texts):
        return
    case = made(past(1, whole[:-1], "bad", verdict=VerdictKind.REJECT))
    assert read_case(yaml.safe_load(case_text(case)), "here") == case
    assert case.customer is not None
    steps = sum(1 for state in case.customer.script.values() if state.say is not None)
    assert not refuses(case, *["something else altogether"] * steps)
