"""`/v1/pledges`: what was promised to customers; say that it is done, put off or withdrawn, or add what was promised elsewhere."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from understudy.app import App
from understudy.assessment.pledges import pledges_in
from understudy.records.pledges import UNKEPT, PledgeKind, PledgeState
from understudy.web.auth import HoldsReader, HoldsWriter, TheApp
from understudy.web.bodies import JsonRoute
from understudy.web.problems import answers
from understudy.web.shapes import PledgeOut, SaidPledgeOut
from understudy.web.views import pledge_view

router = APIRouter(prefix="/v1/pledges", tags=["review"], route_class=JsonRoute)

Later = Annotated[AwareDatetime, Field(strict=False)]


class PledgeList(BaseModel):
    """Promises to customers, the next due first."""

    items: list[PledgeOut]


class SaidPledges(BaseModel):
    """What a text promises."""

    items: list[SaidPledgeOut]


class TextBody(BaseModel):
    """A reply as it would be sent."""

    model_config = ConfigDict(strict=True, extra="forbid")

    text: str = Field(max_length=20_000)


class AddPledgeBody(BaseModel):
    """What was promised beside the messages, such as on the phone. `due_at` null: the usual time."""

    model_config = ConfigDict(strict=True, extra="forbid")

    conversation_id: str
    words: str = Field(min_length=1, max_length=1_000)
    kind: Annotated[PledgeKind, Field(strict=False)] = PledgeKind.DO
    due_at: Later | None = None


class KeepPledgeBody(BaseModel):
    """What was done, in words; kept with the promise."""

    model_config = ConfigDict(strict=True, extra="forbid")

    note: str | None = Field(None, max_length=1_000)


class WithdrawPledgeBody(BaseModel):
    """Why it need not be kept."""

    model_config = ConfigDict(strict=True, extra="forbid")

    note: str = Field(min_length=1, max_length=1_000)


class PutOffPledgeBody(BaseModel):
    """The new deadline, as agreed with the customer."""

    model_config = ConfigDict(strict=True, extra="forbid")

    due_at: Later


@router.get("", responses=answers(401, 403))
async def list_pledges(
    app: TheApp,
    _key: HoldsReader,
    state: Annotated[list[PledgeState] | None, Query(description="default: all that still have to be kept")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> PledgeList:
    """List promises to customers, the next due first."""
    listed = await app.pledges.listed(tuple(dict.fromkeys(state)) if state else UNKEPT, limit=limit)
    return PledgeList(items=[pledge_view(one) for one in listed])


@router.post("", status_code=201, responses=answers(401, 403, 404, 409))
async def add_pledge(body: AddPledgeBody, app: TheApp, key: HoldsWriter) -> PledgeOut:
    """Write down what was promised to a customer beside the messages; you answer for it."""
    added = await app.pledges.add(body.conversation_id, body.words, by=key.name, kind=body.kind, due_at=body.due_at)
    return pledge_view(added)


@router.post("/said", responses=answers(401, 403))
async def said_pledges(body: TextBody, app: TheApp, _key: HoldsReader) -> SaidPledges:
    """What a text would promise if it were sent now; nothing is kept of it."""
    return SaidPledges(items=said_in(app, body.text))


@router.post("/{pledge_id}/keep", responses=answers(401, 403, 404, 409, 412))
async def keep_pledge(pledge_id: str, body: KeepPledgeBody, app: TheApp, key: HoldsWriter) -> PledgeOut:
    """Say that it was done."""
    return pledge_view(await app.pledges.keep(pledge_id, by=key.name, note=body.note))


@router.post("/{pledge_id}/withdraw", responses=answers(401, 403, 404, 409, 412))
async def withdraw_pledge(pledge_id: str, body: WithdrawPledgeBody, app: TheApp, key: HoldsWriter) -> PledgeOut:
    """Say that it need not be kept, and why."""
    return pledge_view(await app.pledges.withdraw(pledge_id, by=key.name, note=body.note))


@router.post("/{pledge_id}/put_off", responses=answers(401, 403, 404, 409, 412))
async def put_off_pledge(pledge_id: str, body: PutOffPledgeBody, app: TheApp, key: HoldsWriter) -> PledgeOut:
    """Give it another deadline; one that was broken is open again."""
    return pledge_view(await app.pledges.put_off(pledge_id, by=key.name, due_at=body.due_at))


def said_in(app: App, text: str) -> list[SaidPledgeOut]:
    """What a text promises if it is sent now, in the business's own time zone."""
    said = pledges_in(text, app.clock.now(), app.settings.business.timezone)
    return [SaidPledgeOut(kind=one.kind, span=one.span, words=one.words, due_at=one.due_at) for one in said]
