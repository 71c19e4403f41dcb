"""A turn to try a check on: an ordinary question, an ordinary draft and one source; nothing of it is real."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from understudy.records.evidence import ChatMessage, Draft, Evidence, Passage, ToolCall

AT: Final = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


def example_turn(
    *,
    customer: str = "Where is my order?",
    draft: str | None = "Orders take two days.",
    source: str = "Orders take two days.",
) -> Evidence:
    """The evidence of a turn; `source` is both a passage and a tool's result, and `draft` None an agent that failed."""
    call = ToolCall(id="call-1", name="get_order", arguments="{}", result=source)
    drafted = Draft(
        text=draft or "",
        sources=(Passage(id="p1", text=source),),
        tool_calls=(call,),
        agent="example",
        agent_version="1",
    )
    return Evidence(
        turn_id="t1",
        conversation_id="c1",
        channel="webchat",
        topic="orders",
        at=AT,
        messages=(ChatMessage(role="assistant", content="Hello!"), ChatMessage(role="user", content=customer)),
        burst=1,
        draft=None if draft is None else drafted,
        agent_error="agent-unavailable: example" if draft is None else None,
    )
