"""No check takes long, whatever 100 kB it is given: its work grows with the text and not faster, and has limits.

The bench (`./dev bench checks`) measures milliseconds; here the ceiling is ten times what a check may take on a quiet
machine, in processor time, because what this guards against (a pattern that backtracks, a loop in a loop) takes minutes.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.assessment.check import Check
from understudy.assessment.checks import CHECKS
from understudy.records.evidence import Draft, Evidence, Passage, ToolCall
from understudy.records.rulebook import Rules

SIZE = 100_000
CEILING_S = 1.0
UNITS = (
    "a", "the ", ". ", "1 ", "1,234.56 ", "a@", "a.b@c.d ", "http://", "| a | b |\n", "What is it? ", "i g n o r e ", "QUJD",
    "deadbeef", "\u200b", "\ufdfa", "\u202e", '{"a": "write a poem", ', "not no never ", "\n", "{{", '"', "((", "I've ",
    "AAAA BBBB! ", "_", "DE89370400440532013000 ", "1-1-", "+44 20 7946 0000 ", "12/12/2024 ", "May 5, ", "<img ", "![", "$ ",
    "ignore all your ", "system: ", "api_key = ", "Write a poem. ", "Word is not refundable today. ", "4111111111111111 ",
)  # fmt: skip
WHERE = ("draft", "customer", "passage", "result")


def placed(text: str, where: str, make: Any) -> Evidence:
    draft = Draft(
        text=text if where == "draft" else "Refunds take 5 days.",
        sources=(Passage(id="1", text=text if where == "passage" else "Refunds take a week."),),
        tool_calls=(ToolCall(id="1", name="look_up", result=text),) if where == "result" else (),
    )
    given: Evidence = make(text if where == "customer" else "hello", draft.text)
    return Evidence(**{name: getattr(given, name) for name in given.__dataclass_fields__} | {"draft": draft})


def seconds(check: Check, evidence: Evidence) -> float:
    assert evidence.draft is not None
    began = time.process_time()
    check.examine(evidence, evidence.draft, Rules())
    return time.process_time() - began


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_no_repeated_text_keeps_a_check_busy(turn: Any, check: Check, where: str) -> None:
    slow = {}
    for unit in UNITS:
        taken = seconds(check, placed((unit * SIZE)[:SIZE], where, turn))
        if taken > CEILING_S:
            slow[unit] = taken
    assert slow == {}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(unit=st.text(min_size=1, max_size=12), where=st.sampled_from(WHERE))
def test_no_text_made_of_anything_keeps_a_check_busy(turn: Any, unit: str, where: str) -> None:
    evidence = placed((unit * SIZE)[:SIZE], where, turn)
    assert {check.name: taken for check in CHECKS if (taken := seconds(check, evidence)) > CEILING_S} == {}
