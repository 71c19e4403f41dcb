"""What an assessment says: findings, signals, confidence, decision; how they are reached stands in `assessment/`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters, in rising order; *unknown* is a check that could not tell, and it never passes."""

    INFO = "info"
    MINOR = "minor"
    MAJOR = "major"
    BLOCKING = "blocking"
    UNKNOWN = "unknown"


class DecisionKind(StrEnum):
    """What happens to a draft."""

    DELIVER = "deliver"
    HOLD = "hold"
    HAND_OFF = "hand_off"
    DEGRADE = "degrade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where in the draft, as character offsets: `text[start:end]`."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"Span must have 0 <= start <= end, got {self.start}, {self.end}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a check found. `check.code` is its full name; `passage_id` is the source it speaks of, if any."""

    check: str
    code: str
    severity: Severity
    explanation: str
    span: Span | None = None
    passage_id: str | None = None

    @property
    def name(self) -> str:
        return f"{self.check}.{self.code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A check's number in [0, 1]; 1 = nothing wrong."""

    check: str
    score: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.score) and 0.0 <= self.score <= 1.0):
            raise ValueError(f"Signal {self.check!r} must be in [0, 1], got {self.score!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """How much one signal moved the confidence, in log-odds (negative = less confident), and why in words."""

    signal: str
    log_odds: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """The probability, in [0, 1], that a reviewer would approve the draft unedited, and what it is made of."""

    value: float
    contributions: tuple[Contribution, ...]

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and 0.0 <= self.value <= 1.0):
            raise ValueError(f"Confidence must be in [0, 1], got {self.value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a decision was taken: a machine-readable code and one sentence for people. `turn_id`, `at`: what happened earlier, and
    when, where that is why."""

    code: str
    explanation: str
    turn_id: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What happens now, and why. `safe_reply` names the pre-approved reply a *degrade* sends.

    `is_audited` marks a draft that leaves without a person and is to be reviewed afterwards; `priority` orders the
    queue of a hold or hand-off, 0 (first) to 9. `is_candidate`: nothing but the autonomy of its slice decided between
    delivery and review, so what a person says of it is evidence for that autonomy; `is_sampled`: it belongs to the
    part of those that was chosen without regard to how it looks, with probability `sample_rate` in [0, 1].
    """

    kind: DecisionKind
    reasons: tuple[Reason, ...]
    safe_reply: str | None = None
    is_audited: bool = False
    priority: int = 5
    is_candidate: bool = False
    is_sampled: bool = False
    sample_rate: float = 0.0

    def __post_init__(self) -> None:
        if not self.reasons:
            raise ValueError("a Decision needs at least one reason")
        if (self.kind is DecisionKind.DEGRADE) != (self.safe_reply is not None):
            raise ValueError("a Decision names a safe reply exactly when it degrades")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The outcome of `assess(evidence, rulebook)`; `confidence` is None where there was no draft to judge."""

    rulebook_id: str
    signals: tuple[Signal, ...]
    findings: tuple[Finding, ...]
    confidence: Confidence | None
    decision: Decision


WANTS_PERSON = "escalation.wants_person"
"""The finding that a customer asks for people."""


def faults_of(assessment: Assessment) -> tuple[str, ...]:
    """The names of findings that say something is wrong, each once: all but those for information."""
    return tuple(dict.fromkeys(one.name for one in assessment.findings if one.severity is not Severity.INFO))
