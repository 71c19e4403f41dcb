"""`/v1/health`: how everything goes, and what is misconfigured or unreachable."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from understudy.doctor.examination import examine, is_broken
from understudy.errors import Conflict
from understudy.records.health import Health
from understudy.web.auth import MetricsReader, TheApp, UpkeepWriter
from understudy.web.bodies import JsonRoute
from understudy.web.console import NOT_BUILT, is_built
from understudy.web.problems import answers

router = APIRouter(prefix="/v1/health", tags=["observe"], route_class=JsonRoute)

_one_at_a_time = asyncio.Lock()


class Examined(BaseModel):
    """One thing looked at. `mend` says what to do; empty where all is well."""

    what: str
    state: Literal["ok", "warning", "error"]
    says: str
    mend: str


class Examination(BaseModel):
    """What `understudy doctor` says, by the settings this process runs with; secrets are blotted out."""

    healthy: bool
    results: list[Examined]


@router.get("", responses=answers(401, 403))
async def read_health(
    app: TheApp,
    key: MetricsReader,  # noqa: ARG001 - its dependency lets only readers through
    minutes: Annotated[float, Query(ge=1, le=120, description="over how long figures are reckoned")] = 15.0,
) -> Health:
    """Read how everything goes: what waits, how quickly it goes on, what fails, how near the limits are, who is at work."""
    return await app.health.look(minutes=minutes)


@router.post("/doctor", responses=answers(401, 403, 409))
async def run_doctor(
    app: TheApp,
    key: UpkeepWriter,  # noqa: ARG001 - the same
) -> Examination:
    """Look for what is misconfigured or unreachable, and how to mend it; asks every agent and provider whether it is there."""
    if _one_at_a_time.locked():
        raise Conflict("somebody else has it looked for just now; wait a moment and ask again")
    async with _one_at_a_time:
        missing = None if is_built() else NOT_BUILT
        found = await asyncio.to_thread(examine, app.settings, app.base, console_missing=missing)
    results = [Examined(what=one.what, state=one.state, says=one.says, mend=one.mend) for one in found]
    return Examination(healthy=not is_broken(found), results=results)
