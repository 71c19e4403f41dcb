"""`/v1/queue`: all that waits for people in one answer, for a list that is kept up to date by `/v1/events`.

A row says no more than a list shows; the hold itself stands at `/v1/holds/{id}`. In which order people see them is theirs.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from understudy.ports.store import Transaction
from understudy.records.access import Caller
from understudy.records.review import HoldKind, HoldState, Waiting
from understudy.web.auth import HoldsReader, TheApp
from understudy.web.blind import hold_for
from understudy.web.problems import answers

router = APIRouter(prefix="/v1/queue", tags=["review"])

ROWS_MAX = 10_000
ASKED_AT_ONCE = 200


class QueueRow(BaseModel):
    """One hold in a list. `asked` is the beginning of what the customer wrote last; `confidence` is in [0, 1]; rows with
    the same `alike` wait with the same harmless draft. What is null is left out: there may be thousands of rows."""

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
        return QueueOut.model_construct(
            seq=tx.ledger.head_seq(),
            open_holds=tx.holds.count_open(),
            rows=[_row(tx, caller, row) for row in rows],
        )

    found = await app.store.read(query)
    return Response(found.model_dump_json(exclude_none=True), media_type="application/json")


def _row(tx: Transaction, caller: Caller, row: Waiting) -> QueueRow:
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
    )
