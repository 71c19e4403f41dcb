"""How a conversation goes, as numbers, and how likely it is one that only a person can end well; it looks at no single rule.

The numbers are counted by the lexicons of `lexicons/`; what they weigh was learned from recorded conversations of which
is known whether they belonged with a person (`course.json`, made by `benchmarks/train_course.py`). An agent that passes
a customer on who argues with the rules is one thing; an agent that cannot lift what is locked is another.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from understudy.assessment.lexicon import how_many_say, plain, says
from understudy.assessment.passing_on import passes_on
from understudy.records.evidence import Draft, Evidence

MESSAGES_MAX: Final = 16
"""How many of the latest messages of each side are looked at."""
_CHARS_MAX: Final = 800
_COUNT_MAX: Final = 3
CALLS_TYPICAL: Final = 7
"""Tool calls of an ordinary conversation of an agent that has tools; one that called none says nothing by that."""
_CALLS_MIN: Final = 4
"""Fewer count as so many: every conversation begins with few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseModel:
    """A logistic model over `numbers_of`; at `threshold` and above a person is probably needed."""

    bias: float
    weights: Mapping[str, float]
    threshold: float

    def probability(self, numbers: Mapping[str, float]) -> float:
        """Say how likely the conversation belongs with a person, in (0, 1)."""
        log_odds = self.bias + math.fsum(weight * numbers[name] for name, weight in self.weights.items())
        return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, log_odds))))

    def ease(self, numbers: Mapping[str, float]) -> float:
        """Say how far the conversation is from one that belongs with a person, in [0, 1]: 1 is as far as one of which
        nothing is known, or farther."""
        return min(1.0, (1.0 - self.probability(numbers)) / (1.0 - self.probability(NOTHING_KNOWN)))


NOTHING_KNOWN: Final[Mapping[str, float]] = {
    "calls": math.log1p(CALLS_TYPICAL),
    "entitled": 0.0,
    "hand_over_called": 0.0,
    "locked": 0.0,
    "thanks": 0.0,
    "wish": 0.0,
}
"""The numbers of a conversation in which nothing of note was said or done."""


def numbers_of(evidence: Evidence, draft: Draft) -> dict[str, float]:
    """Count what both sides said and did, the draft included.

    `calls` is the logarithm of 1 + the tool calls: an agent that can do something calls tools. `entitled` counts the
    messages in which the customer argues with the rules, 0 to 3. The others are 0 or 1.
    """
    customer = [plain(text[:_CHARS_MAX]) for text in evidence.customer_texts[-MESSAGES_MAX:]]
    said = [message.content for message in evidence.messages if message.role == "assistant" and message.content]
    agent = [plain(text[:_CHARS_MAX]) for text in (*said, _own_words(draft))[-MESSAGES_MAX:] if text]
    calls = [*(call for message in evidence.messages for call in message.tool_calls), *draft.tool_calls]
    now = customer[-1] if customer else ""
    return {
        "calls": math.log1p(max(_CALLS_MIN, len(calls) or CALLS_TYPICAL)),
        "entitled": float(min(_COUNT_MAX, how_many_say("entitled", customer))),
        "hand_over_called": float(any(passes_on(call.name) for call in calls)),
        "locked": float(any(says("locked", text) for text in (*customer, *agent, *_results(evidence, draft)))),
        "thanks": float(says("thanks", now)),
        "wish": float(says("wish", now)),
    }


def _own_words(draft: Draft) -> str:
    """The draft, unless its passages speak of locks: then it tells what is so in general, and not of this customer."""
    return "" if any(says("locked", plain(source.text)) for source in draft.sources) else draft.text


def _results(evidence: Evidence, draft: Draft) -> list[str]:
    """The beginnings of the latest tool results."""
    results = [message.content for message in evidence.messages if message.role == "tool" and message.content]
    own = [call.result for call in draft.tool_calls if call.result]
    return [plain(text[:_CHARS_MAX]) for text in (*results, *own)[-2 * MESSAGES_MAX :]]


def load(text: str) -> CourseModel:
    """Read the model from the JSON that the training script wrote."""
    given: dict[str, Any] = json.loads(text)
    return CourseModel(bias=given["bias"], weights=given["weights"], threshold=given["threshold"])


MODEL: Final = load(files("understudy.assessment").joinpath("course.json").read_text(encoding="utf-8"))
