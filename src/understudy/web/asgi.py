"""The HTTP server: routes, limits, security headers, health. It parses, authorises, calls and renders; no rule is here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from understudy import __version__
from understudy.app import App
from understudy.errors import UnderstudyError
from understudy.records.access import Scope
from understudy.records.wire import DraftIn, TurnRecord
from understudy.web import (
    actions,
    alike,
    autonomy,
    cases,
    chat,
    console,
    contacts,
    conversations,
    desk,
    events,
    health,
    history,
    holds,
    ledger,
    openai_face,
    outbox,
    people,
    pledges,
    problems,
    quality,
    queue,
    releases,
    reviewers,
    runs,
    signing_in,
    signing_in_elsewhere,
    story,
    suites,
    teams,
    turns,
    webhooks,
)
from understudy.web.auth import Bearer, caller_of, needs
from understudy.web.compressing import Compressing
from understudy.web.edge import Edge
from understudy.web.feed import Feed
from understudy.web.mcp_face import PATH as TOOLS_PATH
from understudy.web.mcp_face import OverHttp

READY_WITHIN_S = 2.0
PARTS = (
    *(turns, story, cases, openai_face),
    *(signing_in, signing_in_elsewhere, people),
    *(queue, alike, holds, history, conversations, desk, teams, contacts, pledges),
    *(autonomy, releases, suites, runs, reviewers, quality),
    *(events, ledger, health, outbox, actions),
    *(webhooks, chat, console),
)
"""Whatever has routes; the API's description names them in this order."""


def create(app: App) -> FastAPI:
    """Put the HTTP faces on a built product; its lifespan starts and stops it."""
    feed = Feed()
    app.process.serves = True
    tools = OverHttp(app) if app.settings.server.mcp else None

    @asynccontextmanager
    async def lifespan(_api: FastAPI) -> AsyncIterator[None]:
        feed.open()
        app.store.subscribe(feed.heard)
        app.dispatcher.subscribe(feed.heard_elsewhere)
        await app.start()
        try:
            async with nullcontext() if tools is None else tools.running:
                yield
        finally:
            feed.close()
            await app.stop()

    api = FastAPI(
        title="Understudy",
        version=__version__,
        summary="A reliability layer between an AI agent and your customers.",
        lifespan=lifespan,
        strict_content_type=False,  # callers are known by their bearer token; a missing header is no forgery
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False},
    )
    api.state.understudy = app
    api.state.feed = feed
    problems.install(api)
    for part in PARTS:
        api.include_router(part.router, responses=problems.answers(*problems.ANYWHERE))
    if tools is not None:
        api.router.routes.append(Route(TOOLS_PATH, endpoint=tools, include_in_schema=False))
    _add_health(api, app)
    _add_schemas(api)
    _watch_sizes(app)

    stack = api.build_middleware_stack
    api.build_middleware_stack = lambda: webhooks.WebhooksFirst(stack(), app=app)  # type: ignore[method-assign]
    api.add_middleware(Compressing)
    api.add_middleware(Edge, body_bytes_max=app.settings.limits.body_bytes_max)
    return api


def _add_health(api: FastAPI, app: App) -> None:
    @api.get("/healthz", tags=["observe"])
    async def healthz() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "ok", "version": __version__}

    @api.get("/readyz", tags=["observe"], responses=problems.answers(503))
    async def readyz() -> JSONResponse:
        """Say whether this process can take messages: the store answers in time."""
        try:
            backlog = await asyncio.wait_for(app.store.read(lambda tx: tx.turns.backlog()), READY_WITHIN_S)
        except (UnderstudyError, TimeoutError) as error:
            return problems.problem("not-ready", 503, f"the store does not answer: {error or 'timed out'}")
        if backlog >= app.settings.limits.backlog_max:
            return problems.problem("overloaded", 503, f"{backlog} turns are waiting (limits.backlog_max)")
        return JSONResponse({"status": "ready", "backlog": backlog})

    @api.get("/metrics", tags=["observe"], response_class=PlainTextResponse, responses=problems.answers(401, 403))
    async def metrics(request: Request, bearer: Bearer) -> Response:
        """Metrics in the Prometheus text format."""
        if app.settings.server.metrics_need_key:
            await needs(Scope.METRICS_READ)(await caller_of(app, request, bearer))
        body = await asyncio.to_thread(app.metrics.render)
        return Response(body, media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_schemas(api: FastAPI) -> None:
    @api.get("/v1/schemas/draft", tags=["reference"])
    async def draft_schema() -> dict[str, Any]:
        """The JSON Schema of what `POST /draft` must answer."""
        return DraftIn.model_json_schema()

    @api.get("/v1/schemas/turn-record", tags=["reference"])
    async def turn_record_schema() -> dict[str, Any]:
        """The JSON Schema of a turn record."""
        return TurnRecord.model_json_schema()


def _watch_sizes(app: App) -> None:
    app.metrics.watch(
        "backlog", "Turns waiting for this system", lambda: app.store.read_now(lambda tx: tx.turns.backlog())
    )
    app.metrics.watch(
        "holds_open", "Holds waiting for people", lambda: app.store.read_now(lambda tx: tx.holds.count_open())
    )
