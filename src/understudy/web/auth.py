"""Who is calling, and may they: the API key or the session of a request, and its scopes. No endpoint is here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from understudy.app import App
from understudy.errors import Forbidden, Unauthenticated
from understudy.records.access import Caller, Scope
from understudy.web.feed import Feed
from understudy.web.keys import find_key
from understudy.web.sessions import COOKIE, caller_signed_in

_bearer = HTTPBearer(auto_error=False, description="an API key, us_<id>_<secret>")
_cookie = APIKeyCookie(
    name=COOKIE, auto_error=False, description="who signed in at POST /v1/session; over HTTPS with __Host- before it"
)


async def app_of(request: Request) -> App:
    """The product behind this server."""
    app: App = request.app.state.understudy
    return app


async def feed_of(request: Request) -> Feed:
    """News of commits in this process."""
    feed: Feed = request.app.state.feed
    return feed


TheApp = Annotated[App, Depends(app_of)]
TheFeed = Annotated[Feed, Depends(feed_of)]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def caller_of(
    app: TheApp,
    request: Request,
    bearer: Bearer,
    _described: Annotated[str | None, Depends(_cookie)] = None,
) -> Caller:
    """Who asks, by API key or, without one, by the session of a cookie; raises `Unauthenticated` and `CrossSite`."""
    if bearer is None:
        return await caller_signed_in(app, request)
    key = await find_key(app.store, bearer.credentials, now=app.clock.now())
    return Caller(id=key.id, name=key.name, scopes=key.scopes)


Anybody = Annotated[Caller, Depends(caller_of)]


async def whose(app: App, request: Request) -> Caller:
    """Who asks, where no dependency says it; raises as `caller_of`."""
    return await caller_of(app, request, await _bearer(request))


async def still_may(app: App, request: Request, scope: Scope) -> bool:
    """Whether whoever opened a stream may still have it: their key was not revoked, nor were they signed out."""
    try:
        return scope in (await whose(app, request)).scopes
    except (Unauthenticated, Forbidden):
        return False


def needs(scope: Scope) -> Callable[..., Awaitable[Caller]]:
    """Make a dependency that lets only callers with this scope through."""

    async def check(caller: Anybody) -> Caller:
        if scope not in caller.scopes:
            raise Forbidden(f"{caller.name} ({caller.id}) lacks the scope {scope.value!r}")
        return caller

    return check


TurnsWriter = Annotated[Caller, Depends(needs(Scope.TURNS_WRITE))]
TurnsReader = Annotated[Caller, Depends(needs(Scope.TURNS_READ))]
HoldsReader = Annotated[Caller, Depends(needs(Scope.HOLDS_READ))]
HoldsWriter = Annotated[Caller, Depends(needs(Scope.HOLDS_WRITE))]
AutonomyReader = Annotated[Caller, Depends(needs(Scope.AUTONOMY_READ))]
AutonomyWriter = Annotated[Caller, Depends(needs(Scope.AUTONOMY_WRITE))]
ReleasesReader = Annotated[Caller, Depends(needs(Scope.RELEASES_READ))]
ReleasesWriter = Annotated[Caller, Depends(needs(Scope.RELEASES_WRITE))]
UsersWriter = Annotated[Caller, Depends(needs(Scope.USERS_WRITE))]
LedgerReader = Annotated[Caller, Depends(needs(Scope.LEDGER_READ))]
MetricsReader = Annotated[Caller, Depends(needs(Scope.METRICS_READ))]
Eraser = Annotated[Caller, Depends(needs(Scope.CONTACTS_ERASE))]
UpkeepWriter = Annotated[Caller, Depends(needs(Scope.UPKEEP_WRITE))]
