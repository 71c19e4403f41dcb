"""What people decide: holds, claims, verdicts; the order of a queue and who may act stand in `review/`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from understudy.records.acting import ActionChoice
from understudy.records.pledges import PledgeChoice


class HoldKind(StrEnum):
    """*draft*: a draft waits for a verdict; *hand_off*: the customer waits for a person; *unsure_send*: a person must
    say whether a message whose send is unknown reached the customer; *unsure_action*: the same of an action that may or
    may not have been done; *win_back*: a message is proposed to a customer whom a reply let down; *audit*: a reply that left by itself is reviewed
    afterwards; *second*: another reviewer judges a draft that was decided on already, without being told how; *redraft*:
    what a new release drafts for a turn of the past is judged, because it says something else than was said then.
    Whatever the verdict on one of the last three, nothing is sent."""

    DRAFT = "draft"
    HAND_OFF = "hand_off"
    UNSURE_SEND = "unsure_send"
    UNSURE_ACTION = "unsure_action"
    WIN_BACK = "win_back"
    AUDIT = "audit"
    SECOND = "second"
    REDRAFT = "redraft"


class HoldState(StrEnum):
    """A hold is open until a verdict, a newer customer message or its expiry closes it."""

    OPEN = "open"
    DECIDED = "decided"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


class VerdictKind(StrEnum):
    """What a reviewer decides: send the draft as it is, send it edited, refuse it, answer themselves, or take over."""

    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"
    RESPOND = "respond"
    TAKE_OVER = "take_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Something waiting for a reviewer. `version` grows with every change a verdict must know of.

    `priority` 0 comes first. `expires_at` None means it waits for as long as it takes; `raised_at` says when the
    deadline passed and it was put before the others. `claimed_at`: since when its reviewer has been at it. `undo_until`:
    `claimed_by` gave a verdict and may take it back until then; nobody else can act on it meanwhile. Holds with the same
    `alike` wait with the same harmless draft; None where it is no such draft.
    """

    id: str
    version: int
    kind: HoldKind
    state: HoldState
    turn_id: str
    conversation_id: str
    channel: str
    topic: str | None
    priority: int
    reasons: tuple[str, ...]
    claimed_by: str | None
    claimed_until: datetime | None
    created_at: datetime
    expires_at: datetime | None
    raised_at: datetime | None
    closed_at: datetime | None
    superseded_by: str | None
    claimed_at: datetime | None = None
    undo_until: datetime | None = None
    alike: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A hold as a list shows it: with the customer's name, the beginning of what they wrote last, and the confidence in
    [0, 1] of the draft, each None where there is none."""

    hold: Hold
    customer: str | None
    asked: str | None
    confidence: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A reviewer's decision on one hold, as stored. `severity` in [0, 1]: 0 cosmetic … 1 reject; None = not graded.
    `topic`: what the turn is about in the reviewer's eyes; None = they said nothing of it. `bulk`: given together with
    others of that name; `is_repeat`: and another of them is the one that counts as evidence. `actions`: what they make
    of the proposed actions, where they said something of them.
    """

    id: str
    hold_id: str
    turn_id: str
    kind: VerdictKind
    text: str | None
    reasons: tuple[str, ...]
    severity: float | None
    reviewer: str
    at: datetime
    topic: str | None = None
    bulk: str | None = None
    is_repeat: bool = False
    actions: tuple[ActionChoice, ...] | None = None

    def __post_init__(self) -> None:
        if self.severity is not None and not 0.0 <= self.severity <= 1.0:
            raise ValueError(f"Verdict.severity must be in [0, 1], got {self.severity!r}")
        if self.kind in (VerdictKind.EDIT, VerdictKind.RESPOND) and not (self.text or "").strip():
            raise ValueError(f"a verdict {self.kind.value!r} needs a text")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRequest:
    """What a reviewer asks for. `version` is the hold's as the reviewer saw it; `severity` in [0, 1] or None; `topic`
    says what the turn is about and teaches, it changes nothing of this turn. `bulk` and `is_repeat`: see `Verdict`.

    `actions`: of which of the proposed actions they say something; what becomes of the others follows from the verdict.
    `as_lead`: they may approve what only a lead may. `pledges`: what they make of what the draft promises; what is not
    named becomes a task as it stands. `take_from`: who has the conversation, where another person does.
    """

    hold_id: str
    version: int
    kind: VerdictKind
    reviewer: str
    text: str | None = None
    reasons: tuple[str, ...] = ()
    severity: float | None = None
    topic: str | None = None
    bulk: str | None = None
    is_repeat: bool = False
    actions: tuple[ActionChoice, ...] = ()
    as_lead: bool = False
    pledges: tuple[PledgeChoice, ...] = ()
    take_from: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingVerdict:
    """A verdict that was given and is carried out at `due_at`, unless who gave it takes it back before."""

    hold_id: str
    reviewer: str
    due_at: datetime
    verdict: Verdict
