"""`/v1/chat/completions`: Understudy in the place of the agent's own endpoint, for code that has an OpenAI client.

The configured agent drafts, the draft is assessed like any other, and the answer is what may be sent: the draft, an
approved safe reply, or, where a person still decides, the notice of `openai.held_notice`. Replies are atomic; with
`stream` the whole text comes as one chunk, because a text that was not yet checked must not leave.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from understudy.app import App
from understudy.records.assessment import DecisionKind
from understudy.records.wire import MESSAGES_MAX, MessageIn
from understudy.web.auth import TheApp, TheFeed, TurnsWriter
from understudy.web.bodies import JsonRoute
from understudy.web.problems import answers
from understudy.web.shapes import TurnOut
from understudy.web.turns import submit
from understudy.web.views import SETTLED, decided_turn

router = APIRouter(prefix="/v1", tags=["turns"], route_class=JsonRoute)


class CompletionRequest(BaseModel):
    """The part of an OpenAI Chat Completions request that is read; sampling parameters are the agent's business."""

    model_config = ConfigDict(strict=True, extra="ignore")

    messages: list[MessageIn] = Field(min_length=1, max_length=MESSAGES_MAX)
    model: str = "understudy"
    stream: bool = False
    user: str | None = Field(None, max_length=200, description="names the conversation; default: each request its own")
    metadata: dict[str, str] | None = Field(None, description="`conversation_id` and `topic` are read")


class Choice(BaseModel):
    """The one choice there ever is."""

    index: int = 0
    message: dict[str, Any]
    finish_reason: str = "stop"


class Completion(BaseModel):
    """An OpenAI chat completion, with the decision beside it under `understudy`."""

    id: str
    object: str = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    understudy: dict[str, Any]


@router.post("/chat/completions", responses=answers(401, 403), response_model=Completion)
async def complete(
    request: CompletionRequest, app: TheApp, feed: TheFeed, key: TurnsWriter
) -> Completion | StreamingResponse:
    """Draft by the configured agent, assess, and answer with what may be sent."""
    record_id = app.clock.new_id("completion")
    metadata = request.metadata or {}
    turn_id = await submit(
        app,
        key,
        record_id=record_id,
        conversation_id=metadata.get("conversation_id") or request.user or record_id,
        topic=metadata.get("topic"),
        messages=tuple(message.record() for message in request.messages),
        draft=None,
    )
    within_s = app.settings.drafting.deadline_s + app.settings.openai.wait_s
    view = await decided_turn(app, feed, turn_id, decision_within_s=within_s, wait_s=app.settings.openai.wait_s)
    completion = _completion(app, request.model, view)
    if request.stream:
        return StreamingResponse(_as_stream(completion), media_type="text/event-stream")
    return completion


def _completion(app: App, model: str, view: TurnOut) -> Completion:
    text = view.reply.text if view.reply is not None else app.settings.openai.held_notice
    return Completion(
        id=view.id,
        created=int(view.created_at.timestamp()),
        model=model,
        choices=[Choice(message={"role": "assistant", "content": text})],
        understudy={
            "turn_id": view.id,
            "state": view.state.value,
            "decision": view.decision,
            "reasons": [reason.code for reason in view.reasons],
            "confidence": view.confidence,
            "disclosure": _disclosed(view),
            "is_final": view.decision in (DecisionKind.DELIVER, DecisionKind.DEGRADE) or view.state in SETTLED,
        },
    )


def _disclosed(view: TurnOut) -> dict[str, Any] | None:
    said = None if view.reply is None else view.reply.disclosure
    return None if said is None else said.model_dump(mode="json")


def _as_stream(completion: Completion) -> Iterator[str]:
    base = {
        "id": completion.id,
        "object": "chat.completion.chunk",
        "created": completion.created,
        "model": completion.model,
    }
    message = completion.choices[0].message
    whole = {**base, "choices": [{"index": 0, "delta": message, "finish_reason": None}]}
    end = {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "understudy": completion.understudy}
    for chunk in (whole, end):
        yield f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"
    yield "data: [DONE]\n\n"
