"""How far each slice is, as people read it; how it is reckoned stands in `learning/status.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from understudy.records.autonomy import Proposal, Stop, Targets
from understudy.records.release import Stage
from understudy.records.rulebook import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceStatus:
    """One slice and release. Counts are of this epoch, since `since`.

    `level` is the one in force, `given_by` whether the evidence or the configuration says so. `evidence` and `alarm` are
    "x of 100": of what a certificate needs, and of what demotes. `threshold` is the confidence from which drafts leave
    by themselves, `certified` the one that the evidence allows, `coverage` the share of reviewed drafts above that (or,
    where nothing is certified, none). `labels_min` is how many labels without any fault a certificate takes. `lately`
    counts the latest drafts that nothing but autonomy decided on, the epochs before included, of which `lately_alone` left
    by themselves; `audits_owed` replies left and still wait for the review they were drawn for. `audit_rate` is the share of
    its automatic replies that are drawn for one, None where none leaves.

    `answers` is the share in [0, 1] of new conversations that it drafts for now: by its release, whose `stage` says how far
    it is; where no release says so, all of them for the version that drafted last.
    """

    topic: str
    channel: str
    release: str
    level: Level
    given_by: str
    on_hold: bool
    drafts: int
    awaiting: int
    labels: int
    loss_sum: float
    severe: int
    timeouts: int
    evidence: int
    labels_min: int
    threshold: float | None
    certified: float | None
    coverage: float | None
    delivered: int
    audited: int
    audit_rate: float | None
    burst_left: int
    alarm: int
    calibrator: str | None
    proposal: Proposal | None
    since: datetime | None
    expires_at: datetime | None
    targets: Targets
    thresholds_wait_for: int
    epoch: str | None
    lately: int = 0
    lately_alone: int = 0
    audits_owed: int = 0
    answers: float = 0.0
    stage: Stage | None = None

    @property
    def is_over(self) -> bool:
        """Whether its release was taken back, or another took its place."""
        return self.stage in (Stage.ROLLED_BACK, Stage.RETIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """What share of bad drafts reviewers notice, at least, as epochs that begin now assume it.

    `is_measured` by `caught` of so many `planted` drafts, or else assumed. `labels` is how many clean ones certify the
    usual mean loss at that, `labels_at_best` with reviewers who notice everything.
    """

    share: float
    is_measured: bool
    planted: int
    caught: int
    labels: int
    labels_at_best: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All slices, all stops, and how well reviewers look."""

    slices: tuple[SliceStatus, ...]
    stops: tuple[Stop, ...]
    attention: Attention
