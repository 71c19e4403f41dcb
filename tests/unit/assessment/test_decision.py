"""The decision table, rule by rule, and what no combination may do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from understudy.assessment.decision import decide
from understudy.assessment.reasons import HAND_OFF_CODES, NOT_FOR_A_SAFE_REPLY
from understudy.records.assessment import Confidence, Decision, DecisionKind, Finding, Severity
from understudy.records.conversation import Mode
from understudy.records.evidence import Action, Evidence
from understudy.records.rulebook import CheckPolicy, Grant, Level, ReleaseBar, Rules, SafeReply

AUTO = Rules(
    grants=(Grant(topic="*", channel="*", level=Level.AUTO, threshold=0.9),),
    safe_replies=(SafeReply(id="later", version=1, text="We will come back to you."),),
    degrade_on=(("agent_failed", "later"), ("quality.does_not_know", "later")),
    never_auto=("complaints",),
    automatic_per_hour_max=10,
)
DOES_NOT_KNOW = Finding(check="quality", code="does_not_know", severity=Severity.MAJOR, explanation="It does not know.")


def at_level(level: Level) -> Rules:
    return replace(AUTO, grants=(Grant(topic="*", channel="*", level=level, threshold=0.9),))


def finding(name: str, severity: Severity = Severity.MAJOR) -> Finding:
    check, code = name.split(".")
    return Finding(check=check, code=code, severity=severity, explanation="Found.")


def decided(evidence: Evidence, *findings: Finding, rules: Rules = AUTO, sure: float | None = 0.95) -> Decision:
    confidence = None if sure is None or evidence.draft is None else Confidence(value=sure, contributions=())
    return decide(evidence, findings, confidence, rules)


def codes(decision: Decision) -> list[str]:
    return [reason.code for reason in decision.reasons]


def test_good_draft_is_delivered(turn: Any) -> None:
    decision = decided(turn(audit_draw=0.5))
    assert (decision.kind, codes(decision), decision.is_audited) == (DecisionKind.DELIVER, ["threshold_met"], False)


def test_delivered_draft_is_audited_where_the_coin_says_so(turn: Any) -> None:
    decision = decided(turn(audit_draw=0.01))
    assert (codes(decision), decision.is_audited) == (["threshold_met", "audited"], True)


def test_every_reply_on_probation_is_audited(turn: Any) -> None:
    decision = decided(turn(audit_draw=0.99), rules=at_level(Level.PROBATION))
    assert (decision.kind, decision.is_audited) == (DecisionKind.DELIVER, True)


def test_person_who_has_the_conversation_keeps_it(turn: Any) -> None:
    decision = decided(turn(mode=Mode.PERSON))
    assert (decision.kind, codes(decision)) == (DecisionKind.HAND_OFF, ["conversation_with_person"])


@pytest.mark.parametrize("code", HAND_OFF_CODES)
def test_finding_that_calls_for_a_person_is_a_hand_off(turn: Any, code: str) -> None:
    decision = decided(turn(), finding(code))
    assert (decision.kind, codes(decision)) == (DecisionKind.HAND_OFF, [code])


def test_rulebook_may_name_other_findings_for_a_hand_off(turn: Any) -> None:
    rules = replace(AUTO, hand_off_codes=("escalation.anger",))
    assert decided(turn(), finding("escalation.anger"), rules=rules).kind is DecisionKind.HAND_OFF


def test_most_urgent_reason_stands_first(turn: Any) -> None:
    found = (finding("escalation.wants_person"), finding("escalation.vulnerable"))
    decision = decided(turn(), *found)
    assert (codes(decision), decision.priority) == (["escalation.vulnerable", "escalation.wants_person"], 0)


def test_agent_that_only_shadows_never_speaks(turn: Any) -> None:
    decision = decided(turn(), rules=at_level(Level.SHADOW))
    assert (decision.kind, codes(decision)) == (DecisionKind.HAND_OFF, ["level_shadow"])


@pytest.mark.parametrize(("level", "code"), [(Level.ASSIST, "level_assist"), (Level.DEMOTED, "level_demoted")])
def test_draft_below_probation_is_held(turn: Any, level: Level, code: str) -> None:
    decision = decided(turn(), rules=at_level(level))
    assert (decision.kind, codes(decision)) == (DecisionKind.HOLD, [code])


@pytest.mark.parametrize("bar", ReleaseBar)
def test_draft_that_waits_because_of_its_release_says_so(turn: Any, bar: ReleaseBar) -> None:
    barred = Grant(topic="orders", channel="webchat", level=Level.ASSIST, bar=bar)
    decision = decided(turn(), rules=replace(AUTO, earned=barred))
    assert (decision.kind, codes(decision)) == (DecisionKind.HOLD, [f"release_{bar.value}"])
    assert decision.is_candidate


def test_stop_of_a_person_is_said_before_the_release(turn: Any) -> None:
    barred = Grant(topic="orders", channel="webchat", level=Level.ASSIST, on_hold=True, bar=ReleaseBar.UNEARNED)
    assert codes(decided(turn(), rules=replace(AUTO, earned=barred))) == ["autonomy_on_hold"]


def test_slice_without_a_grant_is_assisted(turn: Any) -> None:
    assert codes(decided(turn(), rules=replace(AUTO, grants=()))) == ["level_assist"]


def test_first_grant_that_matches_counts(turn: Any) -> None:
    grants = (
        Grant(topic="orders", channel="sms", level=Level.AUTO),
        Grant(topic="orders", channel="*", level=Level.DEMOTED),
        Grant(topic="*", channel="*", level=Level.AUTO),
    )
    assert codes(decided(turn(), rules=replace(AUTO, grants=grants))) == ["level_demoted"]


def test_failed_agent_is_answered_for_by_the_safe_reply(turn: Any) -> None:
    decision = decided(turn(draft=None))
    assert (decision.kind, decision.safe_reply, codes(decision)) == (DecisionKind.DEGRADE, "later", ["agent_failed"])


def test_failed_agent_without_a_safe_reply_brings_a_person(turn: Any) -> None:
    decision = decided(turn(draft=None), rules=replace(AUTO, degrade_on=()))
    assert (decision.kind, codes(decision)) == (DecisionKind.HAND_OFF, ["agent_failed"])


def test_agent_that_does_not_know_is_answered_for_by_the_safe_reply(turn: Any) -> None:
    decision = decided(turn(), DOES_NOT_KNOW)
    assert (decision.kind, decision.safe_reply) == (DecisionKind.DEGRADE, "later")


def test_safe_reply_answers_an_unknown_topic_when_the_agent_does_not_know(turn: Any) -> None:
    assert decided(turn(topic="unknown"), DOES_NOT_KNOW).kind is DecisionKind.DEGRADE


@pytest.mark.parametrize("draft", [None, "I don't know."])
def test_safe_reply_is_sent_once_per_conversation(turn: Any, draft: str | None) -> None:
    found = () if draft is None else (DOES_NOT_KNOW,)
    assert decided(turn(draft=draft, safe_replies_sent=("later",)), *found).kind is DecisionKind.HAND_OFF


@pytest.mark.parametrize("draft", [None, "I don't know."])
@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, [finding("escalation.wants_person")]),
        ({}, [finding("escalation.check_failed", Severity.UNKNOWN)]),
        ({}, [finding("injection.in_source", Severity.BLOCKING)]),
        ({"topic": "complaints"}, []),
        ({"degraded_last_hour": 10}, []),
        ({"mode": Mode.PERSON}, []),
    ],
)
def test_safe_reply_bypasses_no_hard_rule(
    turn: Any, draft: str | None, change: dict[str, Any], found: list[Finding]
) -> None:
    findings = found + ([] if draft is None else [DOES_NOT_KNOW])
    assert decided(turn(draft=draft, **change), *findings).kind in (DecisionKind.HAND_OFF, DecisionKind.HOLD)


@pytest.mark.parametrize("draft", [None, "I don't know."])
@pytest.mark.parametrize("code", NOT_FOR_A_SAFE_REPLY)
def test_no_safe_reply_answers_who_is_angry_or_worse(turn: Any, code: str, draft: str | None) -> None:
    rules = replace(AUTO, hand_off_codes=("escalation.wants_person",))
    found = [finding(code)] if draft is None else [finding(code), DOES_NOT_KNOW]
    decision = decided(turn(draft=draft), *found, rules=rules)
    failed = "agent_failed" if draft is None else "quality.does_not_know"
    assert (decision.kind, codes(decision)) == (DecisionKind.HAND_OFF, [failed, code])


def test_who_is_angry_and_unproven_is_not_asked_for_proof_by_a_safe_reply(turn: Any) -> None:
    rules = replace(AUTO, degrade_on=(("exposure.unverified_account", "later"),))
    unproven, angry = finding("exposure.unverified_account"), finding("escalation.anger")
    assert decided(turn(), unproven, rules=rules).kind is DecisionKind.DEGRADE
    decision = decided(turn(), unproven, angry, rules=rules)
    assert (decision.kind, codes(decision)) == (DecisionKind.HOLD, ["exposure.unverified_account", "escalation.anger"])


@pytest.mark.parametrize("draft", [None, "I don't know."])
def test_safe_reply_is_not_sent_in_shadow(turn: Any, draft: str | None) -> None:
    found = () if draft is None else (DOES_NOT_KNOW,)
    assert decided(turn(draft=draft), *found, rules=at_level(Level.SHADOW)).kind is DecisionKind.HAND_OFF


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"topic": "complaints"}, "never_auto_topic"),
        ({"topic": "unknown"}, "unknown_topic"),
        ({"topic": ""}, "unknown_topic"),
        ({"actions": (Action(name="refund", arguments={}),)}, "action_proposed"),
        ({"automatic_last_hour": 10}, "quota_exhausted"),
    ],
)
def test_hard_rule_holds_a_perfect_draft(turn: Any, change: dict[str, Any], code: str) -> None:
    decision = decided(turn(**change), sure=1.0)
    assert (decision.kind, codes(decision)) == (DecisionKind.HOLD, [code])


def test_last_reply_of_the_quota_is_delivered(turn: Any) -> None:
    assert decided(turn(automatic_last_hour=9)).kind is DecisionKind.DELIVER


def test_blocking_finding_holds_a_perfect_draft(turn: Any) -> None:
    decision = decided(turn(), finding("exposure.secret", Severity.BLOCKING), sure=1.0)
    assert (decision.kind, codes(decision)) == (DecisionKind.HOLD, ["exposure.secret"])


def test_unknown_finding_holds_a_perfect_draft(turn: Any) -> None:
    decision = decided(turn(), finding("policy.check_failed", Severity.UNKNOWN), sure=1.0)
    assert (decision.kind, codes(decision)) == (DecisionKind.HOLD, ["check_failed.policy"])


def test_ignored_failure_shows_in_the_reasons(turn: Any) -> None:
    rules = replace(AUTO, checks=(CheckPolicy(check="policy", on_failure="ignore"),))
    decision = decided(turn(audit_draw=0.5), finding("policy.check_failed", Severity.UNKNOWN), rules=rules)
    assert (decision.kind, codes(decision)) == (DecisionKind.DELIVER, ["threshold_met", "check_ignored.policy"])


@pytest.mark.parametrize(
    ("sure", "kind"), [(0.9, DecisionKind.DELIVER), (0.8999, DecisionKind.HOLD), (None, DecisionKind.HOLD)]
)
def test_confidence_must_reach_the_threshold(turn: Any, sure: float | None, kind: DecisionKind) -> None:
    assert decided(turn(), sure=sure).kind is kind


def test_all_reasons_for_a_hold_are_listed(turn: Any) -> None:
    found = (finding("exposure.secret", Severity.BLOCKING), finding("policy.check_failed", Severity.UNKNOWN))
    decision = decided(turn(topic="complaints"), *found, rules=at_level(Level.ASSIST), sure=0.1)
    assert codes(decision) == [
        "check_failed.policy",
        "exposure.secret",
        "never_auto_topic",
        "level_assist",
        "below_threshold",
    ]


def test_same_reason_is_given_once(turn: Any) -> None:
    secret = finding("exposure.secret", Severity.BLOCKING)
    assert codes(decided(turn(), secret, secret)) == ["exposure.secret"]


def test_angry_customer_is_looked_at_before_others(turn: Any) -> None:
    assert decided(turn(), finding("escalation.anger"), sure=0.1).priority < decided(turn(), sure=0.1).priority
