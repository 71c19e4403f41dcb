"""An epoch and its uncounted drafts in memory, where the product has a store; what counts and what follows is `learning/`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from understudy.learning.flow import SCORES_MAX
from understudy.learning.ladder import Progress, begun
from understudy.learning.looking import look
from understudy.learning.promotion import Finding
from understudy.records.autonomy import UNVERSIONED, Candidate, Epoch, Targets, Terms
from understudy.records.rulebook import SHIPPED, Level, Rules
from understudy.simulation.drafts import Floats

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""When the made-up days begin; nothing depends on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What the configuration says and all slices share. `confirm_s`: until a lead confirms; 0 where nobody has to.

    `fixed`: the confidence from which a plain threshold would send. `is_watched`: whether moments are kept.
    """

    rules: Rules
    terms: Terms
    judged_within: timedelta
    confirm_s: float
    fixed: float | None = None
    is_watched: bool = False


class Counting:
    """An epoch as the store would keep it, with the drafts that are not counted yet; channel `*` pools a topic."""

    def __init__(self, topic: str, channel: str, targets: Targets) -> None:
        self.topic, self.channel, self.targets = topic, channel, targets
        self.epoch: Epoch | None = None
        self.progress: Progress | None = None
        self.waiting: dict[int, Candidate] = {}
        """By number, in the order of drafts."""
        self._begun = 0

    @property
    def lent(self) -> tuple[Epoch, Progress] | None:
        """What slices below may rest on."""
        return None if self.epoch is None or self.progress is None else (self.epoch, self.progress)

    def begin(self, scores: Floats, now: datetime, *, after: int, earned: Level | None = None) -> None:
        """Begin an epoch for the drafts after number `after`, its thresholds placed among the scores."""
        self.progress = begun(scores[:SCORES_MAX].tolist(), self.targets)
        self._begun += 1
        self.epoch = Epoch(
            id=f"{self.topic}-{self.channel}-{self._begun}",
            version=1,
            topic=self.topic,
            channel=self.channel,
            release=UNVERSIONED,
            calibrator=SHIPPED,
            targets=self.targets,
            began_at=now,
            after=after,
            consumed=after,
            progress="",  # kept as it is, beside the epoch
            earned=earned,
        )

    def look(self, level: Level, terms: Terms, now: datetime, parent: tuple[Epoch, Progress] | None) -> Finding:
        """Count what may be counted, and say what follows."""
        assert self.epoch is not None, "it has begun"
        assert self.progress is not None, "and with it its progress"
        seen = look(
            self.epoch,
            self.progress,
            list(self.waiting.values()),
            level=level,
            terms=terms,
            now=now,
            parent=parent,
        )
        self.progress = seen.progress
        for number in list(self.waiting)[: seen.taken]:
            del self.waiting[number]
        return seen.finding
