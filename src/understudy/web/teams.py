"""`/v1/teams`: who takes hand-offs, who is here and what waits; and `/v1/desk/presence`, by which somebody says so of themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from understudy.records.staffing import Assignment, PersonNow, TeamNow, Why
from understudy.web.auth import AutonomyWriter, HoldsReader, HoldsWriter, TheApp
from understudy.web.bodies import JsonRoute
from understudy.web.problems import answers

router = APIRouter(prefix="/v1", tags=["review"], route_class=JsonRoute)

WEEK_S = 7 * 86_400.0


class PersonHere(BaseModel):
    """Somebody as they are now: given hand-offs only if `is_here`. `open_hand_offs`: how many that wait are theirs. `seen_at`:
    when their console was last heard of; `until`: how long what they said of themselves lasts."""

    name: str
    is_here: bool
    is_away: bool
    open_hand_offs: int
    seen_at: datetime | None
    until: datetime | None


class TeamOut(BaseModel):
    """A team as it is now. `opens_at`: when it comes, null where it is there or nobody knows; `waiting`: hand-offs that are for
    it, the longest waiting since `oldest_at`."""

    name: str
    topics: list[str]
    languages: list[str]
    channels: list[str]
    capacity: int
    overflow: str | None
    overflow_after_s: float
    is_open: bool
    opens_at: datetime | None
    people: list[PersonHere]
    waiting: int
    oldest_at: datetime | None


class TeamsOut(BaseModel):
    """All teams, in the order of the configuration. `is_on`: hand-offs are looked after, by teams or by an SLA alone. `told`: waits of
    which leads were told, or that are too long."""

    is_on: bool
    told: int
    items: list[TeamOut]


class WaitOut(BaseModel):
    """A customer who waits for a person, since the hand-off at `waits_since`; an answer was promised by `due_at`.

    `why` and `words` say why it is `person`'s, or nobody's. `lapses_at`: when they lose it. `is_taken`: they took the
    conversation. `is_told`: an escalation step shows it to leads; `is_broken`: longer than was promised.
    """

    id: str
    hold_id: str
    conversation_id: str
    channel: str
    topic: str | None
    language: str | None
    priority: int
    waits_since: datetime
    target_s: float | None
    due_at: datetime | None
    team: str | None
    person: str | None
    why: Why
    words: str
    lapses_at: datetime | None
    is_taken: bool
    is_told: bool
    is_broken: bool


class WaitList(BaseModel):
    """Who waits for a person, the most urgent first, then the longest waiting."""

    items: list[WaitOut]


class AssignBody(BaseModel):
    """Whose the hand-off shall be; null: it is given by rule again."""

    model_config = ConfigDict(strict=True, extra="forbid")

    person: str | None = Field(max_length=200)


class PresenceBody(BaseModel):
    """You are away, until you say otherwise or for `for_s` seconds; or not: you are there as long as your console is heard of,
    and for `for_s` seconds without one."""

    model_config = ConfigDict(strict=True, extra="forbid")

    is_away: bool
    for_s: float | None = Field(None, gt=0, le=WEEK_S)


@router.get("/teams", responses=answers(401, 403))
async def list_teams(app: TheApp, _caller: HoldsReader) -> TeamsOut:
    """List the teams, who of them is here, how many hand-offs each has and how many wait."""
    told = sum(one.is_told or one.is_broken for one in await app.teams.waiting()) if app.teams.is_on else 0
    return TeamsOut(is_on=app.teams.is_on, told=told, items=[_team(one) for one in await app.teams.teams()])


@router.get("/teams/waiting", responses=answers(401, 403))
async def list_waits(
    app: TheApp,
    _caller: HoldsReader,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
    hold: Annotated[str | None, Query(max_length=200, description="only who waits with this hold")] = None,
) -> WaitList:
    """List who waits for a person, with whose they are, since when and until when."""
    if hold is not None:
        wait = await app.teams.waiting_with(hold)
        return WaitList(items=[] if wait is None else [_wait(wait)])
    return WaitList(items=[_wait(one) for one in await app.teams.waiting(limit=limit)])


@router.post("/teams/waiting/{hold_id}/assign", responses=answers(401, 403, 404, 409, 412))
async def assign_wait(hold_id: str, body: AssignBody, app: TheApp, caller: AutonomyWriter) -> WaitOut:
    """Give a hand-off to somebody of a team, whatever they have already, or take it from whose it is."""
    return _wait(await app.teams.assign(hold_id, body.person, by=caller.name))


@router.get("/desk/presence", responses=answers(401, 403))
async def read_presence(app: TheApp, caller: HoldsReader) -> PersonHere:
    """Read whether you are here, for who gives hand-offs."""
    return _person(await app.teams.person(caller.name))


@router.put("/desk/presence", responses=answers(401, 403))
async def set_presence(body: PresenceBody, app: TheApp, caller: HoldsWriter) -> PersonHere:
    """Say that you are away, or here."""
    said = await app.teams.say(caller.name, is_away=body.is_away, for_s=body.for_s, by=caller.name)
    return _person(said)


def _team(now: TeamNow) -> TeamOut:
    team = now.team
    return TeamOut(
        name=team.name,
        topics=list(team.topics),
        languages=list(team.languages),
        channels=list(team.channels),
        capacity=team.capacity,
        overflow=team.overflow,
        overflow_after_s=team.overflow_after_s,
        is_open=now.is_open,
        opens_at=now.opens_at,
        people=[_person(one) for one in now.people],
        waiting=now.waiting,
        oldest_at=now.oldest_at,
    )


def _person(now: PersonNow) -> PersonHere:
    return PersonHere(
        name=now.name,
        is_here=now.is_here,
        is_away=now.is_away,
        open_hand_offs=now.open_hand_offs,
        seen_at=now.seen_at,
        until=now.until,
    )


def _wait(wait: Assignment) -> WaitOut:
    return WaitOut(**{name: getattr(wait, name) for name in WaitOut.model_fields})
