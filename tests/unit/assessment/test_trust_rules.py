"""A customer whose trust is capped never gets anything that no person saw, whatever else is true of the turn."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.assessment.decision import decide
from understudy.assessment.reasons import REASONS
from understudy.records.assessment import Confidence, DecisionKind, Finding, Severity
from understudy.records.evidence import PastReply
from understudy.records.rulebook import Grant, Level, Rules, SafeReply
from understudy.records.trust import Cap, CapCause, TrustRules

ANY_TURN = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it makes a new one each time
SURE = Confidence(value=1.0, contributions=())
SORRY = SafeReply(id="sorry", version=1, text="Sorry.")
FINDINGS = st.lists(
    st.builds(
        Finding,
        check=st.sampled_from(["escalation", "quality", "grounding"]),
        code=st.sampled_from(["complaint", "wants_person", "does_not_know", "x"]),
        severity=st.sampled_from(list(Severity)),
        explanation=st.just("A finding."),
    ),
    max_size=3,
).map(tuple)


@ANY_TURN
@given(
    cause=st.sampled_from(list(CapCause)),
    level=st.sampled_from(list(Level)),
    findings=FINDINGS,
    has_draft=st.booleans(),
)
def test_nothing_leaves_unseen_to_a_capped_customer(
    turn: Any, cause: CapCause, level: Level, findings: tuple[Finding, ...], has_draft: bool
) -> None:
    rules = Rules(
        grants=(Grant(topic="*", channel="*", level=level, threshold=0.0),),
        safe_replies=(SORRY,),
        degrade_on=(("agent_failed", "sorry"), ("quality.does_not_know", "sorry")),
    )
    evidence = turn(draft="Hello!" if has_draft else None, cap=cause)
    decision = decide(evidence, findings, SURE if has_draft else None, rules)
    assert decision.kind in (DecisionKind.HOLD, DecisionKind.HAND_OFF)
    assert not decision.is_candidate
    assert cause is not CapCause.WANTS_PEOPLE or decision.kind is DecisionKind.HAND_OFF


@pytest.mark.parametrize("cause", list(CapCause))
def test_every_cause_says_why_in_words(turn: Any, cause: CapCause) -> None:
    rules = Rules(grants=(Grant(topic="*", channel="*", level=Level.AUTO, threshold=0.0),))
    decision = decide(turn(cap=cause), (), SURE, rules)
    assert f"trust_{cause.value}" in REASONS
    assert decision.reasons[0].code == f"trust_{cause.value}"
    assert decision.reasons[0].explanation.startswith(("This customer", "The last", "A person", "Nobody vouches"))


@pytest.mark.parametrize("has_reply", [True, False])
def test_a_complaint_counts_against_the_automatic_reply_before_it_alone(turn: Any, has_reply: bool) -> None:
    complaint = Finding(check="escalation", code="complaint", severity=Severity.MAJOR, explanation="Complains.")
    rules = Rules(grants=(Grant(topic="*", channel="*", level=Level.AUTO, threshold=0.0),))
    asked = turn()
    past = PastReply(turn_id="t0", topic="orders", at=asked.at) if has_reply else None
    decision = decide(turn(follows=past), (complaint,), SURE, rules)
    assert (decision.kind is DecisionKind.HOLD) == has_reply


@ANY_TURN
@given(days=st.floats(0, 100), good_contacts=st.integers(0, 5), after_days=st.floats(0, 200), good=st.integers(0, 6))
def test_a_cap_holds_until_its_time_or_enough_good_contacts(
    turn: Any, days: float, good_contacts: int, after_days: float, good: int
) -> None:
    rules = TrustRules(days=days, good_contacts=good_contacts)
    at = turn().at
    cap = Cap(contact_id="c", cause=CapCause.COMPLAINT, turn_id=None, at=at, good=good)
    is_in_time = not days or timedelta(days=after_days) < timedelta(days=days)
    is_still_bad = not good_contacts or good < good_contacts
    assert cap.holds(rules, at + timedelta(days=after_days)) == (is_in_time and is_still_bad)
