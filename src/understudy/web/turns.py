"""`/v1/turns`: hand over a finished draft and get the decision, now or when a person has decided; look turns up."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from understudy.app import App
from understudy.errors import KeyReused, MalformedInput
from understudy.ports.access import Answered
from understudy.ports.store import Transaction
from understudy.records.access import Caller
from understudy.records.codec import canonical, digest, load
from understudy.records.conversation import Inbound
from understudy.records.evidence import NO_FACTS, ChatMessage, ContactFacts, Draft
from understudy.records.feedback import Feedback, FeedbackKind
from understudy.records.wire import TurnRecord
from understudy.turning import API_CHANNEL
from understudy.web.auth import TheApp, TheFeed, TurnsReader, TurnsWriter
from understudy.web.bodies import SEQ_MAX, JsonRoute
from understudy.web.problems import answers
from understudy.web.shapes import Pipeline, TurnOut, TurnPage
from understudy.web.views import decided_turn, turn_view

router = APIRouter(prefix="/v1/turns", tags=["turns"], route_class=JsonRoute)


class FeedbackBody(BaseModel):
    """What the customer thinks of a reply."""

    model_config = ConfigDict(strict=True, extra="forbid")

    kind: FeedbackKind = Field(strict=False)


DECISION_WITHIN_S = 15.0
"""How long a request waits for the decision itself, which takes milliseconds unless the system is overloaded."""

NAME_CHARS_KEPT = 200
"""Longer ids of records and conversations are kept as their digest."""

Wait = Annotated[float, Query(ge=0, le=60, description="seconds to wait for a person's verdict")]
IdempotencyKey = Annotated[
    str | None, Header(min_length=1, max_length=255, description="a repeated request gets the first answer")
]


@router.post("", responses=answers(401, 403))
async def submit_turn(
    record: TurnRecord,
    app: TheApp,
    feed: TheFeed,
    key: TurnsWriter,
    wait_s: Wait = 0.0,
    idempotency_key: IdempotencyKey = None,
) -> TurnOut:
    """Assess a finished draft. The reply to send, once there is one, is in `reply`; send nothing before that."""
    asked = digest(canonical(record.model_dump(mode="json")))
    if idempotency_key is not None:
        answered = await app.store.read(lambda tx: tx.idempotency.get(key.id, idempotency_key))
        if answered is not None:
            return _first_answer(answered, asked, idempotency_key)
    draft = record.draft_record()
    turn_id = await submit(
        app,
        key,
        record_id=record.id,
        conversation_id=record.conversation_id or record.id,
        topic=record.topic,
        messages=record.chat(),
        draft=draft,
        contact=record.contact_facts(),
    )
    view = await decided_turn(app, feed, turn_id, decision_within_s=DECISION_WITHIN_S, wait_s=wait_s)
    if idempotency_key is not None:
        answer = Answered(request_digest=asked, status=200, body=view.model_dump_json())
        await _keep_answer(app, key, idempotency_key, answer)
    return view


@router.get("", responses=answers(401, 403))
async def list_turns(
    app: TheApp,
    key: TurnsReader,
    cursor: Annotated[int, Query(ge=0, le=SEQ_MAX)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    newest_first: Annotated[bool, Query(description="the latest first, and from the cursor on backwards")] = False,
) -> TurnPage:
    """List turns, oldest first, or the latest first."""

    def query(tx: Transaction) -> list[TurnOut]:
        if newest_first:
            turns = tx.trail.turns(before=cursor or None, limit=limit)
        else:
            turns = tx.turns.listed(after=cursor, limit=limit)
        return [turn_view(tx, turn, reader=key) for turn in turns]

    items = await app.store.read(query)
    return TurnPage(items=items, next=str(items[-1].position) if len(items) == limit else None)


@router.get("/{turn_id}", responses=answers(401, 403, 404))
async def get_turn(
    turn_id: str,
    app: TheApp,
    feed: TheFeed,
    key: TurnsReader,
    response: Response,
    wait_s: Wait = 0.0,
) -> TurnOut:
    """Read a turn; with `wait_s` wait for a person's verdict."""
    view = await decided_turn(app, feed, turn_id, decision_within_s=wait_s, wait_s=wait_s, reader=key)
    response.headers["Cache-Control"] = "no-store"
    return view


@router.get("/{turn_id}/pipeline", responses=answers(401, 403, 404))
async def get_pipeline(
    turn_id: str,
    app: TheApp,
    key: TurnsReader,  # noqa: ARG001 - its dependency lets only readers through
) -> Pipeline:
    """Read the agent's own log of how this turn's draft was made; empty where the agent kept none."""

    def query(tx: Transaction) -> Pipeline:
        turn = tx.turns.get(turn_id)
        stored = tx.artifacts.get(turn.id, "draft")
        return Pipeline(turn_id=turn.id, steps=[] if stored is None else list(load(Draft, stored).pipeline))

    return await app.store.read(query)


@router.post("/{turn_id}/feedback", responses=answers(401, 403, 404, 409))
async def give_feedback(turn_id: str, body: FeedbackBody, app: TheApp, key: TurnsWriter) -> Feedback:
    """Say what the customer thinks of the reply. One kind counts once: a repeat gets the first answer."""
    return await app.feedback.give(turn_id, body.kind, by=key.name)


async def submit(
    app: App,
    key: Caller,
    *,
    record_id: str,
    conversation_id: str,
    topic: str | None,
    messages: tuple[ChatMessage, ...],
    draft: Draft | None,
    contact: ContactFacts = NO_FACTS,
) -> str:
    """Store a caller's turn and return its id; raises `KeyReused` where the record's id came with another draft."""
    asked = [message for message in messages if message.role == "user" and (message.content or "").strip()]
    if not asked:
        raise MalformedInput("messages: there is no message with role 'user' and a text; the draft answers nobody")
    inbound = Inbound(
        provider_id=_own_name(key, record_id),
        external_id=_own_name(key, conversation_id),
        # Who has a name of the caller's own is one contact over all conversations; else each conversation has its own.
        address=_own_name(key, conversation_id if contact.id is None else f"contact {contact.id}"),
        text=asked[-1].content or "",
        topic=topic,
        contact_name=contact.name,
        contact_email=contact.emails[0] if contact.emails else None,
        contact_phone=contact.phones[0] if contact.phones else None,
    )
    received = await app.intake.submit(API_CHANNEL, inbound, transcript=messages, draft=draft, contact=contact)
    if received.is_other_draft:
        raise KeyReused(f"turn {record_id!r} was handed over before with another draft; give each draft its own id")
    return received.turn_id


def _own_name(key: Caller, name: str) -> str:
    """A caller's name for a thing, apart from every other caller's; an overlong one is told apart by its digest."""
    return f"{key.id}:{name if len(name) <= NAME_CHARS_KEPT else digest(name)}"


def _first_answer(answered: Answered, asked: str, key: str) -> TurnOut:
    if answered.request_digest != asked:
        raise KeyReused(f"Idempotency-Key {key!r} was used before with another body; use a new key for a new request")
    return TurnOut.model_validate_json(answered.body)


async def _keep_answer(app: App, key: Caller, name: str, answered: Answered) -> None:
    now = app.clock.now()

    def step(tx: Transaction) -> None:
        if tx.idempotency.get(key.id, name) is None:
            tx.idempotency.put(key.id, name, answered, now=now)
            tx.ledger.append("request.answered", at=now, actor=key.name, key=key.id)

    await app.store.write(step)
