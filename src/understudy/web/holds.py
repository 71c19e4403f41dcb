"""`/v1/holds`: the queue, claims and verdicts. What a verdict does stands in `review/`."""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from understudy.app import App
from understudy.errors import MalformedInput
from understudy.ports.store import Transaction
from understudy.records.access import Caller, Scope
from understudy.records.acting import ActionChoice
from understudy.records.codec import canonical
from understudy.records.pledges import PledgeChoice
from understudy.records.review import Hold, HoldKind, HoldState, VerdictKind, VerdictRequest
from understudy.web.auth import HoldsReader, HoldsWriter, TheApp
from understudy.web.blind import hold_for
from understudy.web.bodies import SEQ_MAX, JsonRoute, read_json
from understudy.web.pledges import said_in
from understudy.web.problems import answers, problem
from understudy.web.shapes import HoldDetail, HoldPage, TakenBack, VerdictOut
from understudy.web.views import disclosure_view, hold_view, summary_of, turn_view
from understudy.web.win_back_shown import win_back_of_hold

router = APIRouter(prefix="/v1/holds", tags=["review"], route_class=JsonRoute)


class ActionVerdict(BaseModel):
    """What is made of one proposed action: it is let through, with its own `arguments` or with these, or dropped."""

    model_config = ConfigDict(strict=True, extra="forbid")

    id: str = Field(max_length=250)
    let_through: bool
    arguments: dict[str, Any] | None = None


class PledgeVerdict(BaseModel):
    """What you make of something the draft promises, known by its words: another time for it, or that it is no promise."""

    model_config = ConfigDict(strict=True, extra="forbid")

    words: str = Field(min_length=1, max_length=1_000)
    due_at: Annotated[AwareDatetime | None, Field(strict=False)] = None
    is_none: bool = False


class VerdictBody(BaseModel):
    """A reviewer's verdict. *edit* and *respond* need `text`; `severity` in [0, 1], 0 cosmetic … 1 reject; `topic` says
    what the turn is about, so that topics are recognised better from then on. Of the `actions` that are not named *approve*
    and *edit* let through all, the others none. With `undo_s` > 0 the verdict waits for so
    long, at most `review.undo_s` of the settings, and can be taken back meanwhile; *take_over* never waits. *respond* and
    *take_over* make the conversation yours: where another person has it, `take_from` must name them."""

    model_config = ConfigDict(strict=True, extra="forbid")

    action: VerdictKind = Field(strict=False)
    text: str | None = None
    reasons: list[Annotated[str, Field(max_length=200)]] = Field([], max_length=20)
    severity: float | None = Field(None, ge=0, le=1)
    topic: str | None = Field(None, min_length=1, max_length=200)
    actions: list[ActionVerdict] = Field([], max_length=50)
    pledges: list[PledgeVerdict] = Field([], max_length=20)
    undo_s: float = Field(0, ge=0, le=120)
    take_from: str | None = Field(None, min_length=1, max_length=200)


@router.get("", responses=answers(401, 403))
async def list_holds(
    app: TheApp,
    key: HoldsReader,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    state: HoldState | None = HoldState.OPEN,
) -> HoldPage:
    """List the holds that you may decide on in queue order: priority first, then age."""
    after = None if cursor is None else _position(cursor)

    def query(tx: Transaction) -> list[Hold]:
        page = tx.holds.queue(state=state, after=after, limit=limit, reader=key.name)
        return [hold_for(tx, key, hold) for hold in page]

    items = await app.store.read(query)
    return HoldPage(items=items, next=_cursor(items[-1]) if len(items) == limit else None)


@router.get("/{hold_id}", responses=answers(401, 403, 404))
async def get_hold(
    hold_id: str,
    app: TheApp,
    key: HoldsReader,
    response: Response,
) -> HoldDetail:
    """Read a hold with its turn and conversation; the ETag is its version."""
    detail = await app.store.read(lambda tx: _shown(tx, app, hold_view(tx, hold_id, reader=key), key))
    if detail.hold.kind is HoldKind.DRAFT and detail.turn.draft is not None:
        detail.draft_pledges = said_in(app, detail.turn.draft.text)
    response.headers["ETag"] = f'"{detail.hold.version}"'
    return detail


@router.post("/{hold_id}/claim", responses=answers(401, 403, 404, 409))
async def claim_hold(hold_id: str, app: TheApp, key: HoldsWriter) -> Hold:
    """Take a hold for a while; repeat it as a heartbeat."""
    return await app.holds.claim(hold_id, reviewer=key.name)


@router.post("/{hold_id}/release", responses=answers(401, 403, 404, 409))
async def release_hold(hold_id: str, app: TheApp, key: HoldsWriter) -> Hold:
    """Give a claim back."""
    return await app.holds.release(hold_id, reviewer=key.name)


@router.post("/{hold_id}/verdict", responses=answers(401, 403, 404, 409, 412, 428), response_model=VerdictOut)
async def give_verdict(
    hold_id: str,
    body: VerdictBody,
    app: TheApp,
    key: HoldsWriter,
    if_match: Annotated[str | None, Header(description='the hold\'s version as you saw it, e.g. "3"')] = None,
) -> VerdictOut | JSONResponse:
    """Decide on a hold. A verdict on an older version than the stored one is refused and sends nothing."""
    if if_match is None:
        return problem(
            "precondition-required", 428, "send If-Match with the hold's version, so that a stale verdict is seen"
        )
    request = VerdictRequest(
        hold_id=hold_id,
        version=_version(if_match),
        kind=body.action,
        reviewer=key.name,
        text=body.text,
        reasons=tuple(body.reasons),
        severity=body.severity,
        topic=body.topic,
        actions=tuple(
            ActionChoice(
                id=one.id,
                is_approved=one.let_through,
                arguments=None if one.arguments is None else canonical(one.arguments),
            )
            for one in body.actions
        ),
        as_lead=Scope.ACTIONS_APPROVE in key.scopes,
        pledges=tuple(PledgeChoice(words=one.words, due_at=one.due_at, is_none=one.is_none) for one in body.pledges),
        take_from=body.take_from,
    )
    undo_s = 0.0 if body.action is VerdictKind.TAKE_OVER else min(body.undo_s, app.settings.review.undo_s)
    undo_until = None
    if undo_s > 0:
        verdict, undo_until = await app.verdicts.give_later(request, undo_s=undo_s)
    else:
        verdict = await app.verdicts.give(request)
    turn = await app.store.read(lambda tx: turn_view(tx, tx.turns.get(verdict.turn_id), reader=key))
    return VerdictOut(verdict=verdict, turn=turn, undo_until=undo_until)


@router.delete("/{hold_id}/verdict", responses=answers(401, 403, 404, 409))
async def take_verdict_back(hold_id: str, app: TheApp, key: HoldsWriter) -> TakenBack:
    """Take your verdict back while it waits; the hold is open again, at a new version and claimed by you."""
    lease_s = app.settings.review.claim_lease_s
    hold, verdict = await app.verdicts.take_back(hold_id, reviewer=key.name, claim_lease_s=lease_s)
    return TakenBack(hold=hold, verdict=verdict)


def _shown(tx: Transaction, app: App, detail: HoldDetail, reader: Caller) -> HoldDetail:
    """A draft on hold with what it will tell of the AI that wrote it, so that a reviewer sees all that will be sent; a hand-off
    with its summary, so that the customer need not say anything twice."""
    hold, draft = detail.hold, detail.turn.draft
    if hold.kind is HoldKind.HAND_OFF:
        said = summary_of(tx, tx.turns.get(hold.turn_id), hold.reasons, app.clock.now(), reader, hold_id=hold.id)
        return detail.model_copy(update={"summary": said})
    if hold.kind is HoldKind.WIN_BACK:
        return detail.model_copy(update={"win_back": win_back_of_hold(tx, hold, reader)})
    if hold.kind is not HoldKind.DRAFT or draft is None:
        return detail
    due = app.disclosing.due(tx, hold.conversation_id, detail.conversation.channel, draft.text, app.clock.now())
    return detail.model_copy(update={"disclosure": disclosure_view(due)})


def _version(if_match: str) -> int:
    form = re.fullmatch(r'(?:W/)?("?)([0-9]{1,9})\1', if_match.strip())
    if form is None:
        raise MalformedInput(f'If-Match: {if_match[:80]!r} is no version; send the hold\'s version as "3"')
    return int(form[2])


def _cursor(hold: Hold) -> str:
    place = [hold.priority, hold.created_at.isoformat(), hold.id]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _position(cursor: str) -> tuple[int, datetime, str]:
    try:
        priority, created_at, hold_id = read_json(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(created_at)
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        if not -SEQ_MAX <= int(priority) <= SEQ_MAX:
            raise ValueError("no priority")
        return int(priority), moment, str(hold_id)
    except (ValueError, TypeError, MalformedInput) as error:
        raise MalformedInput(f"cursor {cursor!r} is none of ours; leave it out to begin from the start") from error
