"""`/v1/evaluations/suites`: the suites that this server can have run; cases are read and edited as files."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from understudy.web.auth import ReleasesReader, TheApp
from understudy.web.problems import answers

router = APIRouter(prefix="/v1/evaluations/suites", tags=["evaluations"])


class SuiteOut(BaseModel):
    """A suite. `checksum` names the content of its cases; `is_of_gate`: a release has to pass it; `problem`: why it cannot be
    read, in which case it counts no cases."""

    name: str
    cases: int
    checksum: str
    is_of_gate: bool
    problem: str | None


@router.get("", responses=answers(401, 403))
async def list_suites(app: TheApp, key: ReleasesReader) -> list[SuiteOut]:  # noqa: ARG001 - its dependency lets only readers through
    """List the suites in the server's folder, by name."""
    gate = app.asking.of_the_gate
    return [
        SuiteOut(
            name=one.name, cases=one.cases, checksum=one.checksum, is_of_gate=one.name in gate, problem=one.problem
        )
        for one in await app.casebook.suites()
    ]
