"""Who is calling, and may they: the API key of a request and its scopes. No endpoint is here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from understudy.app import App
from understudy.errors import Forbidden, Unauthenticated
from understudy.records.access import ApiKey, Scope
from understudy.web.feed import Feed
from understudy.web.keys import find_key

_bearer = HTTPBearer(auto_error=False, description="an API key, us_<id>_<secret>")


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


def needs(scope: Scope) -> Callable[..., Awaitable[ApiKey]]:
    """Make a dependency that lets only keys with this scope through."""

    async def check(app: TheApp, bearer: Bearer) -> ApiKey:
        if bearer is None:
            raise Unauthenticated
        key = await find_key(app.store, bearer.credentials, now=app.clock.now())
        if scope not in key.scopes:
            raise Forbidden(f"key {key.id} ({key.name}) lacks the scope {scope.value!r}")
        return key

    return check


TurnsWriter = Annotated[ApiKey, Depends(needs(Scope.TURNS_WRITE))]
TurnsReader = Annotated[ApiKey, Depends(needs(Scope.TURNS_READ))]
HoldsReader = Annotated[ApiKey, Depends(needs(Scope.HOLDS_READ))]
HoldsWriter = Annotated[ApiKey, Depends(needs(Scope.HOLDS_WRITE))]
AutonomyReader = Annotated[ApiKey, Depends(needs(Scope.AUTONOMY_READ))]
AutonomyWriter = Annotated[ApiKey, Depends(needs(Scope.AUTONOMY_WRITE))]
ReleasesReader = Annotated[ApiKey, Depends(needs(Scope.RELEASES_READ))]
ReleasesWriter = Annotated[ApiKey, Depends(needs(Scope.RELEASES_WRITE))]
LedgerReader = Annotated[ApiKey, Depends(needs(Scope.LEDGER_READ))]
