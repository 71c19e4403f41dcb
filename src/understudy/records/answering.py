"""Who answers a conversation, and what each event makes of that: one table, asked by every flow that changes it; it does nothing itself.

The table is whole: for every state and event it says where that leads and what is done on the way, or that it is refused and
why, or that it cannot happen and why. What is done stands in `effects/handing_off.py` and in the flows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from understudy.records.conversation import Conversation, Mode


class Answering(StrEnum):
    """Who answers. It is read from what is stored, and stored nowhere itself."""

    AGENT = "agent"
    REVIEW = "review"
    PEOPLE_ONLY = "people_only"
    WAITING = "waiting"
    PROMISED = "promised"
    TAKEN = "taken"
    TAKEN_WAITING = "taken_waiting"
    REHEARSAL = "rehearsal"


STATES: Final[Mapping[Answering, str]] = {
    Answering.AGENT: "the agent, with its checks",
    Answering.REVIEW: "the agent, once a reviewer has decided on the draft on hold",
    Answering.PEOPLE_ONLY: "the agent has it, and the customer asked for people: whatever they write next is handed off",
    Answering.WAITING: "people, and nobody has it yet: a hand-off hold waits",
    Answering.PROMISED: "the same, and the customer was told by when somebody writes, because nobody is there",
    Answering.TAKEN: "the person who has it",
    Answering.TAKEN_WAITING: "the person who has it, and the customer has written since: a hand-off hold waits",
    Answering.REHEARSAL: "nobody: it was made for reviewers",
}
"""What each state means."""


class Event(StrEnum):
    """What can happen to a conversation. One that ends in *_away* happens while nobody is there; one that ends in *_unasked* comes
    from a second person who does not say that they take the conversation from the first."""

    CUSTOMER_WRITES = "customer_writes"
    DELIVERS = "delivers"
    HOLDS = "holds"
    HANDS_OFF = "hands_off"
    HANDS_OFF_AWAY = "hands_off_away"
    APPROVED = "approved"
    REJECTED = "rejected"
    REJECTED_AWAY = "rejected_away"
    EXPIRED = "expired"
    EXPIRED_AWAY = "expired_away"
    RAISED = "raised"
    LOST = "lost"
    LOST_AWAY = "lost_away"
    PLEDGE_DUE = "pledge_due"
    TAKES_OVER = "takes_over"
    TAKES_OVER_UNASKED = "takes_over_unasked"
    TAKES_FROM = "takes_from"
    WRITES = "writes"
    WRITES_UNASKED = "writes_unasked"
    RESPONDS = "responds"
    RESPONDS_UNASKED = "responds_unasked"
    ANSWERS_ELSEWHERE = "answers_elsewhere"
    OWN_ECHO = "own_echo"
    STATUS_ECHO = "status_echo"
    HANDS_BACK = "hands_back"
    HANDS_BACK_UNASKED = "hands_back_unasked"
    TICKET_CLOSED = "ticket_closed"
    OPTS_OUT = "opts_out"
    STOPPED = "stopped"
    RESTARTED = "restarted"


EVENTS: Final[Mapping[Event, str]] = {
    Event.CUSTOMER_WRITES: "the customer writes",
    Event.DELIVERS: "the decision on what they wrote: deliver",
    Event.HOLDS: "the decision: hold",
    Event.HANDS_OFF: "the decision: hand off",
    Event.HANDS_OFF_AWAY: "the decision: hand off, and nobody is there",
    Event.APPROVED: "a reviewer approves the draft",
    Event.REJECTED: "a reviewer rejects the draft and answers nothing",
    Event.REJECTED_AWAY: "the same, and nobody is there any more",
    Event.EXPIRED: "the draft's time is over and a safe reply answers in its place",
    Event.EXPIRED_AWAY: "the same, and nobody is there",
    Event.RAISED: "a hold's time is over and it is put before the others",
    Event.LOST: "a message of ours was given up, was lost or dropped, an action failed, or no agent could read what came",
    Event.LOST_AWAY: "the same, and nobody is there",
    Event.PLEDGE_DUE: "what the customer was promised is about to be broken",
    Event.TAKES_OVER: "a person takes over what nobody else has",
    Event.TAKES_OVER_UNASKED: "a second person takes over, and does not say from whom",
    Event.TAKES_FROM: "a second person takes over from the one who has it, by name",
    Event.WRITES: "a person writes in the console",
    Event.WRITES_UNASKED: "a second person writes in the console",
    Event.RESPONDS: "a person answers the hold in their own words",
    Event.RESPONDS_UNASKED: "a second person answers or takes the hold",
    Event.ANSWERS_ELSEWHERE: "a person answers in the help desk itself, or from a phone",
    Event.OWN_ECHO: "a message of ours comes back from the channel",
    Event.STATUS_ECHO: "a change of status that we made comes back, or a report on a reply",
    Event.HANDS_BACK: "a person hands it back to the agent",
    Event.HANDS_BACK_UNASKED: "a second person hands it back, and does not say from whom",
    Event.TICKET_CLOSED: "the hand-off's ticket is told, and closed",
    Event.OPTS_OUT: "the customer wants no more messages",
    Event.STOPPED: "the stop button is pressed",
    Event.RESTARTED: "the process is killed and started again",
}
"""What each event is."""


class Effect(StrEnum):
    """What is done on the way, beside what the table says of the state."""

    TO_PEOPLE = "to_people"
    TO_PERSON = "to_person"
    TO_AGENT = "to_agent"
    OPEN = "open"
    JOIN = "join"
    CLOSE = "close"
    VOID_DRAFT = "void_draft"
    LAY_ASIDE = "lay_aside"
    SAY_NOTICE = "say_notice"
    SAY_WHEN = "say_when"
    CAP = "cap"
    TELL_FIRST = "tell_first"
    QUEUE = "queue"
    KEEP_WORDS = "keep_words"
    KEEP_NOTE = "keep_note"
    ASK_AGAIN = "ask_again"
    LIFT_WISH = "lift_wish"
    RAISE = "raise"
    NOTICED = "noticed"


EFFECTS: Final[Mapping[Effect, str]] = {
    Effect.TO_PEOPLE: "people answer from now on",
    Effect.TO_PERSON: "this person answers from now on",
    Effect.TO_AGENT: "the agent answers from the next message on",
    Effect.OPEN: "a hand-off hold is opened",
    Effect.JOIN: "the hold that is open gets a new version, so that an answer from before is refused",
    Effect.CLOSE: "the hand-off hold is closed",
    Effect.VOID_DRAFT: "the draft on hold is void",
    Effect.LAY_ASIDE: "what the agent has not said yet is dropped",
    Effect.SAY_NOTICE: "the customer is told that a person takes over",
    Effect.SAY_WHEN: "the customer is told by when somebody writes, and that is owed",
    Effect.CAP: "the customer gets people from now on",
    Effect.TELL_FIRST: "who had it is told who took it",
    Effect.QUEUE: "the words are sent",
    Effect.KEEP_WORDS: "what they wrote becomes a message of the conversation, and what was to be written is kept",
    Effect.KEEP_NOTE: "what they say they did is kept for the agent",
    Effect.ASK_AGAIN: "the agent is asked what nobody has answered, if anything; its draft is checked like any other",
    Effect.LIFT_WISH: "a wish for people is fulfilled and ends",
    Effect.RAISE: "the hold is put before all others",
    Effect.NOTICED: "whoever takes over a planted draft has noticed it",
}
"""What each effect does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goes:
    """It leads on."""

    to: Answering
    does: frozenset[Effect] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """It is refused and changes nothing; `why` is told to whoever tried."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """It cannot happen there."""

    why: str


Outcome = Goes | Refused | Never

_A, _E, _F = Answering, Event, Effect
_ALL: Final = tuple(Answering)
_REAL: Final = tuple(state for state in Answering if state is not Answering.REHEARSAL)
_OF_AGENT: Final = (_A.AGENT, _A.REVIEW, _A.PEOPLE_ONLY)
_UNTAKEN: Final = (_A.WAITING, _A.PROMISED)
_HAD: Final = (_A.TAKEN, _A.TAKEN_WAITING)

NOBODY: Final = "nobody is behind this conversation: it was made for reviewers, so nothing in it is sent"
TAKE_FIRST: Final = "the agent answers in this conversation; take it over before writing"
HAD_BY_OTHER: Final = "another person has this conversation"
NOT_HAD: Final = "nobody has this conversation, so it is not taken from anybody"

_REHEARSED = Never(why="nobody is behind it, so that nothing of the kind reaches it")
_NO_DRAFT = Never(why="there is no draft on hold")
_NO_HOLD = Never(why="no hold waits")
_NOBODY_HAS_IT = Never(why="nobody has it: whoever comes is the first")
_OVER_A_PERSON = Never(why="the agent's decisions are thrown away where people answer")
_VOIDED = Never(why="a message makes the draft on hold void before it is decided on")
_ASKED_FOR_PEOPLE = Never(why="who asked for people is handed off, whatever was drafted")


def _goes(to: Answering, *does: Effect) -> Goes:
    return Goes(to=to, does=frozenset(does))


def _stays(*does: Effect, of: tuple[Answering, ...] = _ALL) -> dict[Answering, Outcome]:
    return {state: _goes(state, *does) for state in of}


def _each(states: tuple[Answering, ...], outcome: Outcome) -> dict[Answering, Outcome]:
    return dict.fromkeys(states, outcome)


def _falls(to: Answering, *says: Effect, of: tuple[Answering, ...] = _OF_AGENT) -> dict[Answering, Outcome]:
    """Where a person is needed: who waits already waits on, and whoever is talked to by a person is told nothing by us."""
    is_away = _F.SAY_WHEN in says
    return {
        **_each(of, _goes(to, _F.TO_PEOPLE, _F.OPEN, *says)),
        _A.WAITING: _goes(to, _F.JOIN, *({_F.SAY_WHEN} if is_away else ())),
        _A.PROMISED: _goes(_A.PROMISED, _F.JOIN),
        _A.TAKEN: _goes(_A.TAKEN_WAITING, _F.OPEN),
        _A.TAKEN_WAITING: _goes(_A.TAKEN_WAITING, _F.JOIN),
        _A.REHEARSAL: _REHEARSED,
    }


def _of_draft(approved: Outcome, waiting: Outcome, promised: Outcome) -> dict[Answering, Outcome]:
    """What happens to a draft on hold; one may still be there where something else brought in people."""
    others = _each((_A.AGENT, _A.PEOPLE_ONLY, *_HAD), _NO_DRAFT)
    return {**others, _A.REVIEW: approved, _A.WAITING: waiting, _A.PROMISED: promised, _A.REHEARSAL: _NO_DRAFT}


def _instead(to: Answering, *says: Effect) -> dict[Answering, Outcome]:
    """A draft on hold came to nothing."""
    joins = _goes(to, _F.VOID_DRAFT, _F.JOIN, *({_F.SAY_WHEN} if _F.SAY_WHEN in says else ()))
    opens = _goes(to, _F.VOID_DRAFT, _F.TO_PEOPLE, _F.OPEN, *says)
    return _of_draft(opens, joins, _goes(_A.PROMISED, _F.VOID_DRAFT, _F.JOIN))


def _decided(agent: Outcome) -> dict[Answering, Outcome]:
    """What the agent's draft comes to where it may speak."""
    return {
        _A.AGENT: agent,
        _A.REVIEW: _VOIDED,
        _A.PEOPLE_ONLY: _ASKED_FOR_PEOPLE,
        **_each((*_UNTAKEN, *_HAD), _OVER_A_PERSON),
        _A.REHEARSAL: _REHEARSED,
    }


_UNASKED: Final[dict[Answering, Outcome]] = {
    **_each((*_OF_AGENT, *_UNTAKEN), _NOBODY_HAS_IT),
    **_each(_HAD, Refused(why=HAD_BY_OTHER)),
    _A.REHEARSAL: _NOBODY_HAS_IT,
}
_WISHED = (_F.TO_PERSON, _F.LAY_ASIDE)
"""Whoever takes over a customer that asked for people does as they wish, and no agent failed them."""
_TAKEN_OVER = (*_WISHED, _F.CAP)
_HANDED_BACK = (_F.TO_AGENT, _F.KEEP_NOTE, _F.LIFT_WISH)

_ROWS: Final[Mapping[Event, Mapping[Answering, Outcome]]] = {
    _E.CUSTOMER_WRITES: {
        **_stays(of=_REAL),
        _A.REVIEW: _goes(_A.AGENT, _F.VOID_DRAFT),
        _A.REHEARSAL: _REHEARSED,
    },
    _E.DELIVERS: _decided(_goes(_A.AGENT, _F.QUEUE)),
    _E.HOLDS: _decided(_goes(_A.REVIEW)),
    _E.HANDS_OFF: {**_falls(_A.WAITING, _F.SAY_NOTICE), _A.REVIEW: _VOIDED},
    _E.HANDS_OFF_AWAY: {**_falls(_A.PROMISED, _F.SAY_WHEN), _A.REVIEW: _VOIDED},
    _E.APPROVED: _of_draft(_goes(_A.AGENT, _F.QUEUE), _goes(_A.WAITING, _F.QUEUE), _goes(_A.PROMISED, _F.QUEUE)),
    _E.REJECTED: _instead(_A.WAITING),
    _E.REJECTED_AWAY: _instead(_A.PROMISED, _F.SAY_WHEN),
    _E.EXPIRED: _instead(_A.WAITING),
    _E.EXPIRED_AWAY: _instead(_A.PROMISED, _F.SAY_WHEN),
    _E.RAISED: {
        **_stays(_F.RAISE, of=(_A.REVIEW, *_UNTAKEN, _A.TAKEN_WAITING)),
        **_each((_A.AGENT, _A.PEOPLE_ONLY, _A.TAKEN), _NO_HOLD),
        _A.REHEARSAL: _goes(_A.REHEARSAL, _F.RAISE),
    },
    _E.LOST: _falls(_A.WAITING),
    _E.LOST_AWAY: _falls(_A.PROMISED, _F.SAY_WHEN),
    _E.PLEDGE_DUE: _falls(_A.WAITING),
    _E.TAKES_OVER: {
        _A.AGENT: _goes(_A.TAKEN, *_TAKEN_OVER),
        _A.PEOPLE_ONLY: _goes(_A.TAKEN, *_WISHED),
        _A.REVIEW: _goes(_A.TAKEN, *_TAKEN_OVER, _F.VOID_DRAFT),
        **_each(_UNTAKEN, _goes(_A.TAKEN, _F.TO_PERSON, _F.LAY_ASIDE, _F.VOID_DRAFT, _F.CLOSE)),
        _A.TAKEN: _goes(_A.TAKEN, _F.TO_PERSON),
        _A.TAKEN_WAITING: _goes(_A.TAKEN, _F.TO_PERSON, _F.CLOSE),
        _A.REHEARSAL: _goes(_A.REHEARSAL, _F.NOTICED),
    },
    _E.TAKES_OVER_UNASKED: _UNASKED,
    _E.TAKES_FROM: {
        **_each((*_OF_AGENT, *_UNTAKEN), Refused(why=NOT_HAD)),
        _A.TAKEN: _goes(_A.TAKEN, _F.TO_PERSON, _F.TELL_FIRST),
        _A.TAKEN_WAITING: _goes(_A.TAKEN, _F.TO_PERSON, _F.TELL_FIRST, _F.CLOSE),
        _A.REHEARSAL: Refused(why=NOT_HAD),
    },
    _E.WRITES: {
        **_each(_OF_AGENT, Refused(why=TAKE_FIRST)),
        **_each(_UNTAKEN, _goes(_A.TAKEN, _F.TO_PERSON, _F.LAY_ASIDE, _F.CLOSE, _F.QUEUE)),
        _A.TAKEN: _goes(_A.TAKEN, _F.QUEUE),
        _A.TAKEN_WAITING: _goes(_A.TAKEN, _F.CLOSE, _F.QUEUE),
        _A.REHEARSAL: Refused(why=NOBODY),
    },
    _E.WRITES_UNASKED: _UNASKED,
    _E.RESPONDS: {
        **_each((_A.AGENT, _A.PEOPLE_ONLY, _A.TAKEN), _NO_HOLD),
        _A.REVIEW: _goes(_A.AGENT, _F.VOID_DRAFT, _F.QUEUE),
        **_each(_UNTAKEN, _goes(_A.TAKEN, _F.TO_PERSON, _F.LAY_ASIDE, _F.CLOSE, _F.QUEUE)),
        _A.TAKEN_WAITING: _goes(_A.TAKEN, _F.TO_PERSON, _F.CLOSE, _F.QUEUE),
        _A.REHEARSAL: _goes(_A.REHEARSAL, _F.NOTICED),
    },
    _E.RESPONDS_UNASKED: {**_UNASKED, _A.TAKEN: _NO_HOLD},
    _E.ANSWERS_ELSEWHERE: {
        _A.AGENT: _goes(_A.TAKEN, *_TAKEN_OVER, _F.KEEP_WORDS),
        _A.PEOPLE_ONLY: _goes(_A.TAKEN, *_WISHED, _F.KEEP_WORDS),
        _A.REVIEW: _goes(_A.TAKEN, *_TAKEN_OVER, _F.VOID_DRAFT, _F.KEEP_WORDS),
        **_each(_UNTAKEN, _goes(_A.TAKEN, _F.TO_PERSON, _F.LAY_ASIDE, _F.VOID_DRAFT, _F.CLOSE, _F.KEEP_WORDS)),
        _A.TAKEN: _goes(_A.TAKEN, _F.TO_PERSON, _F.TELL_FIRST, _F.KEEP_WORDS),
        _A.TAKEN_WAITING: _goes(_A.TAKEN, _F.TO_PERSON, _F.TELL_FIRST, _F.CLOSE, _F.KEEP_WORDS),
        _A.REHEARSAL: _REHEARSED,
    },
    _E.OWN_ECHO: {**_stays(of=_REAL), _A.REHEARSAL: _REHEARSED},
    _E.STATUS_ECHO: {**_stays(of=_REAL), _A.REHEARSAL: _REHEARSED},
    _E.HANDS_BACK: {
        **_stays(of=(_A.AGENT, _A.REVIEW)),
        _A.PEOPLE_ONLY: _goes(_A.AGENT, _F.LIFT_WISH),
        **_each((*_UNTAKEN, _A.TAKEN_WAITING), _goes(_A.AGENT, *_HANDED_BACK, _F.CLOSE, _F.ASK_AGAIN)),
        _A.TAKEN: _goes(_A.AGENT, *_HANDED_BACK, _F.ASK_AGAIN),
        _A.REHEARSAL: Refused(why=NOBODY),
    },
    _E.HANDS_BACK_UNASKED: _UNASKED,
    _E.TICKET_CLOSED: {**_stays(of=_REAL), _A.REHEARSAL: _REHEARSED},
    _E.OPTS_OUT: {**_stays(of=_REAL), _A.REHEARSAL: _REHEARSED},
    _E.STOPPED: _stays(),
    _E.RESTARTED: _stays(),
}

TABLE: Final[Mapping[tuple[Answering, Event], Outcome]] = {
    (state, event): _ROWS[event][state] for state in Answering for event in Event
}
"""What each event comes to in each state."""


def answering(
    conversation: Conversation,
    *,
    is_handed_off: bool,
    is_on_hold: bool = False,
    wants_people: bool = False,
    is_promised: bool = False,
) -> Answering:
    """Say who answers a conversation: `is_handed_off`, a hand-off hold waits; `is_on_hold`, a draft does; `is_promised`, it was
    said by when somebody writes."""
    match conversation.mode:
        case Mode.REHEARSAL:
            return Answering.REHEARSAL
        case Mode.PERSON if conversation.taken_by is not None:
            return Answering.TAKEN_WAITING if is_handed_off else Answering.TAKEN
        case Mode.PERSON:
            return Answering.PROMISED if is_promised else Answering.WAITING
        case Mode.AGENT:
            waits = Answering.PEOPLE_ONLY if wants_people else Answering.AGENT
            return Answering.REVIEW if is_on_hold else waits


def taking(conversation: Conversation, reviewer: str, take_from: str | None) -> Event:
    """What it is that somebody takes a conversation over, and says from whom: who is named and does not have it is nobody to take
    it from."""
    if take_from in (None, reviewer) or conversation.taken_by == reviewer:
        return Event.TAKES_OVER_UNASKED if is_others(conversation, reviewer) else Event.TAKES_OVER
    return Event.TAKES_FROM if conversation.taken_by in (None, take_from) else Event.TAKES_OVER_UNASKED


AWAY: Final[Mapping[Event, Event]] = {
    Event.HANDS_OFF: Event.HANDS_OFF_AWAY,
    Event.REJECTED: Event.REJECTED_AWAY,
    Event.EXPIRED: Event.EXPIRED_AWAY,
    Event.LOST: Event.LOST_AWAY,
}
"""What an event is while nobody is there; of any other the customer is told nothing."""


def is_others(conversation: Conversation, reviewer: str) -> bool:
    """Whether another person has it."""
    return conversation.mode is Mode.PERSON and conversation.taken_by not in (None, reviewer)
