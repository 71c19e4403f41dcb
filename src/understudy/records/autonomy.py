"""What autonomy is earned with: drafts that nothing but autonomy kept, what people said of them, and epochs; how one
becomes the other stands in `learning/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from understudy.records.rulebook import Level

EVERY = "*"
"""Stands for every channel (an epoch that pools a topic), or for everything (a stop)."""

UNVERSIONED = "unversioned"
"""The release of an agent that gives no version."""


class Outcome(StrEnum):
    """How the label of a candidate came: a verdict on its hold or audit, or none.

    *timeout*: nobody judged it in time, which counts as bad. *void*: the customer wrote on before anybody could judge
    it, which counts as nothing, because how good the draft was had no part in it. *discounted*: approved by a reviewer
    whose approvals are no evidence at present, which counts as nothing as well. *no_draft*: a redraft that could not be
    made, which counts as bad.
    """

    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"
    RESPOND = "respond"
    TAKE_OVER = "take_over"
    TIMEOUT = "timeout"
    VOID = "void"
    DISCOUNTED = "discounted"
    NO_DRAFT = "no_draft"


NOTHING_SAID = frozenset({Outcome.VOID, Outcome.DISCOUNTED})
"""Outcomes that say nothing of how good a draft was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What people said of a draft: `loss` in [0, 1], 0 = sent as it was; `is_severe` marks harm or a broken policy.

    `carried_from`: it was said of that candidate (its `seq`), by `by`, and holds of a redraft that says the same; `at` is
    when it was carried over.
    """

    outcome: Outcome
    loss: float
    is_severe: bool
    by: str | None
    at: datetime
    carried_from: int | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.loss <= 1.0:
            raise ValueError(f"Label.loss must be in [0, 1], got {self.loss!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A draft between whose delivery and review nothing but autonomy decided.

    `seq` is the number of its decision in the ledger, and so the order of drafts. `signals` are the checks' numbers
    in [0, 1]. `is_sampled`: its label counts as evidence; `rate` in [0, 1] is the probability with which it was chosen
    for that, fixed before anybody looked. `label` None: not judged yet. `due_at`: after this, no label is a bad one.
    `is_repeat`: another sampled draft of its conversation, for this slice and release, is evidence already, and the two
    are not independent of each other. `second_due_at`: until then a second reviewer, who does not know of the first, is waited for before the label counts.
    `redraft_of`: it was drafted for the turn of that candidate (its `seq`), in a rehearsal; `conversation_id` and
    `decided_at` are then those of that one, since it is evidence about that traffic, and `turn_id` is a name of its own.
    """

    seq: int
    turn_id: str
    conversation_id: str
    topic: str
    channel: str
    release: str
    calibrator: str
    confidence: float
    signals: tuple[tuple[str, float], ...]
    is_delivered: bool
    is_sampled: bool
    rate: float
    decided_at: datetime
    due_at: datetime
    is_repeat: bool = False
    second_due_at: datetime | None = None
    redraft_of: int | None = None
    label: Label | None = None

    @property
    def awaits_second(self) -> bool:
        """Whether a second, blind review was asked for and has not come yet."""
        return self.second_due_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What a certificate promises, fixed when an epoch begins.

    `risk_max` bounds the mean loss and `severe_max` the share of severe ones, both in (0, 1); each holds with
    confidence 1 − `delta`. `sensitivity` in (0, 1] is the share of bad drafts that reviewers notice, at least: what
    they see must stay below `risk_max` × `sensitivity`. `alarm`: audits to a false alarm, at the least on average.
    """

    risk_max: float
    severe_max: float
    delta: float
    sensitivity: float
    alarm: float = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """When promotions are proposed and how long they last.

    Besides the certificate, labels must span `days_min` days and come from `reviewers_min` people. In probation
    `probation_audit_rate` of the replies are audited, until `probation_replies` were sent; then `audit_rate`. A
    certificate lasts `valid_days`. After a stir the next `burst` automatic replies are all audited. A slice may rest on
    its topic's certificate once it has `child_labels_min` labels of its own that do not speak against it. From
    `seeds_min` judged seeds on an epoch begins with the sensitivity that they measure, and no longer with the assumed one.
    A release that passed its gate goes on where its baseline answers alone, with `release_audit_rate` of its replies
    audited.
    """

    days_min: float = 3.0
    reviewers_min: int = 2
    probation_audit_rate: float = 0.2
    probation_replies: int = 4000
    audit_rate: float = 0.05
    valid_days: float = 90.0
    burst: int = 100
    child_labels_min: int = 30
    seeds_min: int = 20
    release_audit_rate: float = 0.5
    is_automatic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialTerms:
    """When a calibrator is tried and when it is better.

    At least `verdicts_min` verdicts; the latest `unseen_share` of them, in (0, 1), is kept for the trial, and among those
    at least `kind_min` approvals and as many of the rest. Its mean log loss must be smaller by `gain_min` (a share of
    the old one's, in [0, 1)), and by more than chance: one-sided paired t-test at `level`.
    """

    verdicts_min: int = 200
    unseen_share: float = 0.3
    kind_min: int = 10
    gain_min: float = 0.02
    level: float = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class RefitTerms:
    """A calibrator is tried when `every` has passed or `new_verdicts` have come since the last trial."""

    every: timedelta = timedelta(hours=24)
    new_verdicts: int = 200
    trial: TrialTerms = TrialTerms()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A promotion that the evidence allows and a lead has not confirmed yet."""

    level: Level
    threshold: float
    at: datetime
    basis: str
    """The epoch whose certificate it rests on: the slice's own, or that of its topic on all channels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """A stretch of evidence of one slice × release × calibrator; channel `*` pools a topic over its channels.

    `earned` None: nothing was earned or lost yet, so the configuration speaks. `progress` is the state of its
    processes as canonical JSON, made of all candidates with `seq` up to `consumed`. `burst_left`: so many more
    automatic replies are all audited. `has_harm`: one that left by itself did harm. An epoch that ended says why, and
    another has begun.
    """

    id: str
    version: int
    topic: str
    channel: str
    release: str
    calibrator: str
    targets: Targets
    began_at: datetime
    after: int
    consumed: int
    progress: str
    earned: Level | None = None
    threshold: float | None = None
    audit_rate: float | None = None
    burst_left: int = 0
    has_harm: bool = False
    certified_at: datetime | None = None
    expires_at: datetime | None = None
    proposal: Proposal | None = None
    ended_at: datetime | None = None
    ended_why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A person's word that nothing leaves by itself: on one topic and channel, or on `*` all."""

    topic: str
    channel: str
    by: str
    at: datetime
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A topic and channel, `*` for every; `release` None = every agent version."""

    topic: str = EVERY
    channel: str = EVERY
    release: str | None = None

    def covers(self, epoch: Epoch) -> bool:
        """Whether an epoch belongs here."""
        return (
            self.topic in (EVERY, epoch.topic)
            and self.channel in (EVERY, epoch.channel)
            and self.release in (None, epoch.release)
        )

    def __str__(self) -> str:
        return f"{self.topic}×{self.channel}" + (f" ({self.release})" if self.release else "")
