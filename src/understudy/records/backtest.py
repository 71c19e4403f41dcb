"""What a backtest asked of a labelled history and what it found; how it is found stands in `learning/`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ScoreOrigin(StrEnum):
    """Where the score comes from: each draft's own confidence, or learned on the earlier part of the history."""

    GIVEN = "given"
    LEARNED = "learned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is asked: a share of replies that goes out alone with a mean loss of at most `risk_max`.

    `risk_max` and `severe_max` in (0, 1): mean loss, and share of severe losses (None: not asked). `confidence` in
    (0, 1): of each certificate. `sensitivity` in (0, 1]: the share of bad drafts the reviewers noticed, at least.
    `threshold`: certify this one; None: find the laxest. Raises `ValueError`.
    """

    risk_max: float
    confidence: float
    severe_max: float | None = None
    sensitivity: float = 1.0
    threshold: float | None = None

    def __post_init__(self) -> None:
        for name in ("risk_max", "confidence", "severe_max"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < 1.0:
                raise ValueError(f"{name} must be between 0 and 1, both excluded, got {value:g}")
        if not 0.0 < self.sensitivity <= 1.0:
            raise ValueError(f"sensitivity must be above 0 and at most 1, got {self.sensitivity:g}")
        if self.threshold is not None and not 0.0 <= self.threshold <= 1.0:
            raise ValueError(f"threshold must be in 0 to 1, got {self.threshold:g}")

    @property
    def delta(self) -> float:
        """The probability of a false certificate that is allowed."""
        return round(1.0 - self.confidence, 12)  # 1 - 0.95 is 0.05, not 0.05000000000000004


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One threshold looked at by itself: the share of drafts it lets through, their observed mean loss and the bound
    that this loss exceeds with probability at most delta, however often somebody looks."""

    threshold: float
    coverage: float
    risk: float
    risk_upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainThreshold:
    """The laxest threshold whose observed mean loss is within the goal on these labels: what is read off most
    dashboards, and what promises nothing."""

    threshold: float
    coverage: float
    risk: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceBacktest:
    """What one slice of the history shows. A label is a conversation; its loss is its worst draft's that would have
    gone out.

    `name` "" and no `parts`: all of the history. `drafts`: judged ones; `labels`: conversations they belong to; `bad`:
    those with any loss. `threshold`: the certified or the asked one; None where none could be certified. `coverage` in
    [0, 1]: share of the drafts that reach it, 0 where nothing is certified. `risk_upper` in (0, 1]: bound for the mean
    loss at the threshold (at the `candidate` where none is certified), at the error level it was tested at, so that it
    is within the goal exactly where the slice is certified. `labels_needed`: further labels without loss that would
    certify the candidate. `labels_expected`: further labels of the slice, at the loss seen so far; None: at that loss
    never. `accepted`, `accepted_bad`, `risk`: labels at the candidate, those with a loss, their mean loss.
    `coverage_limit`: what no method could exceed with so many labels, at the losses seen.
    """

    name: str
    parts: tuple[tuple[str, str], ...]
    drafts: int
    labels: int
    bad: int
    threshold: float | None
    is_certified: bool
    coverage: float
    risk_upper: float
    severe_upper: float | None
    labels_needed: int
    labels_expected: int | None
    candidate: float | None
    candidate_coverage: float
    accepted: int
    accepted_bad: int
    risk: float
    log_e: float
    progress: int
    level: float
    plain: PlainThreshold | None
    coverage_limit: float
    curve: tuple[CurvePoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """The answer: each slice, and all of them as one.

    `records`, `judged`: turn records read, and those with a verdict. `set_aside`: conversations of the earlier part, on
    which nothing is certified. `learned`: weights of a learned score, in log-odds of being good. `notes`: what a reader
    must know, in sentences.
    """

    goal: Goal
    by: tuple[str, ...]
    origin: ScoreOrigin
    records: int
    judged: int
    set_aside: int
    learned: tuple[tuple[str, float], ...]
    slices: tuple[SliceBacktest, ...]
    overall: SliceBacktest
    notes: tuple[str, ...]

    @property
    def coverage_by_slices(self) -> float:
        """The share of all drafts that could have gone out alone, each slice at its own threshold."""
        drafts = sum(one.drafts for one in self.slices)
        return sum(one.coverage * one.drafts for one in self.slices) / drafts if drafts else 0.0

    @property
    def is_anything_certified(self) -> bool:
        """Whether any certificate was reached."""
        return self.overall.is_certified or any(one.is_certified for one in self.slices)
