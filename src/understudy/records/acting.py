"""An action as it is carried out: where it stands, what was answered, what a reviewer makes of it; it carries nothing out.

proposed -> approved -> executing -> done
                ^            |-----> approved    the answer is a clear "not done": it is tried again
                |            |-----> failed      refused for good, or tried in vain too often
                |            |-----> unknown     nobody can tell from here: a person says -> done | approved
                |            '-----> compensated the system took it, the read-back says otherwise, it was made up for
                '-- failed, by a person
proposed, approved, failed -> dropped
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from understudy.records.evidence import ChatMessage, ToolCall


class ActionState(StrEnum):
    """Where an action stands; see the module."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    EXECUTING = "executing"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    COMPENSATED = "compensated"
    DROPPED = "dropped"


_S = ActionState
WAYS: Final[dict[ActionState, frozenset[ActionState]]] = {
    _S.PROPOSED: frozenset({_S.APPROVED, _S.DROPPED}),
    _S.APPROVED: frozenset({_S.EXECUTING, _S.DROPPED}),
    _S.EXECUTING: frozenset({_S.EXECUTING, _S.APPROVED, _S.DONE, _S.FAILED, _S.UNKNOWN, _S.COMPENSATED}),
    _S.UNKNOWN: frozenset({_S.APPROVED, _S.DONE, _S.DROPPED}),
    _S.FAILED: frozenset({_S.APPROVED, _S.DROPPED}),
    _S.DONE: frozenset(),
    _S.COMPENSATED: frozenset(),
    _S.DROPPED: frozenset(),
}
"""From each state, the states an action may go to."""
OPEN_ACTION: Final = frozenset({_S.APPROVED, _S.EXECUTING, _S.UNKNOWN})
"""Let through, and not settled: the reply waits, and only the oldest of a conversation may be carried out."""
LET_THROUGH: Final = frozenset({_S.APPROVED, _S.EXECUTING, _S.UNKNOWN, _S.DONE})
"""What counts against the limits of a day: all that was done or still may be."""
UNSETTLED: Final = (_S.PROPOSED, _S.APPROVED, _S.EXECUTING, _S.UNKNOWN, _S.FAILED)
"""What is listed, where nobody asks for anything else."""


class ActionStep(StrEnum):
    """What is next to be asked of the system of record: the action, what became of it, or to make up for it."""

    CALL = "call"
    READ_BACK = "read_back"
    COMPENSATE = "compensate"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEntry:
    """One action as stored. `id` is also the idempotency key; `arguments` is a table in JSON; `amount` in millionths.

    `attempts` fences: each change of the row raises it, and a result counts only under the number it began with. `tries`
    counts the calls since it was last let through, the last of them begun at `called_at`. `is_unsure`: one of them may have
    been done. `answer` is what the system said last, for people. `is_edited`: a reviewer changed the arguments.
    """

    id: str
    seq: int
    turn_id: str
    conversation_id: str
    contact_id: str
    place: int
    name: str
    arguments: str
    amount: int | None
    state: ActionState
    step: ActionStep
    attempts: int
    tries: int
    is_unsure: bool
    is_edited: bool
    due_at: datetime | None
    called_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    provider_id: str | None
    answer: str | None
    last_error: str | None
    created_at: datetime
    settled_at: datetime | None

    @property
    def table(self) -> dict[str, Any]:
        """The arguments."""
        read: dict[str, Any] = json.loads(self.arguments)
        return read


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionChoice:
    """What a reviewer makes of one proposed action: it is let through, with these arguments (JSON) or its own, or not.
    `as_lead`: by somebody who may let through what is beyond its limits."""

    id: str
    is_approved: bool
    arguments: str | None = None
    as_lead: bool = False


def action_id(turn_id: str, place: int) -> str:
    """Name an action by its turn and its place in the draft, so that it is the same whoever writes it down."""
    return f"{turn_id}-a{place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingReply:
    """The reply that leaves once all actions of its turn are done."""

    text: str
    author: str
    author_name: str | None
    ai_generated: bool
    actor: str
    is_edited: bool = False


# --- what the system of record says ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """It was looked up and is as it must be."""

    answer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDone:
    """It was looked up and certainly was not done."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Differs:
    """It was looked up, and what is there is neither what must be nor nothing."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """It could not be looked up."""

    reason: str


ReadBack = Confirmed | NotDone | Differs | Unanswered


# --- what the agent is told ---

_TOLD: Final = {
    _S.APPROVED: "under_way",
    _S.EXECUTING: "under_way",
    _S.UNKNOWN: "under_way",
    _S.DONE: "done",
    _S.FAILED: "failed",
    _S.COMPENSATED: "taken_back",
}
"""How states are told to agents; what nobody let through is not told."""


def as_tool_traffic(entry: ActionEntry) -> tuple[ChatMessage, ...]:
    """An action of the past as a tool call with its result, in chat form: so an agent knows not to ask for it again, and
    a claim that it was done has something to rest on. Empty for one that nobody let through."""
    said = _TOLD.get(entry.state)
    if said is None:
        return ()
    outcome = {"status": said, "ok": entry.state is ActionState.DONE}
    result = json.dumps(outcome | ({"id": entry.provider_id} if entry.provider_id else {}))
    call = ToolCall(id=entry.id, name=entry.name, arguments=entry.arguments)
    return (
        ChatMessage(role="assistant", tool_calls=(call,)),
        ChatMessage(role="tool", content=result, tool_call_id=entry.id),
    )
