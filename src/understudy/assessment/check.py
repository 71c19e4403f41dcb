"""The contract of a check: it examines evidence and returns findings and one signal; it never decides.

A check is pure. It may raise: whoever runs it turns that into a finding of severity *unknown*, which never passes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from understudy.records.assessment import Finding
from understudy.records.evidence import Draft, Evidence
from understudy.records.rulebook import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What a check saw: `score` in [0, 1], 1 = nothing wrong, and the findings that explain it."""

    score: float
    findings: tuple[Finding, ...] = ()


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

    def examine(self, evidence: Evidence, draft: Draft, rules: Rules) -> Examination:
        """Examine the draft in the light of the evidence; pure and deterministic."""
        ...
