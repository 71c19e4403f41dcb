"""What a customer's message says of the automatic reply that it follows; what becomes of that is decided elsewhere."""

from __future__ import annotations

from typing import Final

from understudy.records.assessment import Finding
from understudy.records.evidence import Evidence

COMPLAINT_CODE: Final = "escalation.complaint"
ASKED_AGAIN_CODE: Final = "escalation.repeated_question"


def is_complaint(evidence: Evidence, findings: tuple[Finding, ...]) -> bool:
    """Whether the customer complains right after an automatic reply, which is then taken for what they complain of."""
    return evidence.follows is not None and any(finding.name == COMPLAINT_CODE for finding in findings)


def is_asked_again(evidence: Evidence, findings: tuple[Finding, ...]) -> bool:
    """Whether the customer asks an automatic reply's question again: it was about the same topic, and settled nothing."""
    follows = evidence.follows
    is_same = follows is not None and follows.topic == evidence.topic
    return is_same and any(finding.name == ASKED_AGAIN_CODE for finding in findings)
