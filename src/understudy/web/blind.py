"""What is kept from whoever may still give a second review: what the first reviewer said, and what tells of it. It decides
on no review; who may give one stands in `review/second.py`.

A *blind* key is one that gives verdicts, of somebody the review is not kept from. Callers, who wait for the reply, and
auditors, who read the ledger, are none.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from understudy.assessment.reasons import REASONS
from understudy.ports.store import Transaction
from understudy.records.access import Caller, Scope
from understudy.records.assessment import Reason
from understudy.records.conversation import Author, Mode
from understudy.records.ledger import LedgerEntry
from understudy.records.review import Hold, HoldKind
from understudy.records.trust import Cap
from understudy.records.turn import TurnState
from understudy.web.actions_shown import as_first_seen
from understudy.web.shapes import ConversationOut, TurnOut

WHATEVER_WAS_SAID: Final = frozenset(
    {
        "turn.decided",
        "hold.opened",
        "hold.claimed",
        "hold.released",
        "hold.raised",
        "hold.deciding",
        "hold.reopened",
        "hold.decided",
    }
)
"""Events of a turn that come whatever a reviewer says of its draft."""
REJECTED: Final = "draft_rejected"


def may_be_blind(key: Caller) -> bool:
    """Whether anything may have to be kept from this key."""
    return Scope.HOLDS_WRITE in key.scopes and Scope.LEDGER_READ not in key.scopes


def second_of_turn(tx: Transaction, key: Caller | None, turn_id: str) -> Hold | None:
    """The open second review of a turn to which this key is blind."""
    if key is None or not may_be_blind(key):
        return None
    return _open_to(tx, key, tx.holds.open_of_turn(turn_id))


def _open_to(tx: Transaction, key: Caller, holds: list[Hold]) -> Hold | None:
    seconds = (hold for hold in holds if hold.kind is HoldKind.SECOND and not tx.reviews.is_barred(hold.id, key.name))
    return next(seconds, None)


def turn_as_first_seen(turn: TurnOut, second: Hold) -> TurnOut:
    """A turn as its first reviewer saw it, waiting for the second."""
    held = {"state": TurnState.HELD, "hold_id": second.id, "reply": None, "finished_at": None}
    proposed = [as_first_seen(action) for action in turn.actions]
    return turn.model_copy(update={**held, "superseded_by": None, "is_audited": False, "actions": proposed})


def conversation_as_first_seen(conversation: ConversationOut, turn_id: str) -> ConversationOut:
    """A conversation up to what the customer asked in a turn, when nobody had taken it over."""
    asked = [one.seq for one in conversation.messages if one.turn_id == turn_id and one.author is Author.CUSTOMER]
    until = max(asked, default=0)
    messages = [one for one in conversation.messages if one.seq <= until]
    return conversation.model_copy(update={"mode": Mode.AGENT, "taken_by": None, "messages": messages})


def conversation_for(tx: Transaction, key: Caller, conversation: ConversationOut) -> ConversationOut:
    """A conversation as far as this key may see it: whole for whoever has taken it over."""
    if not may_be_blind(key) or conversation.taken_by == key.name:
        return conversation
    second = _open_to(tx, key, tx.holds.open_of_conversation(conversation.id))
    return conversation if second is None else conversation_as_first_seen(conversation, second.turn_id)


def hold_for(tx: Transaction, key: Caller, hold: Hold) -> Hold:
    """A hold of the queue without its reason, where that is what the first reviewer said: the customer still waits."""
    if REJECTED not in hold.reasons or second_of_turn(tx, key, hold.turn_id) is None:
        return hold
    return replace(hold, reasons=tuple(reason for reason in hold.reasons if reason != REJECTED))


def cap_for(tx: Transaction, key: Caller, cap: Cap | None) -> Cap | None:
    """Why a customer gets people, unless it is what the first reviewer said of a turn."""
    is_said = cap is not None and cap.turn_id is not None and second_of_turn(tx, key, cap.turn_id) is not None
    return None if is_said else cap


def reasons_for(tx: Transaction, key: Caller | None, reasons: list[Reason]) -> list[Reason]:
    """Reasons of a decision, without the turn that one goes back to where its first reviewer's word is kept from this key."""
    return [
        Reason(code=one.code, explanation=REASONS.get(one.code, one.code))
        if one.turn_id is not None and second_of_turn(tx, key, one.turn_id) is not None
        else one
        for one in reasons
    ]


def tells(tx: Transaction, key: Caller, entry: LedgerEntry) -> bool:
    """Whether an event tells a blind key of the first verdict, or of what followed from it."""
    if not may_be_blind(key) or entry.conversation_id is None:
        return False
    if entry.turn_id is None:  # who answers from now on, say: of the conversation
        return _open_to(tx, key, tx.holds.open_of_conversation(entry.conversation_id)) is not None
    is_neutral = entry.event in WHATEVER_WAS_SAID and REJECTED not in (json.loads(entry.body).get("reasons") or ())
    return not is_neutral and second_of_turn(tx, key, entry.turn_id) is not None
