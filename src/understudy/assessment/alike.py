"""Which held drafts say the same and are harmless, so that one look may do for several. It approves none.

What it goes by is all shown to reviewers, so that the name it gives tells nothing that they could not see.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Collection
from typing import Final

from understudy.records.assessment import Assessment, Severity
from understudy.records.evidence import Draft

HARMLESS: Final = frozenset({"level_assist", "autonomy_on_hold", "quota_exhausted", "release_unearned"})
"""Reasons of a hold that say nothing against the draft: a person is asked because one always is."""


def alike_of(
    draft: Draft | None,
    assessment: Assessment,
    *,
    topic: str | None,
    channel: str,
    harmless: Collection[str] = HARMLESS,
) -> str | None:
    """Name a draft by its text, topic and channel; None where it proposes an action, anything graver than for information
    was found, it is held for more than the level of its slice, or its topic is unknown."""
    if draft is None or not topic or draft.actions or draft.handoff or not draft.text.strip():
        return None
    if any(finding.severity is not Severity.INFO for finding in assessment.findings):
        return None
    codes = [reason.code for reason in assessment.decision.reasons]
    if not codes or any(code not in harmless for code in codes):
        return None
    return hashlib.sha256("\x1f".join((normal(draft.text), topic, channel)).encode()).hexdigest()[:16]


def normal(text: str) -> str:
    """A text as it is compared: compatible forms of a character are one, and so is any white space."""
    return " ".join(unicodedata.normalize("NFKC", text).split())
