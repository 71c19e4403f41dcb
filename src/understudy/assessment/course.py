"""How a conversation goes, as numbers, and how likely it is one that only a person can end well; it looks at no single rule.

The numbers are counted by the lexicons of `lexicons/`; what they weigh was learned from recorded conversations of which
is known whether they belonged with a person (`course.json`, made by `benchmarks/train_course.py`). An agent that passes
a haggling customer on is one thing; an agent that cannot lift what is locked is another.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from understudy.assessment.lexicon import LEXICONS, plain, says
from understudy.records.evidence import Draft, Evidence

MESSAGES_MAX: Final = 16
"""How many of the latest messages of each side are looked at."""
_CHARS_MAX: Final = 800
_COUNT_MAX: Final = 3
_HAND_OVER_TOOLS: Final = ("transfer", "escalat", "handoff", "hand_off", "human")


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


def numbers_of(evidence: Evidence, draft: Draft) -> dict[str, float]:
    """Count what both sides said and did, the draft included, each 0 to 3."""
    customer = [plain(text[:_CHARS_MAX]) for text in evidence.customer_texts[-MESSAGES_MAX:]]
    said = [m.content for m in evidence.messages if m.role == "assistant" and m.content]
    agent = [plain(text[:_CHARS_MAX]) for text in (*said, draft.text)[-MESSAGES_MAX:] if text]
    calls = [*(call for message in evidence.messages for call in message.tool_calls), *draft.tool_calls]
    handing_over = [call for call in calls if any(part in call.name.lower() for part in _HAND_OVER_TOOLS)]
    why = plain(" ".join(call.arguments[:_CHARS_MAX] for call in handing_over[-2:]))
    theirs, ours, now = "\n".join(customer), "\n".join(agent), customer[-1] if customer else ""
    return {
        "hand_over_called": float(bool(handing_over)),
        "hand_over_said": float(bool(agent) and says("agent_hands_over", agent[-1])),
        "wish": float(says("wish", now)),
        "thanks": float(says("thanks", now)),
        "haggling": _count("haggling", theirs),
        "haggling_answered": _count("haggling", ours),
        "insisting": _count("insisting", theirs),
        "locked": float(says("locked", theirs) or says("locked", ours)),
        "locked_handed_over": float(says("locked", why)),
    }


def _count(kind: str, text: str) -> float:
    """Count how often a text says something of a kind, in all languages, up to a few."""
    found = sum(1 for lexicon in LEXICONS if kind in lexicon.kinds for _ in lexicon.kinds[kind].finditer(text))
    return float(min(_COUNT_MAX, found))


def load(text: str) -> CourseModel:
    """Read the model from the JSON that the training script wrote."""
    given: dict[str, Any] = json.loads(text)
    return CourseModel(bias=given["bias"], weights=given["weights"], threshold=given["threshold"])


MODEL: Final = load(files("understudy.assessment").joinpath("course.json").read_text(encoding="utf-8"))
