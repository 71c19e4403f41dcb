"""What became of one slice in one run, as counts; means and intervals over runs stand in `summary.py`."""

from __future__ import annotations

from dataclasses import dataclass, field

from understudy.records.rulebook import Level
from understudy.simulation.drafts import DAY_S, Drafts, Flags
from understudy.simulation.world import Regression


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that a lead would be told: on which day, what, and the level and threshold from then on.

    `is_false`: a promotion although the true risk above its threshold was the target or more.
    """

    day: float
    what: str
    level: Level
    threshold: float | None = None
    is_false: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """How a slice stood after a look, for pictures: `evidence` and `alarm` of 100; the rest since the look before.

    `true_risk` is the mean loss of what would leave at the threshold in force, None where nothing may.
    """

    day: float
    level: Level
    evidence: int
    alarm: int
    labels: int
    drafts: int
    automatic: int
    loss: float
    reviews: int
    audits: int
    true_risk: float | None


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counted while a slice runs.

    `automatic` drafts left by themselves and cost `loss` in all, `bad` of them with a loss at all. `reviews` of held
    drafts, `audits` of sent ones. `fixed_*`: what a plain threshold would have sent from the first day.
    `bad_after`, `sent_after`: from the regression to the fall after it, or to the end; `fixed_bad_after` likewise,
    and there is no fall. `alone_at_regression`: whether there was anything to lose, None without a regression.
    """

    name: str
    risk_max: float
    drafts: int = 0
    automatic: int = 0
    loss: float = 0.0
    bad: int = 0
    severe: int = 0
    reviews: int = 0
    audits: int = 0
    complaints: int = 0
    fixed_automatic: int = 0
    fixed_loss: float = 0.0
    fixed_bad_after: int = 0
    alone_at_regression: bool | None = None
    bad_after: int = 0
    sent_after: int = 0
    caught_on: float | None = None
    events: list[Event] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)

    def count(self, drafts: Drafts, part: slice, delivered: Flags, sampled: Flags) -> None:
        """Count a part of the drafts: which of them left by themselves, and which labels are evidence."""
        self.automatic += int(delivered.sum())
        self.loss += float(drafts.loss[part][delivered].sum())
        self.bad += int((delivered & drafts.is_bad[part]).sum())
        self.severe += int(drafts.is_severe[part][delivered].sum())
        self.reviews += int((~delivered).sum())
        self.audits += int((delivered & sampled).sum())
        self.complaints += int((delivered & drafts.is_complained_of[part]).sum())

    def count_fixed(self, drafts: Drafts, worse: Regression | None, threshold: float) -> None:
        """Count what a plain threshold sends: whatever is that sure, from the first day, and nobody looks again."""
        sent = drafts.confidence >= threshold
        self.fixed_automatic = int(sent.sum())
        self.fixed_loss = float(drafts.loss[sent].sum())
        if worse is not None:
            self.fixed_bad_after = int((sent & drafts.is_bad & (drafts.at_s >= worse.day * DAY_S)).sum())

    @property
    def promoted_on(self) -> float | None:
        """The day of the first promotion."""
        return next((event.day for event in self.events if event.what == "promoted"), None)

    @property
    def is_false(self) -> bool:
        """Whether any promotion was."""
        return any(event.is_false for event in self.events)

    @property
    def falls_for_nothing(self) -> int:
        """Alarms and incidents before the agent got worse, or without it ever getting worse."""
        fallen = [event.day for event in self.events if event.what in ("alarm", "incident")]
        return sum(day != self.caught_on for day in fallen)
