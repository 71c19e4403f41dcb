"""Who of the people takes which hand-offs, who is there, and how long a customer may wait; nothing here chooses anybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise

from understudy.records.policy import OpeningHours


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """People who take the same hand-offs.

    It takes those of these `topics`, `languages` (ISO 639-1) and `channels`; an empty one takes all. It is there within
    `hours` (None: always), never on `holidays`. Nobody of it has more than `capacity` open hand-offs given to them. The
    team `overflow` is asked too once a hand-off has waited `overflow_after_s` for this one. `members`: reviewers' names.
    """

    name: str
    members: tuple[str, ...]
    topics: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    hours: OpeningHours | None = None
    holidays: tuple[date, ...] = ()
    capacity: int = 3
    overflow: str | None = None
    overflow_after_s: float = 300.0

    def __post_init__(self) -> None:
        if not self.members:
            raise ValueError(f"team {self.name!r} has nobody in it")
        if self.capacity < 1 or self.overflow_after_s < 0:
            raise ValueError(f"team {self.name!r} needs capacity >= 1 and overflow_after_s >= 0")


class Why(StrEnum):
    """Why a hand-off is with somebody, or with nobody.

    With somebody: *least_loaded* of those who can; *keeps*: they answer in this conversation already; *took*: they took it
    themselves; *lead*: a lead gave it to them. With nobody: *nobody_here* of an open team; *all_full*: who is here has as
    many as they may; *closed*: no team that takes it is there at this hour; *no_team* takes it: anybody may.
    """

    LEAST_LOADED = "least_loaded"
    KEEPS = "keeps"
    TOOK = "took"
    LEAD = "lead"
    NOBODY_HERE = "nobody_here"
    ALL_FULL = "all_full"
    CLOSED = "closed"
    NO_TEAM = "no_team"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOffFacts:
    """What is known of a hand-off where a person is chosen for it.

    `language` None: it cannot be told, and asks for no skill. `keeper`: who answers in this conversation already. `lost`:
    who had it and lost it, the latest last. `is_urged`: overflow teams are asked without waiting any longer.
    """

    id: str
    topic: str | None
    channel: str
    language: str | None
    waits_since: datetime
    keeper: str | None = None
    lost: tuple[str, ...] = ()
    is_urged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """Where a hand-off goes: a person of a team, or nobody, and why, for machines and for people.

    `team` is the one the hand-off is for, or the one whose person it is. `opens_at`: where all are closed, when the first
    of them comes; None where nobody knows.
    """

    team: str | None
    person: str | None
    why: Why
    words: str
    opens_at: datetime | None = None


class StepDeed(StrEnum):
    """What is done before a wait is too long: *raise* puts it before others of its priority, *tell* says it to the leads,
    *overflow* asks the next teams at once."""

    RAISE = "raise"
    TELL = "tell"
    OVERFLOW = "overflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaStep:
    """At the share `at` of the time, in (0, 1), `do` is done."""

    at: float
    do: StepDeed

    def __post_init__(self) -> None:
        if not 0 < self.at < 1:
            raise ValueError(f"a step stands at a share of the time in (0, 1), got {self.at}")


TARGET_S_MAX = 30 * 86_400.0

USUAL_STEPS = (
    SlaStep(at=0.5, do=StepDeed.RAISE),
    SlaStep(at=0.8, do=StepDeed.OVERFLOW),
    SlaStep(at=0.8, do=StepDeed.TELL),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sla:
    """Within how many seconds after the hand-off a person has answered, by the hand-off's priority.

    `targets` are (priority, seconds), the most urgent first; a priority that is not among them has what the next more
    urgent one has, and where there is none the most urgent of all. Empty: nothing is promised, and no step is taken.
    `counts_closed`: time at which no team is there counts too.
    """

    targets: tuple[tuple[int, float], ...] = ()
    steps: tuple[SlaStep, ...] = USUAL_STEPS
    counts_closed: bool = False

    def __post_init__(self) -> None:
        if any(a[0] >= b[0] for a, b in pairwise(self.targets)):
            raise ValueError("the priorities of an SLA stand in order, each once")
        if any(not 0 < seconds <= TARGET_S_MAX for _, seconds in self.targets):
            raise ValueError(f"the seconds of an SLA must be > 0 and at most {TARGET_S_MAX:.0f}")
        if any(a.at > b.at for a, b in pairwise(self.steps)):
            raise ValueError("the steps of an SLA stand in order")

    def target_s(self, priority: int) -> float | None:
        """The seconds for a priority; None where nothing is promised."""
        if not self.targets:
            return None
        return next((seconds for at, seconds in reversed(self.targets) if at <= priority), self.targets[0][1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Staffing:
    """All of it. `hours`, `holidays`: when the business is open, where no team takes a hand-off.

    Who was given a hand-off begins within `take_within_s`, and who took a conversation answers within `answer_within_s`, or
    they lose it; who is not there any more loses what they have after `gone_s`.
    """

    teams: tuple[Team, ...] = ()
    sla: Sla = Sla()
    hours: OpeningHours | None = None
    holidays: tuple[date, ...] = ()
    take_within_s: float = 120.0
    answer_within_s: float = 900.0
    gone_s: float = 60.0

    @property
    def is_on(self) -> bool:
        """Whether there is anything to be done for a hand-off."""
        return bool(self.teams or self.sla.targets)

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who is in a team, once each, by name."""
        return tuple(sorted({name for team in self.teams for name in team.members}))


NO_STAFFING = Staffing()
"""Where the configuration says nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """What somebody said of themselves: that they are away, or, with `until`, that they are there without a console.

    `until` of who is away: then they are not any more; None: until they say so.
    """

    name: str
    is_away: bool
    until: datetime | None
    said_at: datetime
    said_by: str


class Ending(StrEnum):
    """How a wait for a person ended: a person *answered*; the agent answers again (*handed_back*); or nobody waits any more
    for another reason (*over*)."""

    ANSWERED = "answered"
    HANDED_BACK = "handed_back"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A customer's wait for a person, from the hand-off to the answer, and whose it is. `version` grows with every change.

    `waits_since`: the hand-off; it stays when the hand-off goes to another. `target_s`: within that they were to have an
    answer, by `due_at`; None: nothing is promised. `person` None: nobody's, `why` and `words` say for which reason.
    `lapses_at`: when they lose it, None while they are at it. `taken`: they took the conversation, so that no hold waits.
    `keeper`: who answered in this conversation before. `lost`: who had it, the latest last. `is_urged`: overflow teams are asked at
    once; `is_told`: leads are shown it. `steps`: how many of the SLA's steps were done; `step_at`: when the next is due.
    """

    id: str
    version: int
    hold_id: str
    conversation_id: str
    channel: str
    topic: str | None
    language: str | None
    priority: int
    waits_since: datetime
    target_s: float | None
    due_at: datetime | None
    team: str | None
    person: str | None
    why: Why
    words: str
    assigned_at: datetime | None
    lapses_at: datetime | None
    is_taken: bool = False
    keeper: str | None = None
    lost: tuple[str, ...] = ()
    is_urged: bool = False
    is_told: bool = False
    steps: int = 0
    step_at: datetime | None = None
    is_broken: bool = False
    ended_at: datetime | None = None
    ending: Ending | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonNow:
    """Somebody of a team as they are now. `open_hand_offs`: how many wait that are theirs; `seen_at`: when their console was
    last heard of."""

    name: str
    is_here: bool
    is_away: bool
    open_hand_offs: int
    seen_at: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamNow:
    """A team as it is now. `opens_at`: when it comes, None where it is there or nobody knows."""

    team: Team
    is_open: bool
    opens_at: datetime | None
    people: tuple[PersonNow, ...]
    waiting: int
    oldest_at: datetime | None
