"""Evidence in one line: `turn("what the customer wrote", "what the agent drafts")`, everything else by keyword."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from understudy.records.evidence import ChatMessage, Draft, Evidence, Passage, ToolCall

MakeTurn = Callable[..., Evidence]
_EVIDENCE_FIELDS = {
    "is_verified",
    "topic",
    "contact",
    "mode",
    "safe_replies_sent",
    "automatic_last_hour",
    "degraded_last_hour",
    "audit_draw",
    "masked",
    "cap",
    "follows",
    "owed",
}


@pytest.fixture
def turn() -> MakeTurn:
    return make_turn


def make_turn(customer: str = "hello", draft: str | None = "Hello!", **given: Any) -> Evidence:
    """`before`: earlier messages; `tools`: names and results of calls already made; `passages`: texts; rest as records."""
    messages = list(given.pop("before", ()))
    for number, (name, result) in enumerate(given.pop("tools", ())):
        messages.append(ChatMessage(role="assistant", tool_calls=(ToolCall(id=f"k{number}", name=name),)))
        messages.append(ChatMessage(role="tool", content=result, tool_call_id=f"k{number}"))
    messages.append(ChatMessage(role="user", content=customer))
    sources = tuple(Passage(id=f"p{number}", text=text) for number, text in enumerate(given.pop("passages", ()), 1))
    evidence = {name: given.pop(name) for name in _EVIDENCE_FIELDS & given.keys()}
    return Evidence(
        **{"topic": "orders"} | evidence,
        turn_id="t1",
        conversation_id="c1",
        channel="webchat",
        at=datetime(2026, 5, 15, 15, tzinfo=UTC),
        messages=tuple(messages),
        burst=1,
        draft=None if draft is None else Draft(text=draft, sources=sources, **given),
        agent_error="agent-unavailable" if draft is None else None,
    )
