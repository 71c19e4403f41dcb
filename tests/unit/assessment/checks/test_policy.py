"""Forbidden phrases are found as words, however they are spaced and cased."""

from __future__ import annotations

from typing import Any

import pytest

from understudy.assessment.checks.policy import PolicyCheck
from understudy.records.assessment import Finding, Severity
from understudy.records.evidence import Evidence
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
