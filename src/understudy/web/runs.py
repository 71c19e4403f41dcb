"""`/v1/evaluations/runs`: have servers run a suite against a version of an agent. What each does stands in `evaluation/`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from understudy.app import App
from understudy.errors import NotFound
from understudy.ports.store import Transaction
from understudy.records.spread import RunProgress
from understudy.records.suite import Trial
from understudy.web.auth import ReleasesReader, ReleasesWriter, TheApp
from understudy.web.bodies import JsonRoute
from understudy.web.problems import answers
from understudy.web.turns import IdempotencyKey

router = APIRouter(prefix="/v1/evaluations/runs", tags=["evaluations"], route_class=JsonRoute)


class RunIn(BaseModel):
    """Which suite is run against which version: an entry of `[agents]`, or a release that the configuration states.
    `trials` of each case; without, as the suite says."""

    model_config = ConfigDict(strict=True, extra="forbid")

    suite: str = Field(min_length=1, max_length=100)
    release: str = Field(min_length=1, max_length=200)
    trials: int | None = Field(None, ge=1, le=1_000)


class TrialPage(BaseModel):
    """Trials in the order of the run's plan, up to the first that is not made yet; `next` is the cursor of the page after."""

    items: list[Trial]
    next: int | None


@router.post("", responses=answers(401, 403, 404), status_code=202)
async def ask_run(body: RunIn, app: TheApp, key: ReleasesWriter, idempotency_key: IdempotencyKey = None) -> RunProgress:
    """Have a suite run. It is written down before the answer, and every process that has room makes its trials."""
    once = None if idempotency_key is None else (key.id, idempotency_key)
    return await app.asking.run(body.suite, _stated(app, body.release), trials=body.trials, by=key.name, once=once)


@router.get("", responses=answers(401, 403))
async def list_runs(
    app: TheApp,
    key: ReleasesReader,  # noqa: ARG001 - its dependency lets only readers through
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[RunProgress]:
    """List the runs that servers were asked for, those of gates too, the latest first, and how far each is."""
    return await app.asking.listed(limit=limit)


@router.get("/{run_id}", responses=answers(401, 403, 404))
async def get_run(
    run_id: str,
    app: TheApp,
    key: ReleasesReader,  # noqa: ARG001 - the same
) -> RunProgress:
    """Read how far a run is."""
    return await app.asking.progress(run_id)


@router.get("/{run_id}/trials", responses=answers(401, 403, 404))
async def list_trials(
    run_id: str,
    app: TheApp,
    key: ReleasesReader,  # noqa: ARG001 - the same
    cursor: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> TrialPage:
    """Read the results of a run."""

    def query(tx: Transaction) -> list[Trial]:
        tx.spread.get(run_id)
        return tx.spread.results(run_id, after=cursor, limit=limit)

    items = await app.store.read(query)
    return TrialPage(items=items, next=cursor + len(items) if len(items) == limit else None)


@router.delete("/{run_id}", responses=answers(401, 403, 404, 409))
async def give_up_run(run_id: str, app: TheApp, key: ReleasesWriter) -> RunProgress:
    """Begin no more trials of a run; those that were made stay. The runs of a gate are given up with it."""
    return await app.asking.give_up(run_id, by=key.name)


def _stated(app: App, name: str) -> str:
    """The version that a name means; raises `NotFound`, naming what there is."""
    for entry, one in app.stated.items():
        if name in (entry, one.id):
            return one.id
    there = ", ".join(f"{one.id} ({entry})" for entry, one in sorted(app.stated.items())) or "none"
    raise NotFound(f"the configuration states no version {name!r}; it states: {there}")
