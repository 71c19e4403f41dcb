"""What a draft cost, as far as can be told without a reviewer: by what the checks found, and how long it took. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from understudy.records.assessment import Finding, Severity
from understudy.records.evidence import Draft

BAD: Final = frozenset({Severity.MAJOR, Severity.BLOCKING, Severity.UNKNOWN})
MINOR_LOSS: Final = 0.3


def checks_loss(findings: Iterable[Finding]) -> float:
    """1 where something serious was found, or could not be told; 0.3 for something minor; else 0."""
    severities = {finding.severity for finding in findings}
    if severities & BAD:
        return 1.0
    return MINOR_LOSS if Severity.MINOR in severities else 0.0


def cost_loss(draft: Draft | None, *, draft_cost_max: float | None) -> float | None:
    """The share of `draft_cost_max` that a draft cost, at most 1; None where nobody said or nobody asks."""
    if draft is None or draft.cost is None or draft_cost_max is None:
        return None
    return min(1.0, draft.cost / draft_cost_max)


def latency_loss(took_s: float, *, draft_s_max: float) -> float:
    """The share of `draft_s_max` that a draft took, at most 1."""
    return min(1.0, max(0.0, took_s / draft_s_max))


def said(findings: Iterable[Finding]) -> tuple[str, ...]:
    """The names of the findings that count, each once."""
    counting = BAD | {Severity.MINOR}
    return tuple(sorted({finding.name for finding in findings if finding.severity in counting}))
