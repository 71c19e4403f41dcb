"""What a gate says of a candidate beside its baseline; how it comes to say so stands in `evaluation/`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class GateVerdict(StrEnum):
    """What may become of a candidate."""

    PASS = "pass"  # noqa: S105 - a verdict, not a word that opens something
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    """It could not be told. Never a pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlippedCase:
    """A case that goes the other way than before. The losses are means over its trials, in [0, 1]."""

    case: str
    baseline_loss: float
    candidate_loss: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """A verdict and what it rests on.

    `baseline` and `candidate` are release ids, or the names of files where no release is known. `effect` is the mean of
    the candidate's loss minus the baseline's, in [−1, 1], above 0 is worse; each end of `interval` is wrong with
    probability at most the gate's delta. `pairs` is what the verdict rests on, `errors` the trials of both that tell
    nothing of an agent and were left out. `blocked_by`: cases that blocked by themselves, because they must pass or
    tolerate no failure. `would_decide`: what more would decide it; None where it is decided. `at` is in UTC.
    """

    id: str
    suite: str
    suite_digest: str
    baseline: str
    candidate: str
    verdict: GateVerdict
    reason: str
    effect: float
    interval: tuple[float, float]
    pairs: int
    errors: int
    flipped: tuple[FlippedCase, ...]
    blocked_by: tuple[str, ...]
    would_decide: str | None
    at: datetime


WORST_FIRST = (GateVerdict.FAIL, GateVerdict.INCONCLUSIVE, GateVerdict.PASS)


def worst_of(results: Sequence[GateResult]) -> GateResult:
    """What a gate of several suites says: the worst that any of them does, which it then names."""
    worst = min(results, key=lambda one: WORST_FIRST.index(one.verdict))
    return worst if len(results) == 1 else replace(worst, reason=f"suite {worst.suite}: {worst.reason}")
