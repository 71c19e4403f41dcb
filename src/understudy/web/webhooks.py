"""`POST /webhooks/{channel}`: what channels send us. Verified, parsed, stored; only then acknowledged."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel

from understudy.errors import NotFound, UnderstudyError
from understudy.ports.channel import InboundRequest
from understudy.ports.telemetry import RequestRefused
from understudy.web.auth import TheApp
from understudy.web.problems import answers

router = APIRouter(tags=["channels"])


class Acknowledged(BaseModel):
    """How many messages of the request are safely stored, and how many of them were stored before."""

    received: int
    duplicates: int


@router.post("/webhooks/{channel}", responses=answers(401, 404))
async def take_webhook(channel: Annotated[str, Path(max_length=100)], request: Request, app: TheApp) -> Acknowledged:
    """Take a channel's request in. A 200 means that every message in it is on disk."""
    try:
        known = app.channels.get(channel)
        if known is None or channel not in app.settings.channels:
            names = ", ".join(sorted(app.settings.channels)) or "none"
            raise NotFound(f"there is no channel {channel!r}; configured: {names}")
        inbound = known.parse(
            InboundRequest(
                method=request.method,
                url=str(request.url),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=await request.body(),
                received_at=app.clock.now(),
            )
        )
        received = [await app.intake.receive(channel, message) for message in inbound]
    except UnderstudyError as error:
        face = f"webhooks/{channel}" if channel in app.settings.channels else "webhooks"
        app.telemetry.emit(RequestRefused(face=face, code=error.code))
        raise
    return Acknowledged(received=len(received), duplicates=sum(one.is_duplicate for one in received))
