"""`/v1/holds/approve_alike`: several drafts that say the same, approved at once. What may be stands in `review/alike.py`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from understudy.records.bulk import AT_ONCE_MAX, ApprovedAlike
from understudy.web.auth import HoldsWriter, TheApp
from understudy.web.bodies import JsonRoute
from understudy.web.problems import answers

router = APIRouter(prefix="/v1/holds", tags=["review"], route_class=JsonRoute)


class AtVersion(BaseModel):
    """A hold as you saw it."""

    model_config = ConfigDict(strict=True, extra="forbid")

    id: Annotated[str, Field(min_length=1, max_length=200)]
    version: Annotated[int, Field(ge=1, le=10**9)]


class AlikeBody(BaseModel):
    """Holds with the same `alike`, one of which you have claimed and read; `undo_s` as for a single verdict."""

    model_config = ConfigDict(strict=True, extra="forbid")

    holds: list[AtVersion] = Field(min_length=2, max_length=AT_ONCE_MAX)
    undo_s: float = Field(0, ge=0, le=120)


@router.post("/approve_alike", responses=answers(401, 403, 404))
async def approve_alike(body: AlikeBody, app: TheApp, key: HoldsWriter) -> ApprovedAlike:
    """Approve up to 20 identical, harmless drafts, each by its own verdict; one that changed meanwhile is refused alone."""
    undo_s = min(body.undo_s, app.settings.review.undo_s)
    return await app.alike.approve([(one.id, one.version) for one in body.holds], reviewer=key.name, undo_s=undo_s)
