"""Forbidden phrases are found as words, however they are spaced and cased."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.checks.policy import PolicyCheck, broken, wrong_examples
from understudy.assessment.wording import visible
from understudy.records.assessment import Finding, Severity, Span
from understudy.records.evidence import Evidence
from understudy.records.policy import OpeningHours, OpenPeriod, PolicyRule
from understudy.records.rulebook import ForbiddenPhrase, Rules

RULES = Rules(forbidden=(ForbiddenPhrase(phrase="guaranteed delivery", why="we never guarantee it."),))


def found(evidence: Evidence) -> tuple[Finding, ...]:
    assert evidence.draft
    return PolicyCheck().examine(evidence, evidence.draft, RULES).findings


@pytest.mark.parametrize("text", ["It is guaranteed delivery.", "GUARANTEED\n DELIVERY!", "guaranteed  delivery"])
def test_forbidden_phrase_blocks(turn: Any, text: str) -> None:
    assert [finding.severity for finding in found(turn("hello", text))] == [Severity.BLOCKING]


@pytest.mark.parametrize("text", ["unguaranteed delivery", "guaranteed deliveryman", "delivery guaranteed"])
def test_part_of_a_word_is_not_the_phrase(turn: Any, text: str) -> None:
    assert found(turn("hello", text)) == ()


def test_explanation_says_why(turn: Any) -> None:
    assert found(turn("hello", "guaranteed delivery"))[0].explanation.endswith(": we never guarantee it.")


def test_phrase_is_plain_words_and_no_pattern(turn: Any) -> None:
    evidence = turn("hello", "100% safe")
    rules = Rules(forbidden=(ForbiddenPhrase(phrase=".*", why="x"),))
    assert PolicyCheck().examine(evidence, evidence.draft, rules).findings == ()


def broken_by(rule: PolicyRule, evidence: Evidence, **more: Any) -> list[str]:
    assert evidence.draft
    rules = Rules(policy=(rule,), **more)
    return [finding.code for finding in PolicyCheck().examine(evidence, evidence.draft, rules).findings]


def test_pattern_is_found_where_it_stands(turn: Any) -> None:
    rule = PolicyRule(name="r", kind="promise", patterns=(r"refund within \d+ hours",))
    evidence = turn("hello", "Caf\u00e9: REFUND within 24 hours!")
    (finding,) = PolicyCheck().examine(evidence, evidence.draft, Rules(policy=(rule,))).findings
    assert finding.span == Span(start=6, end=28)


def test_invisible_characters_hide_no_phrase_and_the_span_holds_them(turn: Any) -> None:
    text = "So: guaran\u200bteed deli\u00advery."
    evidence = turn("hello", text)
    (finding,) = PolicyCheck().examine(evidence, evidence.draft, RULES).findings
    assert text[finding.span.start : finding.span.end] == "guaran\u200bteed deli\u00advery"


def test_rule_holds_only_where_it_says(turn: Any) -> None:
    rule = PolicyRule(name="r", phrases=("cheap",), topics=("prices",), channels=("sms",))
    assert broken_by(rule, turn("hello", "It is cheap.")) == []
    assert broken_by(replace(rule, topics=("orders",), channels=("webchat",)), turn("hello", "It is cheap.")) == [
        "forbidden_phrase"
    ]


def test_required_sentence_is_required_where_its_occasion_is(turn: Any) -> None:
    rule = PolicyRule(name="r", kind="required", phrases=("plus delivery",), when=("price",))
    assert broken_by(rule, turn("What is the price?", "Nine euros.")) == ["required_missing"]
    assert broken_by(rule, turn("What is the price?", "Nine euros plus delivery.")) == []
    assert broken_by(rule, turn("Hello", "Hello!")) == []


@pytest.mark.parametrize(("zone", "is_open"), [("UTC", True), ("Asia/Tokyo", False)])
def test_rule_for_closed_hours_holds_by_the_clock_of_the_business(turn: Any, zone: str, is_open: bool) -> None:
    friday = OpeningHours(timezone=zone, periods=(OpenPeriod(weekday=4, from_minute=540, to_minute=1020),))
    rule = PolicyRule(name="r", phrases=("call us now",), hours="closed")
    assert (broken_by(rule, turn("hello", "Call us now."), hours=friday) == []) == is_open


def test_without_hours_no_rule_for_hours_holds(turn: Any) -> None:
    assert broken_by(PolicyRule(name="r", phrases=("call us",), hours="closed"), turn("hello", "Call us.")) == []


def test_examples_that_the_rule_judges_otherwise_are_named() -> None:
    rule = PolicyRule(name="r", phrases=("promise",), passes=("We promise it.",), fails=("We promise.", "We hope so."))
    assert wrong_examples(rule) == (
        "'We promise it.' should pass, and it does not",
        "'We hope so.' should fail, and it does not",
    )


@given(text=st.text(alphabet="ab\u200b\u00e9 \u2019'", max_size=60), phrase=st.sampled_from(["ab", "a b", "a'b"]))
def test_span_of_a_phrase_holds_the_phrase(text: str, phrase: str) -> None:
    spans = [f.span for f in broken(PolicyRule(name="r", phrases=(phrase,)), visible(text), said=()) if f.span]
    for span in spans:
        assert " ".join(visible(text[span.start : span.end]).text.split()) == phrase
