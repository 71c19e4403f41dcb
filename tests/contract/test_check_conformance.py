"""The conformance test for checks passes every built-in one and finds each way of breaking the contract."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import pytest

from understudy.assessment.check import Check, Code, Examination
from understudy.assessment.checks import CHECKS
from understudy.records.assessment import Severity, Span
from understudy.testing.checks import SECONDS_MAX, nonconformities

CODE = Code(check="tone", code="rough", severity=Severity.MAJOR, explanation="The tone is rough.")
QUOTE = Code(check="tone", code="rough", severity=Severity.MAJOR, explanation="Orders take two days.")
STRANGER = Code(check="manners", code="rough", severity=Severity.MAJOR, explanation="The tone is rough.")


class AnyCheck:
    """A check that does what a test gives it."""

    words = "the tone is rough"
    needs_draft = False

    def __init__(self, answer: Callable[[Any], Any], name: str = "tone") -> None:
        self.name = name
        self._answer = answer

    def examine(self, evidence: Any, draft: Any, rules: Any) -> Any:
        return self._answer(draft)


def fine(_draft: Any) -> Examination:
    return Examination(score=1.0)


def slow(_draft: Any) -> Examination:
    ends = time.process_time() + SECONDS_MAX * 1.1
    while time.process_time() < ends:
        pass
    return Examination(score=1.0)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_built_in_check_conforms(check: Check) -> None:
    assert nonconformities(check) == []  # type: ignore[arg-type]


def test_check_that_finds_nothing_conforms() -> None:
    assert nonconformities(AnyCheck(fine)) == []


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda _: Examination(score=1.5), "a number in [0, 1]"),
        (lambda _: Examination(score=math.nan), "a number in [0, 1]"),
        (lambda _: None, "a number in [0, 1]"),
        (lambda _: Examination(score=1.0, findings=["rough"]), "no tuple of Finding"),  # type: ignore[arg-type]
        (lambda _: Examination(score=1.0, findings=(STRANGER.found(),)), "belongs to 'manners'"),
        (lambda _: Examination(score=1.0, findings=(CODE.found(Span(start=0, end=10**6)),)), "the span ends at"),
        (lambda _: Examination(score=1.0, findings=(QUOTE.found(),)), "quotes the draft"),
        (lambda draft: Examination(score=1 / len(draft.text)), "ZeroDivisionError"),
    ],
)
def test_broken_answer_is_found(answer: Callable[[Any], Any], says: str) -> None:
    assert any(says in problem for problem in nonconformities(AnyCheck(answer)))


def test_check_that_says_something_else_the_second_time_is_found() -> None:
    scores = iter(range(10**6))
    found = nonconformities(AnyCheck(lambda _: Examination(score=next(scores) % 2)))
    assert any("second time" in problem for problem in found)


def test_name_that_is_no_identifier_is_found() -> None:
    assert any("lower-case identifier" in problem for problem in nonconformities(AnyCheck(fine, name="My Tone")))


def test_check_that_hangs_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy.testing.checks.SECONDS_MAX", 0.001)
    monkeypatch.setitem(slow.__globals__, "SECONDS_MAX", 0.002)
    assert any("processor time" in problem for problem in nonconformities(AnyCheck(slow)))
