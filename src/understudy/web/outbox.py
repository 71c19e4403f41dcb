"""`/v1/outbox`: messages that did not reach the customer: list them, put them back to be sent, drop them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from understudy.ports.store import Transaction
from understudy.records.conversation import Author
from understudy.records.outbox import NOT_SENT, OutboxEntry, OutboxState
from understudy.web.auth import MetricsReader, TheApp, UpkeepWriter
from understudy.web.blind import second_of_turn
from understudy.web.bodies import JsonRoute
from understudy.web.problems import answers

router = APIRouter(prefix="/v1/outbox", tags=["outbox"], route_class=JsonRoute)

ADDRESS_CHARS_MIN = 4
"""What is shorter is nobody's address, and stands in many words."""
BLOT = "•••"


class OutboxRow(BaseModel):
    """A message that waits, is under way, may or may not have arrived, or was given up; its text and the customer's address are
    not told here. `hold_id`: where a person can decide about it."""

    id: str
    state: OutboxState
    channel: str
    turn_id: str | None
    conversation_id: str
    author: Author
    attempts: int
    last_error: str | None
    created_at: datetime
    due_at: datetime | None
    hold_id: str | None


class OutboxList(BaseModel):
    """The oldest of them, and how many there are of each state that was asked for."""

    items: list[OutboxRow]
    counts: dict[OutboxState, int]


class RetryBody(BaseModel):
    """`did_not_arrive`: you know that this message, of which nobody knows, did not reach the customer."""

    model_config = ConfigDict(strict=True, extra="forbid")

    did_not_arrive: bool = False


class RetryDeadBody(BaseModel):
    """Of one channel, or of all."""

    model_config = ConfigDict(strict=True, extra="forbid")

    channel: str | None = Field(None, min_length=1, max_length=100)


class DropBody(BaseModel):
    """Why it is not sent; kept with the message."""

    model_config = ConfigDict(strict=True, extra="forbid")

    reason: str = Field(min_length=1, max_length=500)


class LeftAsItIs(BaseModel):
    """A message that was given up and not put back, and why."""

    id: str
    why: str


class Retried(BaseModel):
    """What is sent again, under the same id and in its old place."""

    retried: list[str]
    skipped: list[LeftAsItIs]


class Dropped(BaseModel):
    """What will not be sent."""

    dropped: str


@router.get("", responses=answers(401, 403))
async def list_outbox(
    app: TheApp,
    key: MetricsReader,
    state: Annotated[list[OutboxState] | None, Query(description="default: all that may still be sent")] = None,
    channel: Annotated[str | None, Query(min_length=1, max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> OutboxList:
    """List messages that did not certainly reach the customer, the oldest first.

    What would tell of a first verdict is left out for whoever may still review the draft a second time.
    """
    states = tuple(dict.fromkeys(state)) if state else NOT_SENT
    listed = await app.dead_letters.listed(states, channel=channel, limit=limit)

    def query(tx: Transaction) -> list[OutboxRow]:
        return [
            _row(one.entry, one.hold_id)
            for one in listed.letters
            if one.entry.turn_id is None or second_of_turn(tx, key, one.entry.turn_id) is None
        ]

    return OutboxList(items=await app.store.read(query), counts=dict(listed.counts))


@router.post("/retry-dead", responses=answers(401, 403))
async def retry_dead(body: RetryDeadBody, app: TheApp, key: UpkeepWriter) -> Retried:
    """Put every message that was given up back to be sent, but those that could do harm now; each of them says why."""
    retried = await app.dead_letters.retry_dead(actor=key.name, channel=body.channel)
    skipped = [LeftAsItIs(id=one.entry.id, why=one.why) for one in retried.skipped]
    return Retried(retried=[entry.id for entry in retried.again], skipped=skipped)


@router.post("/{outbox_id}/retry", responses=answers(401, 403, 404, 409))
async def retry(outbox_id: str, body: RetryBody, app: TheApp, key: UpkeepWriter) -> Retried:
    """Put a message back to be sent now, under the same id and in its old place in the conversation."""
    retried = await app.dead_letters.retry([outbox_id], actor=key.name, did_not_arrive=body.did_not_arrive)
    return Retried(retried=[entry.id for entry in retried.again], skipped=[])


@router.post("/{outbox_id}/drop", responses=answers(401, 403, 404, 409))
async def drop(outbox_id: str, body: DropBody, app: TheApp, key: UpkeepWriter) -> Dropped:
    """Decide that a message is not sent; where it was still waiting, a person gets the conversation."""
    entry = await app.dead_letters.drop(outbox_id, reason=body.reason, actor=key.name)
    return Dropped(dropped=entry.id)


def _row(entry: OutboxEntry, hold_id: str | None) -> OutboxRow:
    return OutboxRow(
        id=entry.id,
        state=entry.state,
        channel=entry.channel,
        turn_id=entry.turn_id,
        conversation_id=entry.conversation_id,
        author=entry.author,
        attempts=entry.attempts,
        last_error=_without_address(entry),
        created_at=entry.created_at,
        due_at=entry.due_at,
        hold_id=hold_id,
    )


def _without_address(entry: OutboxEntry) -> str | None:
    """What went wrong, the customer's address blotted out: providers quote what they do not take."""
    if entry.last_error is None or len(entry.address) < ADDRESS_CHARS_MIN:
        return entry.last_error
    return entry.last_error.replace(entry.address, BLOT)
