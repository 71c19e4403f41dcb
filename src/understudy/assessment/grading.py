"""How bad a draft was, by what a person did with it; what each grade costs stands in `stats/severity.py`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from understudy.assessment.edits import grade_of_edit
from understudy.records.review import VerdictKind
from understudy.stats.severity import Grade, Severity
from understudy.stats.severity import severity as cost_of

SEVERE_REASONS: Final = frozenset({"harm", "policy", "safety", "unsafe", "legal", "exposure", "incident"})
"""Reasons of a verdict that make it severe: such a draft must not happen, however rarely. A longer code counts by its
first word: `policy_broken`."""


def grade(
    kind: VerdictKind, *, draft: str, text: str | None, severity: float | None, reasons: Iterable[str]
) -> Severity:
    """Grade a verdict on `draft`. `text` is what a person wrote in its place; `severity` in [0, 1] is their own grade
    of an edit, and comes before what the texts say."""
    if is_severe(reasons):
        return cost_of(Grade.HARM)
    match kind:
        case VerdictKind.APPROVE:
            return cost_of(Grade.APPROVED)
        case VerdictKind.EDIT if severity is not None:
            return Severity(loss=severity, is_severe=False)
        case VerdictKind.EDIT:
            return cost_of(grade_of_edit(draft, text))
        case VerdictKind.REJECT | VerdictKind.RESPOND | VerdictKind.TAKE_OVER:
            return cost_of(Grade.REJECTED)


def is_severe(reasons: Iterable[str]) -> bool:
    """Whether a reason names harm or a broken policy."""
    return any(reason.strip().casefold().replace("-", "_").split("_")[0] in SEVERE_REASONS for reason in reasons)
