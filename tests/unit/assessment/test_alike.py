"""Which drafts are alike: equal texts in one place, and nothing that speaks against them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.alike import HARMLESS, alike_of, normal
from understudy.assessment.reasons import REASONS
from understudy.records.assessment import Assessment, Decision, DecisionKind, Finding, Reason, Severity
from understudy.records.evidence import Action, Draft

DRAFT = Draft(text="We are open from nine to six.")


def assessed(*severities: Severity, codes: tuple[str, ...] = ("level_assist",)) -> Assessment:
    return Assessment(
        rulebook_id="r-1",
        findings=tuple(
            Finding(check="quality", code="x", severity=severity, explanation="", span=None) for severity in severities
        ),
        signals=(),
        confidence=None,
        decision=Decision(
            kind=DecisionKind.HOLD,
            reasons=tuple(Reason(code=code, explanation="") for code in codes),
            priority=5,
        ),
    )


def name(draft: Draft = DRAFT, assessment: Assessment | None = None, topic: str | None = "stores") -> str | None:
    return alike_of(draft, assessment or assessed(), topic=topic, channel="webchat")


@given(st.text(min_size=1).filter(lambda text: text.strip()), st.text(min_size=1).filter(lambda text: text.strip()))
def test_two_drafts_are_alike_exactly_if_their_normal_texts_are_equal(one: str, other: str) -> None:
    assert (name(replace(DRAFT, text=one)) == name(replace(DRAFT, text=other))) == (normal(one) == normal(other))


@given(st.text())
def test_a_normal_text_is_its_own_normal_form(text: str) -> None:
    assert normal(normal(text)) == normal(text)


def test_white_space_makes_no_difference() -> None:
    assert name(replace(DRAFT, text="We are  open\nfrom nine to six. ")) == name()


def test_topic_and_channel_do() -> None:
    names = {name(), name(topic="returns"), alike_of(DRAFT, assessed(), topic="stores", channel="sms")}
    assert len(names) == 3


@pytest.mark.parametrize("severity", [one for one in Severity if one is not Severity.INFO])
def test_a_finding_graver_than_for_information_forbids_it(severity: Severity) -> None:
    assert name(assessment=assessed(Severity.INFO)) is not None
    assert name(assessment=assessed(Severity.INFO, severity)) is None


@pytest.mark.parametrize("code", sorted(REASONS))
def test_a_reason_that_says_something_against_the_draft_forbids_it(code: str) -> None:
    assert (name(assessment=assessed(codes=("level_assist", code))) is not None) == (code in HARMLESS)


@pytest.mark.parametrize(
    "draft",
    [
        replace(DRAFT, actions=(Action(name="refund", arguments={}),)),
        replace(DRAFT, handoff=True),
        replace(DRAFT, text="  "),
    ],
)
def test_what_does_something_or_says_nothing_is_like_no_other(draft: Draft) -> None:
    assert name(draft) is None


def test_a_draft_without_a_topic_is_like_no_other() -> None:
    assert name(topic=None) is None


def test_no_draft_is_like_no_other() -> None:
    assert alike_of(None, assessed(), topic="stores", channel="webchat") is None
