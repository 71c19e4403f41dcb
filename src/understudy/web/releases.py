"""`/v1/releases`: create releases, promote them, take them back, hold and resume them. What each does stands in `release/`."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from understudy.errors import MalformedInput
from understudy.records.flips import GateDetail
from understudy.records.release import Release, Stage
from understudy.records.rollout import AgentReleases, ReleaseStatus, RolledBack
from understudy.records.spread import GateProgress
from understudy.web.auth import ReleasesReader, ReleasesWriter, TheApp
from understudy.web.bodies import JsonRoute
from understudy.web.problems import answers, problem

router = APIRouter(prefix="/v1/releases", tags=["releases"], route_class=JsonRoute)

Name = Annotated[str, Field(min_length=1, max_length=200)]
Why = Annotated[str, Field(max_length=1_000)]
IfMatch = Annotated[str | None, Header(description='the release\'s version as you saw it, e.g. "3"')]


class CreateIn(BaseModel):
    """Which entry of `[agents]` is to be a release, and why."""

    model_config = ConfigDict(strict=True, extra="forbid")

    entry: Name
    why: Why = ""


class PromoteIn(BaseModel):
    """The stage to go to (without: the next one), and the share of new conversations of a canary."""

    model_config = ConfigDict(strict=True, extra="forbid")

    to: Stage | None = Field(None, strict=False)
    share: float | None = Field(None, gt=0, le=1)
    why: Why = ""


class WhyIn(BaseModel):
    """Why."""

    model_config = ConfigDict(strict=True, extra="forbid")

    why: Why = ""


class GatedRelease(BaseModel):
    """A release and how far its gate is."""

    release: Release
    gate: GateProgress | None


@router.get("", responses=answers(401, 403))
async def list_releases(
    app: TheApp,
    key: ReleasesReader,  # noqa: ARG001 - its dependency lets only readers through
) -> tuple[AgentReleases, ...]:
    """Read all releases of all agents, what was seen of them and what follows."""
    return await app.release_reports.agents()


@router.get("/{release_id}", responses=answers(401, 403, 404))
async def get_release(
    release_id: str,
    app: TheApp,
    key: ReleasesReader,  # noqa: ARG001 - its dependency lets only readers through
    response: Response,
) -> ReleaseStatus:
    """Read one release; the ETag is its version."""
    found = await app.release_reports.release(release_id)
    response.headers["ETag"] = f'"{found.release.version}"'
    return found


@router.post(
    "",
    responses=answers(401, 403, 404, 409) | {202: {"model": GatedRelease, "description": "its gate is under way"}},
    status_code=201,
    response_model=Release,
)
async def create_release(body: CreateIn, app: TheApp, key: ReleasesWriter) -> Release | JSONResponse:
    """Write an entry of `[agents]` down as a release.

    Where a gate is configured servers run it from now on: 202, and the release stays *created* until it has passed.
    """
    release, gate = await app.releases.ask(body.entry, by=key.name, why=body.why)
    if gate is None:
        return release
    found = await app.release_reports.release(release.id)
    return JSONResponse(GatedRelease(release=found.release, gate=found.gate).model_dump(mode="json"), 202)


@router.get("/{release_id}/gate", responses=answers(401, 403, 404))
async def get_gate(
    release_id: str,
    app: TheApp,
    key: ReleasesReader,  # noqa: ARG001 - the same
) -> GateDetail:
    """Read what the gate said of a release, and the cases that went the other way: what both releases answered."""
    found = await app.release_reports.release(release_id)
    return await app.flips.detail(found.release.id)


@router.delete("/{release_id}/gate", responses=answers(401, 403, 404, 409), response_model=ReleaseStatus)
async def stop_gate(release_id: str, app: TheApp, key: ReleasesWriter) -> ReleaseStatus:
    """Have servers begin no more trials of a release's gate. What was tried stays; asked for again it goes on from there."""
    release = await app.releases.stop_gate(release_id, by=key.name)
    return await app.release_reports.release(release.id)


@router.post("/{release_id}/waive", responses=answers(401, 403, 404, 409, 412, 428), response_model=Release)
async def waive_gate(
    release_id: str, body: WhyIn, app: TheApp, key: ReleasesWriter, if_match: IfMatch = None
) -> Release | JSONResponse:
    """Let a release go on that no gate decided on; a failed gate cannot be waived."""
    if if_match is None:
        return _unmatched()
    return await app.releases.waive(release_id, version=_version(if_match), by=key.name, why=body.why)


@router.post("/{release_id}/promote", responses=answers(401, 403, 404, 409, 412, 428), response_model=Release)
async def promote_release(
    release_id: str, body: PromoteIn, app: TheApp, key: ReleasesWriter, if_match: IfMatch = None
) -> Release | JSONResponse:
    """Take a release to its next stage. Of two who do so at once one wins; the other gets 409 or 412 and is told who."""
    if if_match is None:
        return _unmatched()
    return await app.releases.promote(
        release_id, version=_version(if_match), by=key.name, to=body.to, share=body.share, why=body.why
    )


@router.post("/{release_id}/rollback", responses=answers(401, 403, 404, 409, 412))
async def roll_back_release(
    release_id: str, body: WhyIn, app: TheApp, key: ReleasesWriter, if_match: IfMatch = None
) -> RolledBack:
    """Take a release back at once: the next draft of every conversation comes from another. `If-Match` may be left out."""
    version = None if if_match is None else _version(if_match)
    return await app.releases.roll_back(release_id, version=version, by=key.name, why=body.why)


@router.post("/{release_id}/give-up", responses=answers(401, 403, 404, 409, 412, 428), response_model=Release)
async def give_up_release(
    release_id: str, body: WhyIn, app: TheApp, key: ReleasesWriter, if_match: IfMatch = None
) -> Release | JSONResponse:
    """Retire a release that was never let out; where its gate is under way, no more trials of it are begun."""
    if if_match is None:
        return _unmatched()
    return await app.releases.give_up(release_id, version=_version(if_match), by=key.name, why=body.why)


@router.post("/{release_id}/hold", responses=answers(401, 403, 404, 409, 412))
async def hold_release(
    release_id: str, body: WhyIn, app: TheApp, key: ReleasesWriter, if_match: IfMatch = None
) -> Release:
    """Keep a release where it is: nothing but a person moves it until somebody resumes. `If-Match` may be left out."""
    version = None if if_match is None else _version(if_match)
    return await app.releases.hold(release_id, version=version, by=key.name, why=body.why)


@router.post("/{release_id}/resume", responses=answers(401, 403, 404, 409, 412))
async def resume_release(release_id: str, app: TheApp, key: ReleasesWriter, if_match: IfMatch = None) -> Release:
    """Take a hold back. `If-Match` may be left out."""
    version = None if if_match is None else _version(if_match)
    return await app.releases.resume(release_id, version=version, by=key.name)


def _unmatched() -> JSONResponse:
    return problem(
        "precondition-required",
        428,
        "send If-Match with the release's version, so that nobody overrules another unseen",
    )


def _version(if_match: str) -> int:
    form = re.fullmatch(r'(?:W/)?("?)([0-9]{1,9})\1', if_match.strip())
    if form is None:
        raise MalformedInput(f'If-Match: {if_match[:80]!r} is no version; send the release\'s version as "3"')
    return int(form[2])
