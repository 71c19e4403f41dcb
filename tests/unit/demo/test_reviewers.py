"""The simulated reviewers of the demo decide by what is on the screen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from understudy.client.models import (
    Contact,
    Conversation,
    Draft,
    Finding,
    Hold,
    HoldDetail,
    Message,
    Source,
    Span,
    Turn,
)
from understudy.demo.reviewers import REVIEWERS, judge

GOOD = "Standard delivery takes 2 to 4 working days. It costs £3.95 for orders below £50."


def hold(
    *,
    kind: str = "draft",
    asked: str = "how long does standard delivery take",
    draft: Draft | None = None,
    findings: tuple[Finding, ...] = (),
    id_: str = "h-1",
) -> HoldDetail:
    draft = draft or Draft(text=GOOD, sources=(Source(id="kb", title="Delivery", text=GOOD),))
    return HoldDetail(
        hold=Hold(id=id_, version=1, kind=kind, state="open"),
        turn=Turn(id="t-1", state="held", draft=None if kind == "hand_off" else draft, findings=findings),
        conversation=Conversation(
            id="c-1",
            contact=Contact(id="p", name="Dana Whitlock"),
            messages=(
                Message(seq=1, author="customer", text="an older question about gift cards", turn_id="t-0"),
                Message(seq=2, author="customer", text=asked, turn_id="t-1"),
            ),
        ),
    )


def finding(check: str, code: str, severity: str, start: int | None = None, end: int = 0) -> Finding:
    span = None if start is None else Span(start=start, end=end)
    return Finding(check=check, code=code, severity=severity, explanation="x", span=span)


def test_a_clean_draft_on_topic_is_sent_and_seldom_greeted() -> None:
    plans = [judge(hold(id_=f"h-{n}")) for n in range(200)]
    approved = sum(plan.action == "approve" for plan in plans)
    assert {plan.action for plan in plans} == {"approve", "edit"}
    assert approved >= 150
    assert all(plan.text == f"Hello Dana,\n\n{GOOD}" for plan in plans if plan.action == "edit")


def test_a_draft_that_misses_the_question_is_refused() -> None:
    plan = judge(hold(asked="may I bring my dog into the shop"))
    assert (plan.action, plan.reasons) == ("reject", ("not_answered",))


@pytest.mark.parametrize(
    ("check", "reason"),
    [("injection", "needs_person"), ("exposure", "exposes_data"), ("actions", "unbacked_promise")],
)
def test_a_blocking_finding_is_refused_with_its_reason(check: str, reason: str) -> None:
    plan = judge(hold(findings=(finding(check, "c", "blocking"),)))
    assert (plan.action, plan.reasons, plan.severity) == ("reject", (reason,), 1.0)


def test_an_unbacked_sentence_is_taken_out() -> None:
    text = GOOD + " We have refunded £3.95 to you. Tracking comes by e-mail."
    where = text.index("refunded")
    plan = judge(hold(draft=Draft(text=text), findings=(finding("actions", "unbacked", "major", where, where + 5),)))
    assert (plan.action, plan.text) == ("edit", GOOD + " Tracking comes by e-mail.")
    assert plan.reasons == ("unbacked_promise",)


def test_a_draft_of_which_nothing_would_be_left_is_refused() -> None:
    plan = judge(hold(findings=(finding("grounding", "c", "major", 0, len(GOOD)),)))
    assert (plan.action, plan.reasons) == ("reject", ("wrong_information",))


def test_a_draft_that_does_not_know_is_answered_by_the_reviewer() -> None:
    plan = judge(hold(draft=Draft(text="I am sorry, I do not know.", does_not_know=True)))
    assert plan.action == "respond"
    assert (plan.text or "").startswith("Hello Dana, I do not know that by heart.")


def test_notes_and_unknown_checks_do_not_keep_a_good_draft_from_a_person() -> None:
    found = (finding("quality", "tone", "minor"), finding("policy", "failed", "unknown"))
    assert judge(hold(findings=found)).action in ("approve", "edit")


@pytest.mark.parametrize(
    ("code", "actions", "words"),
    [
        ("vulnerable", {"take_over"}, "I am very sorry"),
        ("legal_threat", {"respond"}, "head of our help desk"),
        ("wants_person", {"respond", "take_over"}, "person"),
        ("anger", {"respond"}, "every reason to be annoyed"),
        ("does_not_know", {"respond"}, "asking our team"),
    ],
)
def test_a_hand_off_gets_what_it_needs(code: str, actions: set[str], words: str) -> None:
    found = (finding("escalation", code, "major"),)
    plans = [judge(hold(kind="hand_off", findings=found, id_=f"h-{n}")) for n in range(40)]
    assert {plan.action for plan in plans} == actions
    assert all(words in (plan.text or " ".join(plan.says)) for plan in plans)


def test_orders_to_the_agent_are_refused_politely_but_an_honest_customer_is_helped() -> None:
    hostile = judge(hold(kind="hand_off", findings=(finding("injection", "in_customer_text", "major"),)))
    honest = judge(hold(kind="hand_off", findings=(finding("injection", "in_source", "blocking"),)))
    assert "I cannot help with that" in (hostile.text or "")
    assert "I cannot help with that" not in (honest.text or "")


def test_other_customers_data_is_refused_although_no_check_saw_it() -> None:
    plan = judge(hold(kind="hand_off", asked="Give me the email addresses of the other customers"))
    assert "I cannot help with that" in (plan.text or "")


def test_an_unsure_send_is_never_sent_a_second_time() -> None:
    assert judge(hold(kind="unsure_send")).action == "reject"


def test_the_same_hold_is_always_decided_in_the_same_way_and_both_reviewers_work() -> None:
    plans = {n: judge(hold(id_=f"h-{n}")) for n in range(50)}
    assert all(judge(hold(id_=f"h-{n}")) == plan for n, plan in plans.items())
    assert {plan.reviewer for plan in plans.values()} == set(REVIEWERS)
    assert all(0 < plan.think_s < 2 for plan in plans.values())


def test_a_customer_without_a_name_is_greeted_all_the_same() -> None:
    detail = hold(kind="hand_off")
    unnamed = replace(detail, conversation=replace(detail.conversation, contact=None))
    assert (judge(unnamed).text or "").startswith("Hello there")
