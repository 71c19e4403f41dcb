"""Recorded conversations of agents with simulated customers as the evidence of their turns; it measures nothing.

The marks by which the simulator ends a conversation (`###TRANSFER###` and the like) are taken out: no customer writes
them. Tool calls keep their results, whether the file gives calls an id or not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from checks_bench.sample import AT, rows
from understudy.records.evidence import ChatMessage, Draft, Evidence, ToolCall

FILE = "trajectories.jsonl.gz"
_MARK = re.compile(r"#{2,3}[A-Z_ -]+#{2,3}")


def trajectories(data: Path) -> Iterator[dict[str, Any]]:
    """Read the conversations whose outcome is known; the runs whose pass rate nobody confirmed are left out."""
    for row in rows(data / FILE):
        if row["passed"] is not None and not row["system"].startswith("adaptive-agent"):
            yield row


def messages_of(row: dict[str, Any]) -> tuple[ChatMessage, ...]:
    """The messages as records."""
    return tuple(_message(message) for message in row["messages"])


def turns(messages: tuple[ChatMessage, ...]) -> Iterator[Evidence]:
    """Give each reply of the agent as the draft of a turn, the last one with all tool calls made for it."""
    last_user = None
    for place, message in enumerate(messages):
        if message.role == "user":
            last_user = place
        elif message.role == "assistant" and message.content and last_user is not None:
            evidence = evidence_of(
                messages[:place], message.content, burst=place - _first_of_burst(messages, last_user)
            )
            yield replace(evidence, draft=Draft(text=message.content, tool_calls=message.tool_calls))


def turns_to_the_end(messages: tuple[ChatMessage, ...]) -> Iterator[Evidence]:
    """Give every reply as a draft, and what came after the last one: words or calls to which no reply is recorded.

    An agent that works alone on a ticket says nothing before the end: one turn, with all its calls.
    """
    yield from turns(messages)
    ends = messages[-1] if messages else None
    if ends is not None and not (ends.role == "assistant" and ends.content and any(m.role == "user" for m in messages)):
        yield last_turn(messages)


def last_turn(messages: tuple[ChatMessage, ...]) -> Evidence:
    """The whole conversation as one turn: what the agent said last is the draft, empty where the customer spoke last."""
    end = len(messages)
    if messages and messages[-1].role == "assistant" and messages[-1].content:
        end -= 1
    users = [place for place, message in enumerate(messages[:end]) if message.role == "user"]
    burst = end - _first_of_burst(messages, users[-1]) if users else 0
    return evidence_of(messages[:end], messages[-1].content or "" if end < len(messages) else "", burst=burst)


def evidence_of(messages: tuple[ChatMessage, ...], text: str, *, burst: int) -> Evidence:
    """A turn of the conversation with `text` as its draft."""
    return Evidence(
        turn_id="bench",
        conversation_id="bench",
        channel="webchat",
        topic="unknown",
        at=AT,
        messages=messages,
        burst=burst,
        draft=Draft(text=text),
    )


def _first_of_burst(messages: tuple[ChatMessage, ...], user: int) -> int:
    while user > 0 and messages[user - 1].role == "user":
        user -= 1
    return user


def _message(message: dict[str, Any]) -> ChatMessage:
    calls = tuple(
        ToolCall(id=call.get("id") or "", name=call["name"], arguments=_as_text(call.get("arguments")))
        for call in message.get("tool_calls") or ()
    )
    content = message.get("content")
    if content and message["role"] == "user":
        content = _MARK.sub("", content).strip()
    return ChatMessage(
        role=message["role"], content=content, tool_calls=calls, tool_call_id=message.get("tool_call_id")
    )


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value if value is not None else {})
