"""All there is to see of one slice, for people: what its labels show, over which time, and how its level came about; how
it is reckoned stands in `learning/slice_story.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from understudy.records.rulebook import Level
from understudy.records.standing import SliceStatus


class LabelSource(StrEnum):
    """Where a label is from: the *review* of a draft on hold, the *audit* of a reply that had left, what was said of an
    old draft and *carried* over to a redraft or said of the redraft itself, or *nobody*: no one judged it in time."""

    REVIEW = "review"
    AUDIT = "audit"
    CARRIED = "carried"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """Were drafts to leave from `threshold` on: the share of drafts that would, in (0, 1], and their mean loss, in [0, 1]."""

    threshold: float
    coverage: float
    risk: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One threshold that the evidence may choose: labels at or above it, their losses and severe ones, and whether both
    promises are proved there."""

    threshold: float
    labels: int
    loss_sum: float
    severe: int
    is_certified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelBucket:
    """Labels of one source that came in the stretch of time from `at` on: *good* cost nothing, *bad* something, and of
    those *severe* did harm; *silent* ones say nothing of how good a draft was."""

    at: datetime
    source: LabelSource
    good: int
    bad: int
    severe: int
    silent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceMove:
    """One thing that happened to the slice, as the ledger has it under `seq`. `what` is the event after *autonomy.*;
    `topic` and `channel` are those that it was about, for stops perhaps `*`."""

    seq: int
    at: datetime
    by: str
    what: str
    topic: str
    channel: str
    release: str | None
    level: Level | None
    threshold: float | None
    why: str | None
    replies: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceStory:
    """One slice: how each release stands in it, the one looked at first among equals (`release`).

    `risk_seen_max` and `severe_seen_max` are what reviewers may see at most, since they notice only a share of what is
    bad. `curve` is of `curve_labels` labels of this epoch, each weighed by how seldom it was drawn; it promises nothing, `rungs` do. `labels` are in
    stretches of `bucket_s` seconds. A promotion also asks for `days_min` days (there are `days`) and `reviewers_min`
    people (there are `reviewers`); after `probation_replies` replies *auto* is proposed. `is_cut`: older moves were
    left out.
    """

    topic: str
    channel: str
    release: str
    releases: tuple[SliceStatus, ...]
    risk_seen_max: float
    severe_seen_max: float
    curve: tuple[CurvePoint, ...]
    curve_labels: int
    rungs: tuple[Rung, ...]
    bucket_s: int
    labels: tuple[LabelBucket, ...]
    reviewers: int
    reviewers_min: int
    days: float
    days_min: float
    probation_replies: int
    moves: tuple[SliceMove, ...]
    is_cut: bool
