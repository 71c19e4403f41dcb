"""`POST /webhooks/{channel}`: what channels send us. Verified, parsed, stored; only then acknowledged."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from understudy.app import App
from understudy.errors import MalformedInput, NotFound, UnderstudyError
from understudy.ports.channel import Channel, Events, InboundRequest, KeepsNotes, TakesEvents
from understudy.ports.telemetry import EventIgnored, RequestRefused
from understudy.web.auth import TheApp
from understudy.web.edge import Edge
from understudy.web.problems import answers, problem_of, problem_of_unexpected

PREFIX = "/webhooks/"
EMPTY: dict[int | str, dict[str, Any]] = {204: {"description": "The same, for providers that want no body"}}
router = APIRouter(tags=["channels"])
_NAME = re.compile("[^/]{1,100}")


class Acknowledged(BaseModel):
    """How many messages and remarks of the request are safely stored, and how many of them were stored before."""

    received: int
    duplicates: int


@router.post("/webhooks/{channel}", response_model=Acknowledged, responses={**answers(401, 404), **EMPTY})
async def take_webhook(channel: Annotated[str, Path(max_length=100)], request: Request, app: TheApp) -> Any:
    """Take a channel's request in. A 200 or 204 means that every message in it is on disk."""
    taken = await _take(app, channel, request)
    return taken if isinstance(taken, Acknowledged) else _said(taken)


@router.post("/webhooks/{channel}/notes", response_model=Acknowledged, responses={**answers(401, 404), **EMPTY})
async def take_notes(channel: Annotated[str, Path(max_length=100)], request: Request, app: TheApp) -> Any:
    """Take in what people of a help desk write in its notes. A 200 means that every remark in it is on disk."""
    taken = await _take(app, channel, request, are_notes=True)
    return taken if isinstance(taken, Acknowledged) else _said(taken)


@router.get("/webhooks/{channel}", response_class=PlainTextResponse, responses=answers(401, 404))
async def shake_hands(channel: Annotated[str, Path(max_length=100)], request: Request, app: TheApp) -> Response:
    """Say back what a provider gives to say, when it asks whether this address is this channel's."""
    taken = await _take(app, channel, request)
    if isinstance(taken, str):
        return _said(taken)
    raise NotFound(f"channel {channel!r} knows no such handshake")


class WebhooksFirst:
    """ASGI middleware around all others that answers `POST /webhooks/{channel}` as the route above does.

    Every message comes this way, and the framework's part of an answer costs more than storing the message.
    """

    def __init__(self, inner: ASGIApp, *, app: App) -> None:
        self._inner = inner
        self._app = app
        self._edge = Edge(self._answer, body_bytes_max=app.settings.limits.body_bytes_max)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_webhook = scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith(PREFIX)
        if is_webhook and _NAME.fullmatch(scope["path"], len(PREFIX)):
            await self._edge(scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            taken = await _take(self._app, scope["path"].removeprefix(PREFIX), request)
            answer = _said(taken) if isinstance(taken, str) else _acknowledgement(taken)
        except (UnderstudyError, HTTPException) as error:
            answer = problem_of(request, error)
        except Exception as error:  # noqa: BLE001 - whatever it was, it is logged and answered
            answer = problem_of_unexpected(request, error)
        await answer(scope, receive, send)


async def _take(app: App, channel: str, request: Request, *, are_notes: bool = False) -> Acknowledged | str:
    """Store what a request holds, and say how many messages that were, or the text its channel wants as an answer."""
    try:
        known = app.channels.get(channel)
        if known is None or channel not in app.settings.channels:
            names = ", ".join(sorted(app.settings.channels)) or "none"
            raise NotFound(f"there is no channel {channel!r}; configured: {names}")
        events = _events(
            known,
            are_notes,
            InboundRequest(
                method=request.method,
                url=str(request.url),
                headers={
                    name.decode("latin-1").lower(): value.decode("latin-1") for name, value in request.headers.raw
                },
                body=await request.body(),
                received_at=app.clock.now(),
            ),
        )
        received = [await app.intake.receive(channel, message) for message in events.messages]
        for report in events.reports:
            await app.reports.take(channel, report)
        taken = [await app.remarks.take(channel, said) for said in events.remarks]
        for why in events.ignored:
            app.telemetry.emit(EventIgnored(channel=channel, why=why))
        if events.refused:
            rest = f"; {len(received)} other message(s) of the request are stored" if received else ""
            raise MalformedInput(f"{events.refused[0]}{rest}")
    except UnderstudyError as error:
        face = f"webhooks/{channel}" if channel in app.settings.channels else "webhooks"
        app.telemetry.emit(RequestRefused(face=face, code=error.code))
        raise
    if events.say is not None:
        return events.say
    again = [one.is_duplicate for one in received] + [not is_new for is_new in taken]
    return Acknowledged(received=len(again), duplicates=sum(again))


def _events(channel: Channel, are_notes: bool, request: InboundRequest) -> Events:
    if are_notes:
        if not isinstance(channel, KeepsNotes):
            raise NotFound(f"channel {channel.name!r} has no help desk with notes")
        return channel.read_notes(request)
    if isinstance(channel, TakesEvents):
        return channel.read(request)
    if request.method == "GET":
        return Events()
    return Events(messages=channel.parse(request))


def _acknowledgement(taken: Acknowledged) -> Response:
    return Response(taken.model_dump_json(), media_type="application/json")


def _said(text: str) -> Response:
    return PlainTextResponse(text) if text else Response(status_code=204)
