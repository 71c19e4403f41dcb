"""`/v1/session/oidc`: to the identity provider and back. Both are pages that a browser goes to, so a refusal is one, too.

Who may come in is decided in `records/admission.py`; what a session is stands in `sessions.py`.
"""

from __future__ import annotations

import logging
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from understudy.app import App
from understudy.errors import SignInRefused, TooManyTries
from understudy.ports.identity import Identity, IdentityProvider
from understudy.records.admission import Refusal
from understudy.web.attempts import COOKIE, HOME, LASTS, Begun, begin, place_in_the_console, taken_up
from understudy.web.auth import TheApp
from understudy.web.bodies import JsonRoute
from understudy.web.sessions import (
    BY_PROVIDER,
    address_of,
    cookie_name,
    count_try,
    is_secure,
    note_refusal,
    put_cookie,
    sign_in_as,
)

_log = logging.getLogger(__name__)

router = APIRouter(prefix="/v1/session", tags=["session"], route_class=JsonRoute)


class Ways(BaseModel):
    """How one may sign in here: whose passwords are taken, and what stands on the provider's button, if there is one."""

    password: Literal["all", "admins", "none"]
    provider: str | None


@router.get("/ways")
async def read_ways(app: TheApp) -> Ways:
    """Read how one may sign in here."""
    settings = app.settings.sign_in
    return Ways(password=settings.password, provider=None if settings.oidc is None else settings.oidc.label)


@router.get("/oidc", status_code=303, response_class=RedirectResponse)
async def go_to_provider(app: TheApp, request: Request, to: str = HOME) -> RedirectResponse:
    """Go to the identity provider; `to` is the place in the console (`#/…`) to come back to."""
    begun = begin(to, now=app.clock.now())
    try:
        await _count(app, request)
        address = await _provider(app).address(begun.attempt, back_to=_back_to(app, request))
    except (SignInRefused, TooManyTries) as error:
        return _refused(error, place_in_the_console(to))
    answer = RedirectResponse(address, status_code=303)
    answer.set_cookie(
        cookie_name(request, cookie=COOKIE),
        begun.cookie,
        max_age=int(LASTS.total_seconds()),
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get("/oidc/callback", status_code=303, response_class=RedirectResponse)
async def come_back(
    app: TheApp,
    request: Request,
    code: str | None = None,
    state: str | None = None,
    iss: str | None = None,
    error: str | None = None,
) -> RedirectResponse:
    """Come back from the identity provider; the answer sets the cookie that speaks for you from then on."""
    found = taken_up(request.cookies.get(cookie_name(request, cookie=COOKIE)), state=state, now=app.clock.now())
    place = found.place if isinstance(found, Begun) else HOME
    try:
        await _count(app, request)
        begun = _whole(app, found, iss=iss, error=error)
        identity = await _provider(app).redeem(code or "", begun.attempt, back_to=_back_to(app, request))
        answer = await _let_in(app, request, identity, place)
    except TooManyTries as problem:  # as with passwords, what is refused unseen is no entry: nobody fills the ledger
        answer = _refused(problem, place)
    except SignInRefused as problem:
        await note_refusal(app, problem)
        answer = _refused(problem, place)
    answer.delete_cookie(
        cookie_name(request, cookie=COOKIE), path="/", secure=is_secure(request), httponly=True, samesite="lax"
    )
    return answer


async def _let_in(app: App, request: Request, identity: Identity, place: str) -> RedirectResponse:
    """Open a session for somebody who is known beyond doubt, unless they may not come in."""
    found = await sign_in_as(app, identity)
    if isinstance(found, Refusal):
        return _refused(SignInRefused(f"{identity.subject!r} may not come in", why=found), place)
    answer = RedirectResponse(f"/console/{place}", status_code=303)
    put_cookie(answer, request, *found)
    return answer


def _whole(app: App, found: Begun | Refusal, *, iss: str | None, error: str | None) -> Begun:
    """The attempt, where what came back belongs to it and is no refusal; raises `SignInRefused`."""
    if isinstance(found, Refusal):
        raise SignInRefused("what came back is of no attempt of this browser, or of one too old", why=found)
    if iss is not None and iss != _provider(app).issuer:  # RFC 9207
        raise SignInRefused("what came back is from another issuer", why=Refusal.NOT_BEGUN_HERE)
    if error is not None:
        known = error if error.isidentifier() else "an error"
        raise SignInRefused(f"the provider answered {known[:60]}", why=Refusal.PROVIDER_REFUSED)
    return found


def _provider(app: App) -> IdentityProvider:
    if app.identity is None:
        raise SignInRefused("there is no [sign_in.oidc]", why=Refusal.NOT_CONFIGURED)
    return app.identity


async def _count(app: App, request: Request) -> None:
    await count_try(app, {BY_PROVIDER: address_of(request)})


def _back_to(app: App, request: Request) -> str:
    """Where the provider sends the browser back to; it takes only addresses that were registered with it."""
    here = app.settings.server.public_url or str(request.base_url)
    return f"{here.rstrip('/')}/v1/session/oidc/callback"


def _refused(error: SignInRefused | TooManyTries, place: str) -> RedirectResponse:
    """Lead to the console's page, which has a sentence for each reason."""
    why = error.why if isinstance(error, SignInRefused) else Refusal.TOO_MANY_TRIES.value
    _log.warning("sign-in refused (%s): %s", why, error.message)
    return RedirectResponse(f"/console/?refused={why}{place}", status_code=303)
