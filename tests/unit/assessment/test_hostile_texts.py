"""No text, however it is made, holds a check up, breaks it, or makes it point outside the draft.

What a check costs is measured in processor time of its own thread, the best of a few tries, and beside a yardstick of
the same moment: a busy machine makes both slower.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.assessment.cards import mask_cards
from understudy.assessment.check import Check
from understudy.assessment.checks import CHECKS
from understudy.records.assessment import Severity
from understudy.records.evidence import ChatMessage, Draft, Evidence, ToolCall
from understudy.records.policy import PolicyRule
from understudy.records.rulebook import ForbiddenPhrase, Profile, Rules

CHARS = 100_000
LIMIT_S = 0.1
YARDSTICK_S = 0.010
"""What `yardstick` takes on the machine the limit was written for, quiet."""
TRIES = 4

OWN = [check for check in CHECKS if check.name in ("actions", "exposure", "escalation", "policy", "quality")]
RULES = Rules(
    profile=Profile(domains=("shop.example",)),
    forbidden=(ForbiddenPhrase(phrase="a a a", why="x"),),
    policy=(
        PolicyRule(name="nested", patterns=(r"(a+)+$", r"(x|xx)*y", r"(.*)*=", r"(\w+\s?)*!", r"a.*=|a", r"\b")),
        PolicyRule(name="required", kind="required", phrases=("never there",), when=("a",)),
    ),
)
PIECES = (
    "1 ", "4111 1111 1111 1111 ", "call 555 123 4567, ", "+1 (555) ", "GB82 WEST 1234 ", "536-90-4399 ", "a", "a ", "a@", "a@b.co ",
    "http://", "www.", "https://jira.", "a.internal ", "{{", "[", "[your name] ", "<", "<br>", "**a** ", "[a](b) ", "| a ", "\n", ".",
    ". ", "I have cancelled it ", "if not i cancelled ", "speak to a ", "the a real live ", "so very angry ", "want a human ",
    "password is ", "sk-", "eyJ", "\u200b", "a\u200b", "\u0661", "\U0001f600", "e\u0301", "\uff21", "\u2019", "\u0130", "!", "?!", "\\",
    "50% ", "$1,200.00 ", '{"a": ', "This is not a refundable item here. ", "x" * 50 + " ",
)  # fmt: skip
"""What hostile texts are made of."""


def hostile() -> st.SearchStrategy[str]:
    """One or two pieces, which `long` writes over and over."""
    return st.lists(st.sampled_from(PIECES), min_size=1, max_size=2).map("".join)


def long(piece: str) -> str:
    return (piece * (CHARS // len(piece) + 1))[:CHARS]


def yardstick_s() -> float:
    """How long a fixed piece of the same kind of work takes just now."""
    text = "the quick brown fox 12345 " * 2_000
    began = time.thread_time()
    for _ in range(3):
        re.sub(r"(\w+) (\d+)", r"\2 \1", text)
    return time.thread_time() - began


def places(text: str) -> list[tuple[Evidence, Draft]]:
    """The text as a draft, as the customer's words, and as what a tool gave and the instructions say."""
    plain = Draft(text="I have refunded order 12345. Mail a@b.co or call +1 555 123 4567.")
    call = ToolCall(id="1", name="get", arguments="{}")
    tool = (
        ChatMessage(role="system", content=text),
        ChatMessage(role="assistant", tool_calls=(call,)),
        ChatMessage(role="tool", content=text, tool_call_id="1"),
        ChatMessage(role="assistant", content=text),
    )
    drafted = Draft(text=text)
    return [(turn_of("hello", drafted), drafted), (turn_of(text, plain), plain), (turn_of("hello", plain, tool), plain)]


def turn_of(customer: str, draft: Draft, before: tuple[ChatMessage, ...] = ()) -> Evidence:
    from datetime import UTC, datetime

    messages = (*before, ChatMessage(role="user", content=customer))
    at = datetime(2026, 5, 15, tzinfo=UTC)
    return Evidence(
        turn_id="t", conversation_id="c", channel="webchat", topic="x", at=at, messages=messages, burst=1, draft=draft
    )


def excess_s(work: Callable[[], Any]) -> float:
    """By how much the work exceeds its limit, best of a few tries; 0 where one try keeps it."""
    best = float("inf")
    for _ in range(TRIES):
        slowness = max(1.0, yardstick_s() / YARDSTICK_S)
        began = time.thread_time()
        work()
        best = min(best, (time.thread_time() - began) / slowness - LIMIT_S)
        if best <= 0:
            return 0.0
    return best


@pytest.mark.slow
@pytest.mark.parametrize("check", OWN, ids=lambda check: check.name)
@given(piece=hostile())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_holds_a_check_up(check: Check, piece: str) -> None:
    for evidence, draft in places(long(piece)):
        assert excess_s(lambda e=evidence, d=draft: check.examine(e, d, RULES)) == 0.0


@pytest.mark.slow
@given(piece=hostile())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_holds_the_masking_of_cards_up(piece: str) -> None:
    text = long(piece)
    assert excess_s(lambda: mask_cards(text)) == 0.0


@given(pieces=st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=12), customer=st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_every_check_answers_sense_on_any_text(pieces: list[str], customer: str) -> None:
    draft = Draft(text="".join(pieces))
    evidence = turn_of(customer or "x", draft)
    for check in OWN:
        examination = check.examine(evidence, draft, RULES)
        assert 0.0 <= examination.score <= 1.0
        assert all(finding.check == check.name for finding in examination.findings)
        assert all(finding.span is None or finding.span.end <= len(draft.text) for finding in examination.findings)


@pytest.mark.parametrize("check", [check for check in OWN if check.name in ("actions", "exposure")])
def test_what_stands_behind_the_part_that_is_read_never_passes(check: Check) -> None:
    draft = Draft(text="fine. " * 10_000 + "I have refunded it to 4111 1111 1111 1111.")
    findings = check.examine(turn_of("hello", draft), draft, RULES).findings
    assert Severity.UNKNOWN in {finding.severity for finding in findings}


@pytest.mark.parametrize(
    "card",
    [
        "4111\u200b1111\u200b1111\u200b1111",
        "\uff14\uff11\uff11\uff11 \uff11\uff11\uff11\uff11 \uff11\uff11\uff11\uff11 \uff11\uff11\uff11\uff11",
        "\u0664\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661",
        "4111\u00ad1111\u20111111\u20131111",
    ],
)
def test_card_in_disguise_is_masked(card: str) -> None:
    assert mask_cards(f"card {card}!") == ("card [card ending 1111]!", 1)
