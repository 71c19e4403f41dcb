"""`/v1/quality` and `/v1/insights`: figures of how customers are answered, and what goes wrong by topic.

Figures say how a lead's people and agent do, so they need `autonomy:read`, which reviewers have not: a narrow enough
figure is a colleague's verdict. The turns behind a cell are turns, and need `turns:read`. A planted draft stands among
them as one that waits, and is in no figure.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from understudy.errors import InputError
from understudy.ports.store import Transaction
from understudy.records.access import Caller
from understudy.records.assessment import DecisionKind
from understudy.records.conversation import Author
from understudy.records.quality import Bucket, Csat, Insights, Part, Quality, Window
from understudy.records.resolution import Resolution
from understudy.records.turn import Turn, TurnState
from understudy.records.win_back import WinBackFigures
from understudy.web.auth import AutonomyReader, TheApp, TurnsReader
from understudy.web.blind import second_of_turn
from understudy.web.bodies import SEQ_MAX
from understudy.web.decided import DecidedOut, decided, sent_at
from understudy.web.problems import answers
from understudy.web.views import AFTERWARDS

router = APIRouter(prefix="/v1", tags=["quality"])

ASKED_CHARS = 300

From = Annotated[
    datetime | None, Query(alias="from", description="with a time zone; 28 days before `to` where it is left out")
]
To = Annotated[datetime | None, Query(description="with a time zone; now where it is left out")]
Name = Annotated[str | None, Query(max_length=200)]
Topic = Annotated[str | None, Query(max_length=200, description="an empty one stands for turns without a topic")]


def _over(since: From = None, to: To = None) -> Window:
    """The time that figures are about."""
    return Window(since=since, until=to)


def _of(topic: Topic = None, channel: Name = None, release: Name = None) -> Part:
    """The turns that figures are about."""
    return Part(topic=topic, channel=channel, release=release)


Over = Annotated[Window, Depends(_over)]
Of = Annotated[Part, Depends(_of)]


class TurnBehind(BaseModel):
    """A turn behind a cell. `asked`: the beginning of what the customer wrote last; `hold_id`: what waits for a person of it;
    `decided`: who decided on it last; `sent_at`: when a channel took its last reply."""

    id: str
    conversation_id: str
    topic: str | None
    channel: str
    release: str | None
    decision: DecisionKind | None
    state: TurnState
    reasons: list[str]
    findings: list[str]
    confidence: float | None
    decided_at: datetime
    customer: str | None
    asked: str | None
    hold_id: str | None
    decided: DecidedOut | None
    sent_at: datetime | None


class TurnsBehind(BaseModel):
    """A page of turns, the latest first; ask for the next with `cursor` = `next`."""

    items: list[TurnBehind]
    next: str | None


@router.get("/quality", responses=answers(401, 403))
async def read_quality(
    app: TheApp,
    key: AutonomyReader,  # noqa: ARG001 - its dependency lets only readers through
    over: Over,
    of: Of,
    bucket: Bucket = Bucket.DAY,
) -> Quality:
    """Read how customers were answered, with intervals and changes: in all, over time, by topic, channel and release."""
    return await app.quality.quality(over, of, bucket)


@router.get("/quality/csat", responses=answers(401, 403))
async def read_csat(
    app: TheApp,
    key: AutonomyReader,  # noqa: ARG001 - its dependency lets only readers through
    over: Over,
    channel: Name = None,
) -> Csat:
    """Read what customers said who were asked how it was, about what the agent answered alone and about people's answers."""
    return await app.quality.csat(over, channel)


@router.get("/quality/resolution", responses=answers(401, 403))
async def read_resolution(
    app: TheApp,
    key: AutonomyReader,  # noqa: ARG001 - its dependency lets only readers through
    over: Over,
    of: Of,
    within_days: Annotated[
        float,
        Query(gt=0, le=90, description="a customer who writes about the same topic within so many days came back"),
    ] = 7,
) -> Resolution:
    """Read how customers' matters ended, by who gave the last answer: confirmed, assumed, came back, complained; in a time that is
    about the answers, of which those of the last `within_days` days are too early to count."""
    return await app.quality.resolution(over, of, within_days=within_days)


@router.get("/quality/win_back", responses=answers(401, 403))
async def read_win_back(
    app: TheApp,
    key: AutonomyReader,  # noqa: ARG001 - its dependency lets only readers through
    over: Over,
    within_days: Annotated[float, Query(gt=0, le=90, description="what followed within so many days counts")] = 14,
) -> WinBackFigures:
    """Read what followed what had reached customers badly: whether they came back about the same and what they said when they were
    next asked, where a person wrote to them after it and where nobody did."""
    return await app.quality.win_back(over, within_days=within_days)


@router.get("/insights", responses=answers(401, 403))
async def read_insights(
    app: TheApp,
    key: AutonomyReader,  # noqa: ARG001 - its dependency lets only readers through
    over: Over,
    channel: Name = None,
    release: Name = None,
) -> Insights:
    """Read what goes wrong, by topic: how many turns show each failure mode."""
    return await app.quality.insights(over, Part(channel=channel, release=release))


@router.get("/insights/turns", responses=answers(401, 403))
async def list_turns_behind(
    app: TheApp,
    key: TurnsReader,
    over: Over,
    of: Of,
    mode: Annotated[
        str | None,
        Query(max_length=200, description="as `/v1/insights` names it; left out: all turns, whatever they show"),
    ] = None,
    cursor: Annotated[str | None, Query(max_length=60)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 25,
) -> TurnsBehind:
    """List the turns behind a cell of `/v1/insights`, the latest first: what was asked, who decided and when it was sent.

    A turn of which the caller may give a second review is left out.
    """
    before = None if cursor is None else _place(cursor)
    asked = app.quality.behind(over, of, mode, before=before, limit=limit)

    def query(tx: Transaction) -> TurnsBehind:
        found = tx.failures.turns_with(asked)
        items = [shown for turn in found if (shown := _shown(tx, key, turn)) is not None]
        return TurnsBehind(items=items, next=_cursor(found[-1]) if len(found) == limit else None)

    return await app.store.read(query)


def _shown(tx: Transaction, key: Caller, turn: Turn) -> TurnBehind | None:
    """A turn as a line; None where its caller may give a second review of it, or may not see what waits of it."""
    if turn.decided_at is None or second_of_turn(tx, key, turn.id) is not None:
        return None
    waiting = [hold for hold in tx.holds.open_of_turn(turn.id) if hold.kind not in AFTERWARDS]
    if any(tx.reviews.is_barred(hold.id, key.name) for hold in waiting):
        return None
    messages = [one for one in tx.messages.of_turn(turn.id) if one.author is Author.CUSTOMER]
    contact = tx.contacts.get(tx.conversations.get(turn.conversation_id).contact_id)
    return TurnBehind(
        id=turn.id,
        conversation_id=turn.conversation_id,
        topic=turn.topic,
        channel=turn.channel,
        release=turn.agent_version,
        decision=turn.decision,
        state=TurnState.HELD if turn.state is TurnState.PLANTED else turn.state,
        reasons=list(turn.reasons),
        findings=list(turn.findings),
        confidence=turn.confidence,
        decided_at=turn.decided_at,
        customer=contact.name,
        asked=messages[-1].text[:ASKED_CHARS] if messages else None,
        hold_id=waiting[0].id if waiting else None,
        decided=decided(tx, turn),
        sent_at=sent_at(tx, turn.id),
    )


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _cursor(turn: Turn) -> str:
    assert turn.decided_at is not None, "only decided turns are listed"
    return f"{(turn.decided_at - _EPOCH) // timedelta(microseconds=1)}-{turn.position}"


def _place(cursor: str) -> tuple[datetime, int]:
    at, _, position = cursor.partition("-")
    try:
        moment, place = _EPOCH + timedelta(microseconds=int(at)), int(position)
    except (ValueError, OverflowError):
        raise InputError(f"cursor {cursor!r} is none; leave it out, or give what `next` said") from None
    if not 0 <= place <= SEQ_MAX:
        raise InputError(f"cursor {cursor!r} is none; leave it out, or give what `next` said")
    return moment, place
