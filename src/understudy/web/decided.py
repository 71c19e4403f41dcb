"""Who decided on a turn, how and when, and when its reply was sent; whether a reader may know it is for the caller to say."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel

from understudy.ports.store import Transaction
from understudy.records.assessment import DecisionKind
from understudy.records.conversation import Author
from understudy.records.review import Verdict
from understudy.records.turn import Turn, TurnState
from understudy.web.views import AFTERWARDS


class How(StrEnum):
    """What became of a draft: it left *alone*, a *safe_reply* was sent in its place, or what a reviewer decided."""

    ALONE = "alone"
    SAFE_REPLY = "safe_reply"
    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"
    RESPOND = "respond"
    TAKE_OVER = "take_over"


class DecidedOut(BaseModel):
    """Who decided on a turn last; `by` None: no person did."""

    how: How
    by: str | None
    at: datetime


def decided(tx: Transaction, turn: Turn) -> DecidedOut | None:
    """Who decided on a turn last; None while nobody has. What was said of it afterwards is no decision."""
    if turn.state is TurnState.PLANTED:
        return None  # it looks as if it waited
    verdict = _last_verdict(tx, turn.id)
    if verdict is not None:
        return DecidedOut(how=How(verdict.kind.value), by=verdict.reviewer, at=verdict.at)
    if turn.decided_at is not None and turn.decision is DecisionKind.DELIVER:
        return DecidedOut(how=How.ALONE, by=None, at=turn.decided_at)
    safe = [one for one in tx.outbox.of_turn(turn.id) if one.author is Author.SAFE_REPLY]
    return DecidedOut(how=How.SAFE_REPLY, by=None, at=safe[-1].created_at) if safe else None


def sent_at(tx: Transaction, turn_id: str) -> datetime | None:
    """When a channel took the last reply to a turn; None where none did so far."""
    taken = (
        receipt.at
        for entry in tx.outbox.of_turn(turn_id)
        for receipt in tx.outbox.receipts(entry.id)
        if receipt.outcome == "accepted"
    )
    return max(taken, default=None)


def _last_verdict(tx: Transaction, turn_id: str) -> Verdict | None:
    given = [one for one in tx.verdicts.of_turn(turn_id) if tx.holds.get(one.hold_id).kind not in AFTERWARDS]
    return max(given, key=lambda one: one.at, default=None)
