"""`/v1/events` and `/v1/ledger`: what happened, live and afterwards, out of the append-only ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from understudy.ports.store import Transaction
from understudy.records.access import ApiKey, Scope
from understudy.records.ledger import LedgerEntry
from understudy.web.auth import HoldsReader, LedgerReader, TheApp, TheFeed
from understudy.web.blind import tells
from understudy.web.bodies import SEQ_MAX
from understudy.web.feed import EVERYTHING, Silence
from understudy.web.problems import answers
from understudy.web.shapes import LedgerPage
from understudy.web.views import ledger_view

router = APIRouter(prefix="/v1", tags=["observe"])

BATCH = 200

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
OF_REVIEWS = frozenset({"seed", "review", "reviewer", "label"})
"""First words of the events that tell how reviews are looked at."""
OF_TRIALS = frozenset({"trial"})
"""And of those that come by the thousand while a gate runs, and concern no customer."""


@router.get("/events", response_class=EventSourceResponse, responses=answers(401, 403))
async def stream_events(
    app: TheApp,
    feed: TheFeed,
    key: HoldsReader,
    last_event_id: Annotated[int | None, Header(ge=0, le=SEQ_MAX)] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Stream ledger events as they are committed; resumes after `Last-Event-ID`, else begins with the next.

    A key without `ledger:read` hears of a turn from its decision on, and not of what is known of reviews, nor of what
    the first reviewer said of a draft that it may review a second time, nor of trials.
    """
    with feed.watch(EVERYTHING) as watch:
        seen = last_event_id
        if seen is None:
            seen = await app.store.read(lambda tx: tx.ledger.head_seq())
            yield ServerSentEvent(comment="from here")
        silence = Silence()
        while not watch.is_over:
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


def is_told(entry: LedgerEntry, key: ApiKey) -> bool:
    """Whether a key may hear of an entry: who reviews must not learn which drafts on hold were planted."""
    is_untold = entry.event in BEFORE_THE_DECISION or entry.event.partition(".")[0] in OF_REVIEWS | OF_TRIALS
    return Scope.LEDGER_READ in key.scopes or not is_untold


def _entries(tx: Transaction, *, after: int, key: ApiKey) -> list[tuple[LedgerEntry, bool]]:
    """Entries, and whether each is kept back from this key as things stand."""
    return [(entry, tells(tx, key, entry)) for entry in tx.ledger.entries(after=after, limit=BATCH)]


@router.get("/ledger", responses=answers(401, 403))
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
