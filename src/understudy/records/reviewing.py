"""How well people review: drafts planted to be found, second opinions of people, how long a decision took. It rates nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from understudy.records.autonomy import Label
from understudy.records.conversation import Author
from understudy.records.review import HoldKind, VerdictKind


class SeedOrigin(StrEnum):
    """Where a known-bad draft is from: this store's own history, or a file that somebody added."""

    HISTORY = "history"
    FILE = "file"


class SeedOutcome(StrEnum):
    """What became of a planted draft: a reviewer *caught* it, *missed* it, or it went *unjudged*."""

    CAUGHT = "caught"
    MISSED = "missed"
    UNJUDGED = "unjudged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """A known-bad draft for the review queue, planted once.

    `source` is the turn, or the turn record of the file, that it is a copy of. `body`: what a file's one shows (canonical
    JSON of a `Scene`); None where the source's own documents say it. `turn_id` and `hold_id` are those it was planted
    under.
    """

    id: str
    origin: SeedOrigin
    source: str
    topic: str
    channel: str
    added_by: str
    added_at: datetime
    body: str | None = None
    planted_at: datetime | None = None
    turn_id: str | None = None
    hold_id: str | None = None
    outcome: SeedOutcome | None = None
    verdict: VerdictKind | None = None
    reviewer: str | None = None
    judged_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A message of a scene, `before_s` seconds before the draft; `is_asked`: the draft answers it."""

    author: Author
    author_name: str | None
    text: str
    before_s: float
    is_asked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a reviewer sees of a seed: the conversation up to the draft, and the turn's documents as canonical JSON.

    `contact_id` None: nobody known is behind it, and `contact_name` is all that is said. `took_s`: from the first message
    asked to the decision.
    """

    lines: tuple[Line, ...]
    draft: str
    evidence: str
    assessment: str
    contact_id: str | None
    contact_name: str | None
    external_id: str
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedCount:
    """How many planted drafts were caught, of how many that got a verdict."""

    caught: int
    judged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A draft of the past that was rejected, or whose verdict gave reasons of some kind, and by whom."""

    turn_id: str
    reviewer: str
    kind: VerdictKind
    reasons: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondReview:
    """A draft that two reviewers judged, neither knowing of the other; `candidate` is its place among the drafts."""

    hold_id: str
    candidate: int
    turn_id: str
    first: Label
    second: Label
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict on a draft and how it came: `took_s` seconds from when it could be seen, `words` there were to read."""

    verdict_id: str
    reviewer: str
    hold_kind: HoldKind
    kind: VerdictKind
    took_s: float
    words: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """A reviewer whose approvals are no evidence of a good draft at present, since when, and why in words."""

    reviewer: str
    since: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewTerms:
    """How reviewers are looked at. `second_rate` in [0, 1] of the sampled verdicts are given a second time, blind; the
    second is waited for at most `second_within_s`. `discounts`: who approves faster than anybody can read and misses
    planted drafts gives no evidence of good ones. `sensitivity`: the share of bad drafts that reviewers are taken to
    notice. Nobody reads more than `words_per_minute_max` words a minute.
    """

    second_rate: float = 0.0
    second_within_s: float = 72 * 3600.0
    discounts: bool = True
    sensitivity: float = 0.7
    words_per_minute_max: float = 700.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """How far two judgements of the same drafts agree. `rate` in [0, 1]; `kappa` in [−1, 1] with its interval, None where
    chance leaves nothing to agree on."""

    drafts: int
    rate: float
    kappa: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerQuality:
    """How a reviewer reviews, by their latest verdicts on drafts.

    `decision_s`: median seconds from when a draft could be seen to the verdict; `approval_s` of approvals alone, and
    `reading_s` the least time that reading those drafts takes. `approval_rate` in [0, 1] is the share approved as they
    were. `seeds`: planted drafts; they notice between `noticed_low` and `noticed_high` of the bad ones, each bound with
    97.5 % confidence. `second` is their agreement with others. `discounted`: why their approvals count for nothing.
    """

    reviewer: str
    verdicts: int
    decision_s: float | None
    approval_s: float | None
    reading_s: float | None
    approval_rate: float | None
    seeds: SeedCount
    noticed_low: float
    noticed_high: float
    second: Agreed | None
    discounted: str | None
    last_at: datetime | None
