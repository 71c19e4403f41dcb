"""`/v1/ledger`: read the audit log, search it and the turns it tells of, prove it, take it out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, AwareDatetime, BaseModel

from understudy.errors import Forbidden, InputError
from understudy.records.access import Scope
from understudy.records.assessment import DecisionKind
from understudy.records.trail import EntriesAsked, ExportAsked, Form, TurnsAsked, TurnSeen, What
from understudy.records.turn import TurnState
from understudy.web.auth import LedgerReader, TheApp
from understudy.web.bodies import SEQ_MAX
from understudy.web.decided import DecidedOut, decided
from understudy.web.problems import answers
from understudy.web.shapes import LedgerLine, LedgerPage
from understudy.web.views import ledger_view

router = APIRouter(prefix="/v1/ledger", tags=["ledger"])

VERIFIED_AT_ONCE_MAX = 20_000

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Nothing here is older or younger; moments beyond are as good as these, and leave room to look a little further."""


def _within_reach(moment: datetime) -> datetime:
    return min(max(moment, FIRST), LAST)


Moment = Annotated[AwareDatetime, AfterValidator(_within_reach)]
Since = Annotated[Moment | None, Query(description="from this moment on")]
Until = Annotated[Moment | None, Query(description="before this moment")]
Name = Annotated[str | None, Query(min_length=1, max_length=200)]
Before = Annotated[int | None, Query(ge=1, le=SEQ_MAX, description="go on further back: the `next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200)]


class FoundTurn(BaseModel):
    """A turn in a list. `decided`: who decided on it last. `asked` is the beginning of what the customer wrote last; `confidence` is in [0, 1]."""

    id: str
    position: int
    conversation_id: str
    channel: str
    topic: str | None
    state: TurnState
    decision: DecisionKind | None
    reasons: list[str]
    confidence: float | None
    customer: str | None
    asked: str | None
    created_at: datetime
    decided: DecidedOut | None


class FoundTurns(BaseModel):
    """Turns, the latest first. One look goes a bounded stretch back: `looked_back_to` says how far; with `next` there is more
    behind, also where no turn was found in this stretch."""

    items: list[FoundTurn]
    next: str | None
    looked_back_to: datetime | None


class FoundEntries(BaseModel):
    """Ledger entries, the latest first; `next` and `looked_back_to` are as in a list of turns."""

    items: list[LedgerLine]
    next: str | None
    looked_back_to: datetime | None


class ChainProofOut(BaseModel):
    """A stretch of the ledger whose hashes were computed again: entries `after` + 1 to `until` hold. `fault` says what is wrong
    with the one behind `until`; `head` is the latest entry; `hash` that of `until`."""

    after: int
    until: int
    head: int
    hash: str | None
    fault: str | None
    is_whole: bool


@router.get("", responses=answers(401, 403))
async def list_ledger(
    app: TheApp,
    key: LedgerReader,  # noqa: ARG001 - its dependency lets only auditors through
    cursor: Annotated[int, Query(ge=0, le=SEQ_MAX)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> LedgerPage:
    """Read the audit log in order; each entry's hash covers it and the entry before."""
    entries = await app.store.read(lambda tx: tx.ledger.entries(after=cursor, limit=limit))
    items = [ledger_view(entry) for entry in entries]
    return LedgerPage(items=items, next=str(items[-1].seq) if len(items) == limit else None)


@router.get("/entries", responses=answers(401, 403))
async def search_entries(
    app: TheApp,
    key: LedgerReader,  # noqa: ARG001 - the same
    since: Since = None,
    until: Until = None,
    event: Name = None,
    actor: Name = None,
    turn: Name = None,
    conversation: Name = None,
    before: Before = None,
    limit: Limit = 100,
) -> FoundEntries:
    """Search the audit log, the latest entries first."""
    asked = EntriesAsked(since=since, until=until, event=event, actor=actor, turn_id=turn, conversation_id=conversation)
    found = await app.audit.entries(asked, before=before, limit=limit)
    return FoundEntries(
        items=[ledger_view(entry) for entry in found.entries],
        next=None if found.next is None else str(found.next),
        looked_back_to=found.looked_back_to,
    )


@router.get("/turns", responses=answers(401, 403, 404))
async def search_turns(
    app: TheApp,
    key: LedgerReader,  # noqa: ARG001 - the same
    since: Since = None,
    until: Until = None,
    turn: Name = None,
    conversation: Name = None,
    customer: Annotated[
        str | None, Query(min_length=1, max_length=200, description="part of a name, an e-mail address or a number")
    ] = None,
    words: Annotated[
        str | None, Query(min_length=1, max_length=200, description="all of them were said, or were to be said")
    ] = None,
    channel: Name = None,
    topic: Name = None,
    decision: DecisionKind | None = None,
    state: TurnState | None = None,
    before: Before = None,
    limit: Limit = 50,
) -> FoundTurns:
    """Search turns, the latest first."""
    asked = TurnsAsked(
        since=since,
        until=until,
        turn_id=turn,
        conversation_id=conversation,
        customer=customer,
        words=words,
        channel=channel,
        topic=topic,
        decision=decision,
        state=state,
    )
    found = await app.audit.turns(asked, before=before, limit=limit)
    by = await app.store.read(lambda tx: [decided(tx, one.turn) for one in found.turns])
    return FoundTurns(
        items=[_row(one, who) for one, who in zip(found.turns, by, strict=True)],
        next=None if found.next is None else str(found.next),
        looked_back_to=found.looked_back_to,
    )


@router.get("/verification", responses=answers(401, 403))
async def verify_ledger(
    app: TheApp,
    key: LedgerReader,  # noqa: ARG001 - the same
    after: Annotated[int, Query(ge=0, le=SEQ_MAX, description="begin behind this entry")] = 0,
    limit: Annotated[int, Query(ge=1, le=VERIFIED_AT_ONCE_MAX)] = 10_000,
) -> ChainProofOut:
    """Compute the hashes of a stretch of the audit log again; go on behind `until` until `is_whole`."""
    proof = await app.audit.prove_chain(after=after, limit=limit)
    return ChainProofOut(
        after=proof.after,
        until=proof.until,
        head=proof.head,
        hash=proof.hash,
        fault=proof.fault,
        is_whole=proof.is_whole,
    )


@router.get("/export", response_class=StreamingResponse, responses=answers(401, 403))
async def export(
    app: TheApp,
    key: LedgerReader,
    what: What = What.TURNS,
    form: Form = Form.JSONL,
    since: Since = None,
    until: Until = None,
    unmasked: Annotated[
        bool, Query(description="with customers' data as it is; needs ledger:unmasked and a reason")
    ] = False,
    reason: Annotated[str, Query(max_length=500, description="why it is taken out; the ledger keeps it")] = "",
) -> StreamingResponse:
    """Take turns, or entries of the audit log, out as CSV or lines of JSON, customers' data masked. The ledger notes who did."""
    if unmasked and Scope.LEDGER_UNMASKED not in key.scopes:
        raise Forbidden(f"{key.name} ({key.id}) lacks the scope {Scope.LEDGER_UNMASKED.value!r}")
    if unmasked and not reason.strip():
        raise InputError("reason: say why customers' data is taken out unmasked; the ledger keeps it")
    asked = ExportAsked(what=what, form=form, since=since, until=until, is_masked=not unmasked, reason=reason.strip())
    pieces = await app.audit.export(asked, actor=key.name)
    kind = "text/csv; charset=utf-8" if form is Form.CSV else "application/jsonl; charset=utf-8"
    name = f"understudy-{what.value}-{app.clock.now():%Y%m%d-%H%M%S}{'-unmasked' if unmasked else ''}.{form.value}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(pieces, media_type=kind, headers=headers)


def _row(one: TurnSeen, who: DecidedOut | None) -> FoundTurn:
    turn = one.turn
    return FoundTurn(
        id=turn.id,
        position=turn.position,
        conversation_id=turn.conversation_id,
        channel=turn.channel,
        topic=turn.topic,
        state=turn.state,
        decision=turn.decision,
        reasons=list(turn.reasons),
        confidence=turn.confidence,
        customer=one.customer,
        asked=one.asked,
        created_at=turn.created_at,
        decided=who,
    )
