"""How bad a draft was, by what a person did with it: a loss in [0, 1]. It looks at the two texts and knows no customer.

0 approved, or edited in spelling and looks alone · 0.2 reworded · 0.5 facts or meaning changed, or mostly rewritten ·
1 rejected, answered by a person instead, or taken over. A reviewer's own severity of an edit comes before this.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz

from understudy.assessment.entities import entities
from understudy.assessment.polarity import is_negation, opposed
from understudy.assessment.wording import words
from understudy.records.review import VerdictKind

COSMETIC: Final = 0.0
MINOR: Final = 0.2
MAJOR: Final = 0.5
REFUSED: Final = 1.0

SEVERE_REASONS: Final = frozenset({"policy", "harm", "exposure", "unsafe", "legal"})
"""Reasons of a verdict that make it severe: such a draft must not happen, however rarely."""

REWRITTEN_BELOW: Final = 50.0
"""Two texts less alike than this (0 to 100, the order of words aside) are two answers, not one and its edit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """`loss` in [0, 1]; `is_severe` marks harm or a broken policy."""

    loss: float
    is_severe: bool


def grade(
    kind: VerdictKind, *, draft: str, text: str | None, severity: float | None, reasons: tuple[str, ...]
) -> Grade:
    """Grade a verdict on `draft`. `text` is what a person wrote in its place; `severity` in [0, 1] is their own grade."""
    is_severe = not SEVERE_REASONS.isdisjoint(reason.lower() for reason in reasons)
    if is_severe:
        return Grade(loss=REFUSED, is_severe=True)
    match kind:
        case VerdictKind.APPROVE:
            return Grade(loss=COSMETIC, is_severe=False)
        case VerdictKind.EDIT:
            return Grade(loss=changed(draft, text or "") if severity is None else severity, is_severe=False)
        case VerdictKind.REJECT | VerdictKind.RESPOND | VerdictKind.TAKE_OVER:
            return Grade(loss=REFUSED, is_severe=False)


def changed(draft: str, text: str) -> float:
    """How much an edit changed: 0 in looks, 0.2 in words, 0.5 in facts or meaning."""
    before, after = words(draft), words(text)
    if before == after:
        return COSMETIC
    if _facts(draft) != _facts(text) or _negations(before) != _negations(after) or opposed(after, before):
        return MAJOR
    return MAJOR if fuzz.token_sort_ratio(" ".join(before), " ".join(after)) < REWRITTEN_BELOW else MINOR


def _facts(text: str) -> Counter[tuple[str, str]]:
    return Counter((found.kind.value, found.readings[0] if found.readings else found.text) for found in entities(text))


def _negations(found: list[str]) -> int:
    return sum(is_negation(word) for word in found)
