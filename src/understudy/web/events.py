"""`/v1/events`: what happens, live, out of the append-only ledger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from understudy.ports.store import Transaction
from understudy.records.access import Caller, Scope
from understudy.records.ledger import LedgerEntry
from understudy.web.auth import HoldsReader, TheApp, TheFeed, still_may
from understudy.web.blind import tells
from understudy.web.bodies import SEQ_MAX
from understudy.web.feed import EVERYTHING, Silence
from understudy.web.problems import answers
from understudy.web.views import ledger_view

router = APIRouter(prefix="/v1", tags=["observe"])

BATCH = 200
ASKED_AGAIN_S = 10.0
"""How long a stream goes on, at most, once its key was revoked or its user signed out."""

BEFORE_THE_DECISION = frozenset(
    {
        "message.received",
        "turn.drafting",
        "turn.gathering",
        "agent.asked",
        "turn.drafted",
        "opinions.asked",
        "rulebook.added",
        "turn.gathered",
    }
)
"""Steps that a planted draft never took: who hears them would know it by their absence."""
NOT_THEIRS = frozenset({"seed", "review", "reviewer", "label", "user", "session", "ledger"})
"""First words of the events that tell how reviews are looked at, who signs in, and what auditors take out."""
OF_TRIALS = frozenset({"trial"})
"""And of those that come by the thousand while a gate runs, and concern no customer."""


@router.get("/events", response_class=EventSourceResponse, responses=answers(401, 403))
async def stream_events(
    app: TheApp,
    feed: TheFeed,
    key: HoldsReader,
    request: Request,
    last_event_id: Annotated[int | None, Header(ge=0, le=SEQ_MAX)] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Stream ledger events as they are committed; resumes after `Last-Event-ID`, else begins with the next.

    A key without `ledger:read` hears of a turn from its decision on, and not of what is known of reviews, nor of what
    the first reviewer said of a draft that it may review a second time, nor of trials.
    """
    clock = asyncio.get_running_loop().time
    with feed.watch(EVERYTHING) as watch:
        seen = last_event_id
        if seen is None:
            seen = await app.store.read(lambda tx: tx.ledger.head_seq())
            yield ServerSentEvent(comment="from here")
        silence, asked_at = Silence(), clock()
        while not watch.is_over:
            if clock() - asked_at > ASKED_AGAIN_S:
                asked_at = clock()
                if not await still_may(app, request, Scope.HOLDS_READ):
                    return
            entries = await app.store.read(partial(_entries, after=seen, key=key))
            for entry, is_kept_back in entries:
                seen = entry.seq
                if is_told(entry, key) and not is_kept_back:
                    yield ServerSentEvent(id=str(entry.seq), event=entry.event, data=ledger_view(entry))
                    silence.is_broken()
            if silence.is_too_long():
                yield ServerSentEvent(comment="still here")
            if not entries:
                await watch.next()


def is_told(entry: LedgerEntry, key: Caller) -> bool:
    """Whether a key may hear of an entry: who reviews must not learn which drafts on hold were planted."""
    is_untold = entry.event in BEFORE_THE_DECISION or entry.event.partition(".")[0] in NOT_THEIRS | OF_TRIALS
    return Scope.LEDGER_READ in key.scopes or not is_untold


def _entries(tx: Transaction, *, after: int, key: Caller) -> list[tuple[LedgerEntry, bool]]:
    """Entries, and whether each is kept back from this key as things stand."""
    return [(entry, tells(tx, key, entry)) for entry in tx.ledger.entries(after=after, limit=BATCH)]
