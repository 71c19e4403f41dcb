"""`/v1/turns/{turn_id}/case`: a turn, or the conversation up to it, becomes a case of a suite, from wherever people see
that it went wrong."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from understudy.records.suite import CaseKind, CaseRule
from understudy.web.auth import HoldsWriter, TheApp
from understudy.web.bodies import JsonRoute
from understudy.web.problems import answers

router = APIRouter(prefix="/v1/turns", tags=["turns"], route_class=JsonRoute)


class CaseIn(BaseModel):
    """Where the case belongs. `kind` conversation: of all up to this turn, its customer played by a script. `write` false:
    only show it, to be put into a repository by hand."""

    model_config = ConfigDict(strict=True, extra="forbid")

    suite: str = Field("history", min_length=1, max_length=100)
    kind: CaseKind = Field(CaseKind.TURN, strict=False)
    rule: CaseRule | None = Field(None, strict=False)
    tags: list[Annotated[str, Field(max_length=100)]] = Field([], max_length=20)
    write: bool = True


class CaseOut(BaseModel):
    """A case: its id, its file as text, where it was written; or the case that asks the same and fails alike."""

    case: str
    text: str
    file: str | None
    duplicate_of: str | None


@router.post("/{turn_id}/case", responses=answers(401, 403, 404, 409))
async def add_case(turn_id: str, body: CaseIn, app: TheApp, key: HoldsWriter) -> CaseOut:
    """Make a case of a turn or its conversation, personal data masked, and write it into the server's folder of suites."""
    added = await app.casebook.add(
        turn_id,
        body.suite,
        actor=key.name,
        kind=body.kind,
        rule=body.rule,
        tags=tuple(body.tags),
        write=body.write,
    )
    return CaseOut(
        case=added.case.id,
        text=added.text,
        file=None if added.file is None else added.file.name,
        duplicate_of=added.duplicate_of,
    )
