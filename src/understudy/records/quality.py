"""What is counted of how well customers are answered, and the figures made of it; how stands in `quality/`.

A *tally* is a row of counts as the store gives it: of a bucket of time and a slice × release. `bucket` counts from the
beginning of what was asked for; a `topic` or `release` that a turn does not have is an empty string.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from understudy.records.assessment import DecisionKind
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.turn import TurnState

LEADS = ((20, 2), (40, 5), (100, 10))
"""Below which first two digits of a time how many numbers are one: none is wider than a quarter of what it counts."""
NOT_SERVED = frozenset({TurnState.SUPERSEDED, TurnState.PLANTED, TurnState.SPENT, TurnState.REDRAFTED})
"""Turns that no figure is about: another turn answers the customer, or no customer is behind them."""


class Bucket(StrEnum):
    """How fine figures are over time."""

    WEEK = "week"
    DAY = "day"
    HOUR = "hour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What time is asked for: from `since` on, until `until`; None = 28 days up to now."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From `since` in `buckets` pieces of `width`."""

    since: datetime
    width: timedelta
    buckets: int

    @property
    def until(self) -> datetime:
        return self.since + self.buckets * self.width


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What figures are asked for: everything, or one topic, channel or release of it."""

    topic: str | None = None
    channel: str | None = None
    release: str | None = None

    def has(self, tally: Tally) -> bool:
        """Whether a tally belongs to it."""
        return (
            self.topic in (None, tally.topic)
            and self.channel in (None, tally.channel)
            and self.release in (None, tally.release)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """So many turns of a bucket and slice × release."""

    bucket: int
    topic: str
    channel: str
    release: str
    turns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnTally(Tally):
    """By what was decided and where they stand; `settled`: answered long enough ago for the customer to have come back."""

    decision: DecisionKind
    state: TurnState
    settled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictTally(Tally):
    """Verdicts on drafts before (*draft*) or after (*audit*) they left; `needs_person`: a reason says that a person was needed."""

    hold: HoldKind
    verdict: VerdictKind
    needs_person: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackTally(Tally):
    """Of which customers said something, by what they said."""

    decision: DecisionKind
    settled: bool
    recontact: bool
    discontent: bool
    up: bool
    down: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LateTally(Tally):
    """Of which a hold passed its deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedTally(Tally):
    """In which the customer asked for a person; `handed_off`: and got one."""

    handed_off: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitTally(Tally):
    """Answers by how long they took: as milliseconds the time has `digits` digits and begins with the two of `lead`, or
    with one of the few numbers after it that `LEADS` puts together with it."""

    alone: bool
    digits: int
    lead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tallies:
    """All that figures are made of: over time, when no tally names a slice, or by slice, when all are of one bucket."""

    turns: tuple[TurnTally, ...] = ()
    verdicts: tuple[VerdictTally, ...] = ()
    feedback: tuple[FeedbackTally, ...] = ()
    late: tuple[LateTally, ...] = ()
    asked: tuple[AskedTally, ...] = ()
    waits: tuple[WaitTally, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`count` of `of`; `share` in [0, 1] with its interval, None where there are too few cases to say one."""

    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long customers waited, in seconds: half of them at most `p50_s`, nine in ten at most `p90_s`, each with its
    interval; None where there are too few cases to say it."""

    cases: int
    p50_s: float | None
    p50_low_s: float | None
    p50_high_s: float | None
    p90_s: float | None
    p90_low_s: float | None
    p90_high_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is said of some turns. Each share's `of` is what it is a share of; the definitions stand in
    docs/explanation/how-figures-are-counted.md.

    `turns`: decided; `ended`: answered, or given to a person for good; `waiting`: neither yet.
    """

    turns: int
    ended: int
    waiting: int
    automation: Share
    safe_replies: Share
    approved: Share
    edited: Share
    rejected: Share
    taken: Share
    audits_bad: Share
    confirmed: Share
    assumed: Share
    recontacted: Share
    discontent: Share
    missed: Share
    asked_in_vain: Share
    late: Share
    content_alone: Share
    content_people: Share
    wait_alone: Wait
    wait_people: Wait


class Direction(StrEnum):
    """What a figure did since the period before, as far as the intervals say."""

    UP = "up"
    DOWN = "down"
    UNCHANGED = "unchanged"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A figure now against before: `by` its difference, of a share in points of 1, of a wait in seconds. `direction` is
    *unknown* where either side has too few cases, and *unchanged* where the difference may well be chance."""

    direction: Direction
    by: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """The figures of a bucket, by when it began."""

    at: datetime
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The figures of a topic, a channel or a release."""

    name: str
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """A page of figures. `changes` by the figure's name, against the period of the same length before."""

    since: datetime
    until: datetime
    bucket_s: float
    before_since: datetime
    recontact_h: float
    cases_min: int
    confidence: float
    change_confidence: float
    all: Figures
    before: Figures
    changes: Mapping[str, Change]
    over_time: tuple[At, ...]
    topics: tuple[Named, ...]
    channels: tuple[Named, ...]
    releases: tuple[Named, ...]
    is_cut: bool


class ModeSource(StrEnum):
    """Where a failure mode is read from: what checks found, why a person got the turn, why a reviewer refused a draft,
    what went wrong on the way to the customer."""

    FINDING = "finding"
    HAND_OFF = "hand_off"
    REVIEWER = "reviewer"
    SENDING = "sending"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeTally:
    """So many turns of a topic with all these codes."""

    source: ModeSource
    topic: str
    codes: tuple[str, ...]
    turns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """A failure mode: `code` is what it is called at its source, `family` what it stands with: the check that finds it,
    or where else it shows."""

    source: ModeSource
    family: str
    code: str

    @property
    def name(self) -> str:
        return f"{self.source.value}:{self.code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """So many turns of a topic show a mode; `step` 0 to 5 is how dark it is drawn, None where the topic has too few turns."""

    mode: str
    turns: int
    step: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeColumn:
    """A failure mode and how many turns show it."""

    mode: str
    family: str
    code: str
    turns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRow:
    """A topic: how many turns were decided, and the cells that are not empty."""

    topic: str
    turns: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Insights:
    """Failure modes by topic. `steps`: the lower bounds, as shares of a topic's turns, of the steps 1 to 5. `left_out`:
    topics and modes that are beyond the largest ones."""

    since: datetime
    until: datetime
    cases_min: int
    steps: tuple[float, ...]
    modes: tuple[ModeColumn, ...]
    topics: tuple[TopicRow, ...]
    topics_left_out: int
    modes_left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeQuery:
    """Which turns stand behind a cell: of a topic ("" = none) and mode (`source` None: whatever they show), decided in a
    span, after a place in the list."""

    since: datetime
    until: datetime
    topic: str | None
    source: ModeSource | None
    code: str
    channel: str | None
    release: str | None
    before: tuple[datetime, int] | None
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Satisfaction:
    """What those said who were asked. `content`: the share of a 4 or 5 (a thumb up counts as 5) among the answers; `answered`:
    the share of the questions that were answered. `scores`: how many said 1, 2, 3, 4, 5; `mean` None where nobody did."""

    content: Share
    answered: Share
    scores: tuple[int, ...]
    mean: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Csat:
    """Satisfaction with the turns that were asked about in a time: those the agent answered *alone*, and those that *people*
    answered or let out."""

    since: datetime
    until: datetime
    alone: Satisfaction
    people: Satisfaction
