"""Win-backs: a correction that a person may send to a customer whom a reply let down; nothing here proposes or sends one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from understudy.records.quality import Share
from understudy.records.templates import filled
from understudy.records.trust import CapCause

CAUSES: Final = (CapCause.REJECTED, CapCause.COMPLAINT, CapCause.THUMBS_DOWN, CapCause.RECONTACT)
"""What of a customer's trouble can be made good by a message."""
REVIEWER: Final = "reviewer"
"""The placeholder that stands for the person who sends it, known only then."""
FACTS: Final = frozenset({"customer", "business", "channel", "topic", "day", "said", "correction", REVIEWER})
"""What an approved text may be filled with."""


class WinBackState(StrEnum):
    """*noticed*: something bad reached a customer; *proposed*: a text waits for a person; *sent* by one; *dismissed*: a person said
    that it is not needed; *void*: what it was proposed for is otherwise by now; *skipped*: none was proposed."""

    NOTICED = "noticed"
    PROPOSED = "proposed"
    SENT = "sent"
    DISMISSED = "dismissed"
    VOID = "void"
    SKIPPED = "skipped"


OPEN_STATES: Final = (WinBackState.NOTICED, WinBackState.PROPOSED)


class WhyNone(StrEnum):
    """Why none is proposed, or one no longer: a person has the conversation, or wrote to the customer since (*answered*); they want
    no messages (*opted_out*); the channel takes none now (*window_closed*) or goes nowhere (*no_way*); another one was sent
    lately or waits; no approved text fits; it is too late; *taken_over*: its reviewer talks to the customer instead."""

    WITH_PERSON = "with_person"
    ANSWERED = "answered"
    OPTED_OUT = "opted_out"
    WINDOW_CLOSED = "window_closed"
    NO_WAY = "no_way"
    SENT_LATELY = "sent_lately"
    ONE_WAITS = "one_waits"
    NO_TEXT = "no_text"
    TOO_LATE = "too_late"
    TAKEN_OVER = "taken_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class WinBackText:
    """An approved text with placeholders of `FACTS`, for some causes, in one language."""

    id: str
    version: int
    language: str
    causes: frozenset[CapCause]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WinBackTerms:
    """What is proposed: nothing later than `within` after what happened, nobody twice in `again_after`, in their own language where
    there is a text in it, else in `language`. `windows`: how long after the customer's last message a channel takes one, by its
    name; None = always; a channel that is missing takes none."""

    texts: tuple[WinBackText, ...]
    language: str
    within: timedelta
    again_after: timedelta
    windows: Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class WinBack:
    """Something bad that reached a customer, and what was made of it. `at`: when it happened; `shut_at`: when the channel takes no
    more messages, None = never; `text`, `facts`: the approved text as it was, and what it is filled with; `by`: who sent or
    dismissed it; `why`: why there is none."""

    id: str
    contact_id: str
    conversation_id: str
    turn_id: str
    cause: CapCause
    state: WinBackState
    at: datetime
    hold_id: str | None = None
    text_id: str | None = None
    language: str | None = None
    text: str | None = None
    facts: str | None = None
    shut_at: datetime | None = None
    settled_at: datetime | None = None
    by: str | None = None
    why: WhyNone | None = None


def worded(text: str, facts: Mapping[str, str], reviewer: str) -> str:
    """The words of a text as one reviewer would send it."""
    return filled(text, {**facts, REVIEWER: reviewer})


@dataclass(frozen=True, slots=True, kw_only=True)
class WinBackTally:
    """So many bad outcomes that a win-back was sent for, or was not: whether it is too early to say what followed, whether the
    customer came back for the same, and what they said next when they were asked (None: nothing)."""

    sent: bool
    early: bool
    back: bool
    score: int | None
    outcomes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What followed bad outcomes that are old enough: the share who came back about the same, and of those who said how it was
    next the share of a 4 or 5. `early`: so many are not old enough."""

    outcomes: int
    recontacted: Share
    content: Share
    early: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WinBackFigures:
    """Bad outcomes of a time, *won_back* by a message of a person and *without*, and what followed within so many days."""

    since: datetime
    until: datetime
    within_days: float
    won_back: Aftermath
    without: Aftermath
