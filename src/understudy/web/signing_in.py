"""`/v1/session`: sign in, ask who one is, sign out. What signing in takes stands in `sessions.py`."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from understudy.records.access import SCOPES_OF, Role, Scope
from understudy.web.auth import Anybody, TheApp
from understudy.web.bodies import JsonRoute
from understudy.web.problems import answers
from understudy.web.sessions import (
    address_of,
    cookie_name,
    demand_same_site,
    is_secure,
    put_cookie,
    sign_in,
    sign_out,
    signed_in,
)

router = APIRouter(prefix="/v1/session", tags=["session"], route_class=JsonRoute)


class SignIn(BaseModel):
    """What somebody signs in with."""

    model_config = ConfigDict(strict=True, extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    password: str = Field(min_length=1, max_length=1_000)


class SignedIn(BaseModel):
    """Who is asking and what they may do; `role` and `until` are null for an API key."""

    name: str
    role: Role | None
    scopes: list[Scope]
    until: datetime | None


@router.post("", status_code=201, responses=answers(401, 403, 429))
async def open_session(body: SignIn, app: TheApp, request: Request, response: Response) -> SignedIn:
    """Sign in: the answer sets the cookie that speaks for you from then on."""
    demand_same_site(app, request)
    user, session, token = await sign_in(app, body.name, body.password, address=address_of(request))
    put_cookie(response, request, session, token)
    return SignedIn(name=user.name, role=user.role, scopes=list(SCOPES_OF[user.role]), until=session.expires_at)


@router.get("", responses=answers(401))
async def read_session(app: TheApp, request: Request, caller: Anybody) -> SignedIn:
    """Read who is asking."""
    found = await signed_in(app, request) if caller.id.startswith("user:") else None
    role, until = (None, None) if found is None else (found[0].role, found[1].expires_at)
    return SignedIn(name=caller.name, role=role, scopes=list(caller.scopes), until=until)


@router.delete("", status_code=204, responses=answers(403))
async def close_session(app: TheApp, request: Request, response: Response) -> None:
    """Sign out; harmless where nobody is signed in."""
    demand_same_site(app, request)
    name = cookie_name(request)
    if (token := request.cookies.get(name)) is not None:
        await sign_out(app, token)
    response.delete_cookie(name, path="/", secure=is_secure(request), httponly=True, samesite="strict")
