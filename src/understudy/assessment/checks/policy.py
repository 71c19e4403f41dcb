"""Check that the draft says nothing this business never says or promises; the phrases come from the rulebook."""

from __future__ import annotations

import re

from understudy.assessment.check import Code, Examination, examination
from understudy.records.assessment import Finding, Severity, Span
from understudy.records.evidence import Draft, Evidence
from understudy.records.rulebook import ForbiddenPhrase, Rules

FORBIDDEN_PHRASE = Code(
    check="policy",
    code="forbidden_phrase",
    severity=Severity.BLOCKING,
    explanation="The draft uses a phrase that this business forbids.",
)
CODES = (FORBIDDEN_PHRASE,)


class PolicyCheck:
    """Does the draft keep to what this business says?"""

    name = "policy"
    words = "the draft says something this business does not say"
    needs_draft = True

    def examine(self, _evidence: Evidence, draft: Draft, rules: Rules) -> Examination:
        """Find each forbidden phrase, whole words only, without regard to case and to the width of spaces."""
        found = [finding for phrase in rules.forbidden for finding in _occurrences(phrase, draft.text)]
        return examination(sorted(found, key=lambda finding: finding.span.start if finding.span else 0))


def _occurrences(forbidden: ForbiddenPhrase, text: str) -> list[Finding]:
    parts = [re.escape(part) for part in forbidden.phrase.replace("\u2019", "'").split()]
    if not parts:
        return []
    pattern = r"(?<!\w)" + r"\s+".join(parts) + r"(?!\w)"
    matches = re.finditer(pattern, text.replace("\u2019", "'"), re.IGNORECASE)
    return [
        Finding(
            check=FORBIDDEN_PHRASE.check,
            code=FORBIDDEN_PHRASE.code,
            severity=FORBIDDEN_PHRASE.severity,
            explanation=f"{FORBIDDEN_PHRASE.explanation[:-1]}: {forbidden.why}",
            span=Span(start=match.start(), end=match.end()),
        )
        for match in matches
    ]
