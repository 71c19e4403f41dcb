"""The contract of a check: it examines evidence and returns findings and one signal; it never decides.

A check is pure. It may raise: whoever runs it turns that into a finding of severity *unknown*, which never passes.
Where the agent gave no draft, only the checks that do not need one run; they are given `NO_DRAFT`, so that a
customer who asks for a person is heard while the agent is down.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from understudy.records.assessment import Finding, Severity, Span
from understudy.records.evidence import Draft, Evidence
from understudy.records.rulebook import Rules

NO_DRAFT = Draft(text="")
"""What a check that needs no draft is given where there is none."""

REMAINING = {
    Severity.INFO: 1.0,
    Severity.MINOR: 0.85,
    Severity.MAJOR: 0.4,
    Severity.BLOCKING: 0.0,
    Severity.UNKNOWN: 0.0,
}
"""The share of a check's score that is left after one finding of each severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One thing a check can find: its name, its usual severity, and the sentence a reviewer reads.

    The sentence never quotes the draft or the customer; the span says where to look.
    """

    check: str
    code: str
    severity: Severity
    explanation: str

    @property
    def name(self) -> str:
        return f"{self.check}.{self.code}"

    def found(
        self, span: Span | None = None, *, passage_id: str | None = None, severity: Severity | None = None
    ) -> Finding:
        """State that it was found: at `span` of the draft, about the source `passage_id`, at another `severity`."""
        return Finding(
            check=self.check,
            code=self.code,
            severity=severity or self.severity,
            explanation=self.explanation,
            span=span,
            passage_id=passage_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What a check saw: `score` in [0, 1], 1 = nothing wrong, and the findings that explain it."""

    score: float
    findings: tuple[Finding, ...] = ()


def examination(findings: Iterable[Finding], *, at_most: float = 1.0) -> Examination:
    """Score findings by their severities alone: each leaves its share of `at_most` (in [0, 1]), see `REMAINING`."""
    found = tuple(findings)
    score = at_most
    for finding in found:
        score *= REMAINING[finding.severity]
    return Examination(score=score, findings=found)


class Check(Protocol):
    """One kind of examination."""

    @property
    def name(self) -> str:
        """The check's name; also the name of its signal and the first part of its finding codes."""
        ...

    @property
    def words(self) -> str:
        """What a low score means, as the end of the sentence "less confident because …"."""
        ...

    @property
    def needs_draft(self) -> bool:
        """Whether there is nothing to examine without a draft."""
        ...

    def examine(self, evidence: Evidence, draft: Draft, rules: Rules, /) -> Examination:
        """Examine the draft in the light of the evidence; pure and deterministic."""
        ...
