"""`/v1/conversations`: read one, take it over, write in it, hand it back, have its customer prove who they are."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from understudy.ports.store import Transaction
from understudy.records.access import Caller
from understudy.records.identity import HandleKind
from understudy.web.auth import HoldsReader, HoldsWriter, TheApp
from understudy.web.blind import conversation_for
from understudy.web.bodies import JsonRoute
from understudy.web.problems import answers
from understudy.web.shapes import ConversationOut, Reply
from understudy.web.views import conversation_view

router = APIRouter(prefix="/v1/conversations", tags=["review"], route_class=JsonRoute)


class Words(BaseModel):
    """What a person writes to the customer."""

    model_config = ConfigDict(strict=True, extra="forbid")

    text: str = Field(min_length=1, max_length=20_000)


class TakingOver(BaseModel):
    """From whom you take it, where another person has it."""

    model_config = ConfigDict(strict=True, extra="forbid")

    take_from: str | None = Field(None, min_length=1, max_length=200)


class HandingBack(TakingOver):
    """What you did beside writing, such as on the phone: the agent is told, the customer is not."""

    note: str | None = Field(None, min_length=1, max_length=2_000)


class CodeFor(BaseModel):
    """To which known handle a code is sent."""

    model_config = ConfigDict(strict=True, extra="forbid")

    kind: Literal["email", "phone"]
    value: str = Field(min_length=1, max_length=500)


class CodeOut(BaseModel):
    """A code that is on its way. What it is, nobody is told but whoever it was sent to."""

    id: str
    expires_at: datetime


@router.get("/{conversation_id}", responses=answers(401, 403, 404))
async def get_conversation(
    conversation_id: str,
    app: TheApp,
    key: HoldsReader,
) -> ConversationOut:
    """Read a conversation with its contact and latest messages."""
    return await _shown(app, conversation_id, key)


@router.post("/{conversation_id}/take_over", responses=answers(401, 403, 404, 409))
async def take_over(
    conversation_id: str, app: TheApp, key: HoldsWriter, body: TakingOver | None = None
) -> ConversationOut:
    """Answer yourself from now on; drafts on hold become void. Where another person has the conversation, that is refused with
    their name in `taken_by` unless `take_from` names them; they are told."""
    take_from = None if body is None else body.take_from
    await app.conversations.take_over(conversation_id, reviewer=key.name, take_from=take_from)
    return await _shown(app, conversation_id, key)


@router.post("/{conversation_id}/hand_back", responses=answers(401, 403, 404, 409))
async def hand_back(
    conversation_id: str, app: TheApp, key: HoldsWriter, body: HandingBack | None = None
) -> ConversationOut:
    """Let the agent answer again, from the customer's next message on; what nobody has answered it is asked now, and a
    hand-off that still waits is over."""
    said = HandingBack() if body is None else body
    await app.conversations.hand_back(conversation_id, reviewer=key.name, note=said.note, take_from=said.take_from)
    return await _shown(app, conversation_id, key)


@router.post("/{conversation_id}/messages", status_code=202, responses=answers(401, 403, 404, 409))
async def say(conversation_id: str, body: Words, app: TheApp, key: HoldsWriter) -> Reply:
    """Write to the customer; the conversation must be with a person, and that with nobody else."""
    entry = await app.conversations.say(conversation_id, body.text, reviewer=key.name)
    return Reply(
        text=entry.text,
        author=entry.author,
        author_name=entry.author_name,
        at=entry.created_at,
        state=entry.state,
        origin=entry.origin,
    )


@router.post("/{conversation_id}/code", status_code=202, responses=answers(401, 403, 404, 409))
async def send_code(conversation_id: str, body: CodeFor, app: TheApp, key: HoldsWriter) -> CodeOut:
    """Send a one-time code to a handle that is known; once the customer enters it here, the handle is theirs."""
    code = await app.contacts.ask_code(conversation_id, HandleKind(body.kind), body.value, by=key.name)
    return CodeOut(id=code.id, expires_at=code.expires_at)


async def _shown(app: TheApp, conversation_id: str, key: Caller) -> ConversationOut:
    def query(tx: Transaction) -> ConversationOut:
        return conversation_for(tx, key, conversation_view(tx, tx.conversations.get(conversation_id)))

    return await app.store.read(query)
