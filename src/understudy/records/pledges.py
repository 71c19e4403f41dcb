"""Pledges: what a reply commits the business to, as a task with a deadline; nothing here finds, keeps or chases one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from understudy.records.assessment import Span
from understudy.records.conversation import Author


class PledgeKind(StrEnum):
    """What was pledged: to *call*, to *write* (get back, let know), to *send* something, to pay *money* back, or to *do*
    something else, such as look into it."""

    CALL = "call"
    WRITE = "write"
    SEND = "send"
    MONEY = "money"
    DO = "do"


class PledgeState(StrEnum):
    """*open* until it is *kept*; *broken* once its deadline passed, and it still has to be kept; *withdrawn*: nobody has to
    keep it, because a person said so."""

    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"
    WITHDRAWN = "withdrawn"


UNKEPT = (PledgeState.OPEN, PledgeState.BROKEN)
"""States in which somebody still has to do what was pledged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidPledge:
    """A pledge as a text makes it. `words`: the sentence part at `span`; `due_at`: by when, None where the text names no
    time."""

    kind: PledgeKind
    span: Span
    words: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PledgeChoice:
    """What a reviewer makes of a pledge of a draft, known by its words: another time, or that it is none.

    `due_at` None: as the text says.
    """

    words: str
    due_at: datetime | None = None
    is_none: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PledgeTerms:
    """`timezone`: the IANA name of the zone in which times are meant. A pledge without a time is due after `usual_h` hours;
    people are told `warn_h` hours before a deadline, or half way to it where that is later. `is_on` False: none is kept."""

    is_on: bool = True
    timezone: str = "UTC"
    usual_h: float = 48.0
    warn_h: float = 2.0

    def __post_init__(self) -> None:
        if self.usual_h <= 0 or self.warn_h < 0:
            raise ValueError("pledges need usual_h > 0 and warn_h >= 0")


USUAL_PLEDGES = PledgeTerms()
"""Where the configuration says nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pledge:
    """A commitment towards a customer. `version` grows with every change.

    `message_id` None: not made by a message, but by a person or the system beside one. `author`: whose words they were;
    `made_by`: who answers for them, None where nobody saw them before they left. `has_named_time` False: the deadline is the
    usual one, because the words name none. `warn_at`: when people are told, None once they were. `ended_by`, `note`: who
    said that it is kept or withdrawn, and what they wrote.
    """

    id: str
    version: int
    kind: PledgeKind
    state: PledgeState
    contact_id: str
    conversation_id: str
    turn_id: str | None
    message_id: str | None
    author: Author
    made_by: str | None
    words: str
    has_named_time: bool
    made_at: datetime
    due_at: datetime
    warn_at: datetime | None
    ended_at: datetime | None = None
    ended_by: str | None = None
    note: str | None = None
