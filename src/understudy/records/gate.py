"""What a gate found when it compared a candidate release with its baseline; how it is found is not known here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class GateVerdict(StrEnum):
    """*inconclusive* is never a pass."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlippedCase:
    """A case on which the two differ: mean losses in [0, 1], and why the worse one is worse."""

    case: str
    baseline_loss: float
    candidate_loss: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """One comparison. `effect` is the mean difference of losses in [−1, 1], above 0 where the candidate is worse, with
    an anytime-valid `interval`.

    `baseline` and `candidate` are ids of releases, or file names where no release is known. `pairs` were used, `errors`
    are infrastructure failures that count as nobody's. `blocked_by` names the cases that blocked by themselves
    (must-pass, zero tolerance). `would_decide` says what more would decide an inconclusive one. `at` is in UTC.
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
