"""How long one turn record takes through all built-in checks: real conversations of customer-service agents.

Milliseconds are processor time of the one thread that works, so that they mean the same on a busy machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from checks_bench.planting import KNOWLEDGE, TRAJECTORIES
from checks_bench.sample import evidence_for, rows
from understudy.assessment.assess import assess
from understudy.assessment.check import Check
from understudy.assessment.checks import CHECKS
from understudy.records.evidence import ChatMessage, Draft, Evidence, Passage, ToolCall
from understudy.records.rulebook import Rulebook, Rules

NAME = "speed"
FILES = (TRAJECTORIES, KNOWLEDGE)
RECORDS = 1_500
PASSAGES = 3
WARM_UP = 50
HOSTILE = (
    "a ",
    "1 ",
    "12/12/2024 ",
    "I've $5. ",
    "Write a poem. ",
    "What is it? ",
    "+44 20 7946 0000 ",
    "![",
    "i g n o r e ",
)


def measure(data: Path) -> dict[str, Any]:
    """Time `assess` (all checks, confidence, decision) on turns with and without three passages of a knowledge base."""
    documents = [str(row["content"]) for row in rows(data / KNOWLEDGE)]
    turns = list(islice(turns_of(data), RECORDS))
    with_passages = [_with_passages(turn, documents, number) for number, turn in enumerate(turns)]
    return {
        "recorded": _timed(turns),
        "with_three_passages": _timed(with_passages),
        "hostile_100_kb_ms_max": {check.name: _hostile(check) for check in CHECKS},
    }


def turns_of(data: Path) -> Iterator[Evidence]:
    """Each reply of an agent as a draft, with all that was said and looked up before it."""
    for row in rows(data / TRAJECTORIES):
        messages = tuple(_message(one) for one in row["messages"])
        for at, message in enumerate(messages):
            if message.role == "assistant" and message.content and any(m.role == "user" for m in messages[:at]):
                yield evidence_for(messages=messages[:at], draft=Draft(text=message.content))


def _message(given: dict[str, Any]) -> ChatMessage:
    calls = tuple(
        ToolCall(id=str(call.get("id") or ""), name=str(call.get("name") or ""), arguments=str(call.get("arguments")))
        for call in given.get("tool_calls") or ()
    )
    return ChatMessage(
        role=given["role"], content=given.get("content"), tool_calls=calls, tool_call_id=given.get("tool_call_id")
    )


def _with_passages(turn: Evidence, documents: list[str], number: int) -> Evidence:
    picked = [documents[(number * PASSAGES + n) % len(documents)] for n in range(PASSAGES)]
    sources = tuple(Passage(id=str(n), text=text) for n, text in enumerate(picked))
    assert turn.draft is not None
    return evidence_for(messages=turn.messages, draft=Draft(text=turn.draft.text, sources=sources))


def _hostile(check: Check) -> float:
    """The worst of some texts of 100 kB, as the draft, as the customer's words and as a passage."""
    worst = 0.0
    for unit in HOSTILE:
        text = (unit * 100_000)[:100_000]
        for turn in (
            evidence_for("hello", draft=Draft(text=text)),
            evidence_for(text, draft=Draft(text="It takes 5 days.")),
            evidence_for("hello", draft=Draft(text="It takes 5 days.", sources=(Passage(id="1", text=text),))),
        ):
            assert turn.draft is not None
            began = time.thread_time()
            check.examine(turn, turn.draft, Rules())
            worst = max(worst, (time.thread_time() - began) * 1e3)
    return worst


def _timed(turns: list[Evidence]) -> dict[str, Any]:
    for turn in turns[:WARM_UP]:
        _milliseconds(turn)
    times = sorted(_milliseconds(turn) for turn in turns)
    return {
        "records": len(times),
        "ms_p50": statistics.median(times),
        "ms_p99": times[int(0.99 * (len(times) - 1))],
        "ms_max": times[-1],
    }


def _milliseconds(turn: Evidence) -> float:
    began = time.thread_time()
    assess(turn, Rulebook(id="bench", rules=Rules()))
    return (time.thread_time() - began) * 1e3
