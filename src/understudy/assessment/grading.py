"""How bad a draft was, by what a person did with it; what each grade costs stands in `stats/severity.py`."""

from __future__ import annotations

from collections import Counter
from typing import Final

from rapidfuzz import fuzz

from understudy.assessment.entities import entities
from understudy.assessment.polarity import is_negation, opposed
from understudy.assessment.wording import words
from understudy.records.review import VerdictKind
from understudy.stats.severity import Grade, Severity
from understudy.stats.severity import severity as cost_of

SEVERE_REASONS: Final = frozenset({"policy", "harm", "exposure", "unsafe", "legal"})
"""Reasons of a verdict that make it severe: such a draft must not happen, however rarely."""

REWRITTEN_BELOW: Final = 50.0
"""Two texts less alike than this (0 to 100, the order of words aside) are two answers, not one and its edit."""


def grade(
    kind: VerdictKind, *, draft: str, text: str | None, severity: float | None, reasons: tuple[str, ...]
) -> Severity:
    """Grade a verdict on `draft`. `text` is what a person wrote in its place; `severity` in [0, 1] is their own grade
    of an edit, and comes before what the texts say."""
    if not SEVERE_REASONS.isdisjoint(reason.lower() for reason in reasons):
        return cost_of(Grade.HARM)
    match kind:
        case VerdictKind.APPROVE:
            return cost_of(Grade.APPROVED)
        case VerdictKind.EDIT if severity is not None:
            return Severity(loss=severity, is_severe=False)
        case VerdictKind.EDIT:
            return cost_of(changed(draft, text or ""))
        case VerdictKind.REJECT | VerdictKind.RESPOND | VerdictKind.TAKE_OVER:
            return cost_of(Grade.REJECTED)


def changed(draft: str, text: str) -> Grade:
    """How much an edit changed: looks, words, or facts and meaning."""
    before, after = words(draft), words(text)
    if before == after:
        return Grade.COSMETIC
    if _facts(draft) != _facts(text) or _negations(before) != _negations(after) or opposed(after, before):
        return Grade.MAJOR
    is_rewritten = fuzz.token_sort_ratio(" ".join(before), " ".join(after)) < REWRITTEN_BELOW
    return Grade.MAJOR if is_rewritten else Grade.MINOR


def _facts(text: str) -> Counter[tuple[str, str]]:
    return Counter((found.kind.value, found.readings[0] if found.readings else found.text) for found in entities(text))


def _negations(found: list[str]) -> int:
    return sum(is_negation(word) for word in found)
