"""`/v1/queue`: all that waits for people in one answer, for a list that is kept up to date by `/v1/events`.

A row says no more than a list shows; the hold itself stands at `/v1/holds/{id}`. In which order people see them is theirs.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from understudy.ports.store import Transaction
from understudy.records.access import Caller
from understudy.records.review import HoldKind, HoldState, Waiting
from understudy.records.staffing import Assignment
from understudy.web.auth import HoldsReader, TheApp
from understudy.web.blind import hold_for
from understudy.web.problems import answers

router = APIRouter(prefix="/v1/queue", tags=["review"])

ROWS_MAX = 10_000
ASKED_AT_ONCE = 200


class QueueRow(BaseModel):
    """One hold in a list. `asked` is the beginning of what the customer wrote last; `confidence` is in [0, 1]; rows with
    the same `alike` wait with the same harmless draft. Of a hand-off that is looked after: whose it is, since when the customer
    waits, by when an answer was promised, and whether leads were told or that is over. What is null is left out: there may be thousands of rows."""

    id: str
    conversation_id: str
    version: int
    kind: HoldKind
    state: HoldState
    channel: str
    topic: str | None = None
    priority: int
    reasons: list[str]
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    created_at: datetime
    expires_at: datetime | None = None
    undo_until: datetime | None = None
    alike: str | None = None
    raised_at: datetime | None = None
    customer: str | None = None
    asked: str | None = None
    confidence: float | None = None
    assigned_to: str | None = None
    waits_since: datetime | None = None
    answer_by: datetime | None = None
    escalated: Literal["told", "broken"] | None = None


class QueueOut(BaseModel):
    """Rows, of `open_holds` in all, as they stood after the ledger entry `seq`: follow `/v1/events` from there."""

    seq: int
    open_holds: int
    rows: list[QueueRow]


@router.get("", responses=answers(401, 403), response_model=QueueOut)
async def read_queue(
    app: TheApp,
    caller: HoldsReader,
    hold: Annotated[
        list[str] | None, Query(max_length=ASKED_AT_ONCE, description="only these, whatever their state")
    ] = None,
) -> Response:
    """Read what waits for people, at most 10,000 rows, those first that are first in the queue."""

    def query(tx: Transaction) -> QueueOut:
        rows = tx.holds.waiting(limit=ROWS_MAX, reader=caller.name, only=hold)
        waits = _waits(tx, hold) if app.teams.is_on else {}
        return QueueOut.model_construct(
            seq=tx.ledger.head_seq(),
            open_holds=tx.holds.count_open(),
            rows=[_row(tx, caller, row, waits.get(row.hold.id)) for row in rows],
        )

    found = await app.store.read(query)
    return Response(found.model_dump_json(exclude_none=True), media_type="application/json")


def _waits(tx: Transaction, only: list[str] | None) -> dict[str, Assignment]:
    """The waits of hand-offs, by the hold they wait with."""
    if only is None:
        return {wait.hold_id: wait for wait in tx.assignments.live(limit=ROWS_MAX)}
    return {hold_id: wait for hold_id in only if (wait := tx.assignments.of_hold(hold_id)) is not None}


def _row(tx: Transaction, caller: Caller, row: Waiting, wait: Assignment | None) -> QueueRow:
    hold = hold_for(tx, caller, row.hold)
    return QueueRow.model_construct(
        id=hold.id,
        conversation_id=hold.conversation_id,
        version=hold.version,
        kind=hold.kind,
        state=hold.state,
        channel=hold.channel,
        topic=hold.topic,
        priority=hold.priority,
        reasons=list(hold.reasons),
        claimed_by=hold.claimed_by,
        claimed_until=hold.claimed_until,
        created_at=hold.created_at,
        expires_at=hold.expires_at,
        undo_until=hold.undo_until,
        alike=hold.alike,
        raised_at=hold.raised_at,
        customer=row.customer,
        asked=row.asked,
        confidence=row.confidence,
        assigned_to=None if wait is None else wait.person,
        waits_since=None if wait is None else wait.waits_since,
        answer_by=None if wait is None else wait.due_at,
        escalated=_escalated(wait),
    )


def _escalated(wait: Assignment | None) -> Literal["told", "broken"] | None:
    if wait is None or not (wait.is_told or wait.is_broken):
        return None
    return "broken" if wait.is_broken else "told"
