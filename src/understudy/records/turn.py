"""A turn and its legal transitions: one inbound message (or burst) and all that follows until it is answered or
handed off. The table below is the whole life of a turn; no step may go a way that is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from understudy.records.assessment import DecisionKind


class TurnState(StrEnum):
    """Where a turn stands; each name says what happens to it next."""

    COLLECTING = "collecting"
    DRAFTING = "drafting"
    GATHERING = "gathering"
    ASSESSING = "assessing"
    HELD = "held"
    DELIVERING = "delivering"
    ANSWERED = "answered"
    HANDED_OFF = "handed_off"
    SUPERSEDED = "superseded"
    PLANTED = "planted"
    SPENT = "spent"
    REDRAFTED = "redrafted"


_S = TurnState
TRANSITIONS: dict[TurnState, frozenset[TurnState]] = {
    _S.COLLECTING: frozenset({_S.DRAFTING, _S.GATHERING, _S.SUPERSEDED}),
    _S.DRAFTING: frozenset({_S.GATHERING, _S.SUPERSEDED}),
    _S.GATHERING: frozenset({_S.ASSESSING, _S.SUPERSEDED}),
    _S.ASSESSING: frozenset({_S.HELD, _S.DELIVERING, _S.HANDED_OFF, _S.SUPERSEDED}),
    _S.HELD: frozenset({_S.DELIVERING, _S.HANDED_OFF, _S.SUPERSEDED}),
    _S.DELIVERING: frozenset({_S.ANSWERED, _S.HANDED_OFF}),
    _S.ANSWERED: frozenset(),
    _S.HANDED_OFF: frozenset({_S.DELIVERING, _S.SUPERSEDED}),
    _S.SUPERSEDED: frozenset(),
    _S.PLANTED: frozenset({_S.SPENT}),
    _S.SPENT: frozenset(),
    _S.REDRAFTED: frozenset(),
}
"""From each state, the states a turn may go to. A person's answer to a handed-off turn is delivered like any other; one that
nobody answered is superseded where its conversation is handed back, and the agent is asked in another turn.

A *planted* turn shows reviewers a draft that is known to be bad. It begins and ends outside all others, so that there is
no way on which its draft could be sent. Nor is there one from a *redrafted* turn, which shows what a new release drafts
for a turn of the past, and stays what it is.
"""

WORKING = frozenset({_S.COLLECTING, _S.DRAFTING, _S.GATHERING, _S.ASSESSING})
"""States in which this system has the next move; their number is the backlog."""

OPEN = WORKING | {_S.HELD, _S.DELIVERING}
"""States before a turn is answered or handed off; only the oldest open turn of a conversation may advance."""

SUPERSEDABLE = frozenset({_S.COLLECTING, _S.DRAFTING, _S.GATHERING, _S.ASSESSING, _S.HELD})
"""States in which a new message of the customer makes the draft void."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn as its row says. `token` fences: a step's result counts only under the token it started with.

    `due_at` is when a collecting turn closes its burst, or when a working step's lease lapses. `findings`: the names of
    those that say something is wrong with the draft, each once; none of a turn that a program before 0016 decided. What has
    a default is not known where a turn begins; its `position` is given by the store.
    """

    id: str
    position: int = 0
    conversation_id: str
    channel: str
    state: TurnState
    token: int = 0
    due_at: datetime | None
    topic: str | None
    agent_version: str | None = None
    decision: DecisionKind | None = None
    reasons: tuple[str, ...] = ()
    confidence: float | None = None
    rulebook_id: str | None = None
    is_audited: bool = False
    superseded_by: str | None = None
    trace: str | None = None
    created_at: datetime
    decided_at: datetime | None = None
    finished_at: datetime | None = None
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A hint that something may be due: `kind` names the flow, `key` what to look at. Losing one costs only time."""

    kind: str
    key: str


TURN_JOB = "turn"
"""Look at a conversation's oldest open turn."""

OUTBOX_JOB = "outbox"
"""Look at what is to be sent in a conversation."""

ACTION_JOB = "action"
"""Look at what is to be carried out in a conversation."""

HOLD_JOB = "hold"
"""Look at a hold's deadline."""

VERDICT_JOB = "verdict"
"""Carry out the verdict on a hold that nobody took back."""

SEED_JOB = "seed"
"""Plant a known-bad draft in the review queue."""

LEARNING_JOB = "learning"
"""Look at what a slice and release has earned or lost."""
