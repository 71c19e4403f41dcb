"""`/v1/autonomy`: how far each slice is; stop, resume, confirm, decline, restart."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from understudy.records.autonomy import EVERY, Slice, Stop
from understudy.records.slice_story import SliceStory
from understudy.records.standing import Standing
from understudy.web.auth import AutonomyReader, AutonomyWriter, HoldsReader, TheApp
from understudy.web.bodies import JsonRoute
from understudy.web.problems import answers

router = APIRouter(prefix="/v1/autonomy", tags=["autonomy"], route_class=JsonRoute)

Name = Annotated[str, Field(min_length=1, max_length=200)]


class SliceIn(BaseModel):
    """A topic and channel, `*` for every; without a release every agent version is meant."""

    model_config = ConfigDict(strict=True, extra="forbid")

    topic: Name = EVERY
    channel: Name = EVERY
    release: Name | None = None

    def slice(self) -> Slice:
        """What an order is about."""
        return Slice(topic=self.topic, channel=self.channel, release=self.release)


class ConfirmIn(SliceIn):
    """The promotions to grant; `threshold` as you saw it proposed, so that no other is granted unseen."""

    threshold: float | None = Field(None, ge=0, le=1)


class StopIn(BaseModel):
    """Where nothing is to leave by itself, and why."""

    model_config = ConfigDict(strict=True, extra="forbid")

    topic: Name = EVERY
    channel: Name = EVERY
    why: str = Field("", max_length=1_000)


class LiftIn(BaseModel):
    """A stop, by exactly the topic and channel it was made for."""

    model_config = ConfigDict(strict=True, extra="forbid")

    topic: Name = EVERY
    channel: Name = EVERY


@router.get("", responses=answers(401, 403))
async def get_autonomy(
    app: TheApp,
    key: AutonomyReader,  # noqa: ARG001 - its dependency lets only readers through
) -> Standing:
    """Read how far every topic, channel and agent version is, and what is on hold."""
    return await _standing(app)


@router.get("/stops", responses=answers(401, 403))
async def list_stops(
    app: TheApp,
    key: HoldsReader,  # noqa: ARG001 - the same; whoever reviews has to know why everything comes to them
) -> tuple[Stop, ...]:
    """Read where a person stopped automatic replies, who and when; `*` is every topic or channel."""
    return await app.status.stops()


@router.get("/slice", responses=answers(401, 403, 404))
async def get_slice(
    app: TheApp,
    key: AutonomyReader,  # noqa: ARG001 - the same
    topic: Annotated[str, Query(min_length=1, max_length=200)],
    channel: Annotated[str, Query(min_length=1, max_length=200)],
    release: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
) -> SliceStory:
    """Read all there is to see of one slice: what its labels show, when they came, and how its level came about.

    Of several agent versions the one that answers now is looked at, or the one that `release` names.
    """
    return await app.status.story(topic, channel, release=release)


@router.post("/hold", responses=answers(401, 403))
async def hold(body: StopIn, app: TheApp, key: AutonomyWriter) -> Standing:
    """Let nothing leave by itself here, from the next decision on, until somebody resumes."""
    await app.orders.stop(Slice(topic=body.topic, channel=body.channel), by=key.name, why=body.why)
    return await _standing(app)


@router.post("/resume", responses=answers(401, 403, 404))
async def resume(body: LiftIn, app: TheApp, key: AutonomyWriter) -> Standing:
    """Take a stop back."""
    await app.orders.resume(Slice(topic=body.topic, channel=body.channel), by=key.name)
    return await _standing(app)


@router.post("/confirm", responses=answers(401, 403, 409))
async def confirm(body: ConfirmIn, app: TheApp, key: AutonomyWriter) -> Standing:
    """Grant the promotions that are proposed here."""
    await app.orders.confirm(body.slice(), by=key.name, threshold=body.threshold)
    return await _standing(app)


@router.post("/decline", responses=answers(401, 403, 409))
async def decline(body: SliceIn, app: TheApp, key: AutonomyWriter) -> Standing:
    """Turn the promotions that are proposed here down."""
    await app.orders.decline(body.slice(), by=key.name)
    return await _standing(app)


@router.post("/restart", responses=answers(401, 403, 404))
async def restart(body: SliceIn, app: TheApp, key: AutonomyWriter) -> Standing:
    """Begin anew, in assist and from no evidence."""
    await app.orders.restart(body.slice(), by=key.name)
    return await _standing(app)


async def _standing(app: TheApp) -> Standing:
    return await app.status.standing()
