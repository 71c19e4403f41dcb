"""Answers what leads ask about quality: reads the counts of a span of time and has figures made of them."""

from __future__ import annotations

import asyncio
import math
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Final

from understudy.errors import InputError
from understudy.ports.clock import Clock
from understudy.ports.figures import TALLIES_MAX
from understudy.ports.store import Store
from understudy.quality.csat import csat
from understudy.quality.figures import page
from understudy.quality.modes import insights, mode_named
from understudy.quality.resolution import resolution
from understudy.quality.win_back import win_back_figures
from understudy.records.quality import Bucket, Csat, Insights, ModeQuery, Part, Quality, Span, Window
from understudy.records.resolution import Resolution
from understudy.records.win_back import WinBackFigures

USUAL: Final = timedelta(days=28)
"""Looked at where nothing else is said."""
BUCKETS_MAX: Final = 400
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 9000
_EARLIEST: Final = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
WIDTHS: Final = {Bucket.WEEK: timedelta(weeks=1), Bucket.DAY: timedelta(days=1), Bucket.HOUR: timedelta(hours=1)}


class QualityDesk:
    """See the module. `recontact_h`: a customer who writes again within so many hours had not got what they needed."""

    def __init__(self, store: Store, clock: Clock, *, recontact_h: float) -> None:
        self._store = store
        self._clock = clock
        self._recontact = timedelta(hours=recontact_h)

    async def quality(self, window: Window, part: Part, bucket: Bucket) -> Quality:
        """The figures of a time, beside those of as long a time before; raises `InputError` for a time that is none.

        The time is filled up to whole buckets from its beginning.
        """
        since, until = self._bounds(window)
        width = WIDTHS[bucket]
        buckets = math.ceil((until - since) / width)
        if buckets > BUCKETS_MAX:
            raise InputError(
                f"from … to is {buckets} {bucket.value}s; at most {BUCKETS_MAX} are answered, ask for less or in longer ones"
            )
        span = Span(since=since - buckets * width, width=width, buckets=2 * buckets)
        settled_before = self._clock.now() - self._recontact

        tallies = await self._store.read(
            lambda tx: (
                tx.figures.over_time(span, part, settled_before=settled_before),
                tx.figures.by_slice(since, span.until, settled_before=settled_before),
            )
        )
        is_cut = any(len(getattr(some, kind.name)) >= TALLIES_MAX for some in tallies for kind in fields(some))
        hours = self._recontact / timedelta(hours=1)
        return await asyncio.to_thread(
            lambda: page(*tallies, whole=span, now_from=buckets, part=part, recontact_h=hours, is_cut=is_cut)
        )

    async def insights(self, window: Window, part: Part) -> Insights:
        """Failure modes by topic over a time; raises `InputError` for a time that is none."""
        since, until = self._bounds(window)
        decided, modes = await self._store.read(
            lambda tx: (tx.failures.decided(since, until, part), tx.failures.modes(since, until, part))
        )
        return insights(modes, decided, since=since, until=until)

    async def csat(self, window: Window, channel: str | None) -> Csat:
        """What customers said who were asked in a time; raises `InputError` for a time that is none."""
        since, until = self._bounds(window)
        tallies = await self._store.read(lambda tx: tx.surveys.counted(since, until, channel))
        return csat(tallies, since=since, until=until)

    async def resolution(self, window: Window, part: Part, *, within_days: float) -> Resolution:
        """How matters ended, the agent and people apart; raises `InputError` for a time that is none."""
        since, until = self._bounds(window)
        within, now = timedelta(days=within_days), self._clock.now()
        tallies = await self._store.read(lambda tx: tx.figures.last_answers(since, until, part, within=within, now=now))
        return resolution(tallies, since=since, until=until, within=within)

    async def win_back(self, window: Window, *, within_days: float) -> WinBackFigures:
        """What followed the bad outcomes of a time, with a message of a person and without; raises `InputError` for a time that is none."""
        since, until = self._bounds(window)
        within, now = timedelta(days=within_days), self._clock.now()
        tallies = await self._store.read(lambda tx: tx.win_backs.counted(since, until, within=within, now=now))
        return win_back_figures(tallies, since=since, until=until, within=within)

    def behind(
        self, window: Window, part: Part, mode: str | None, *, before: tuple[datetime, int] | None, limit: int
    ) -> ModeQuery:
        """What to look up for a cell of the table, or (None) for all turns of a part; raises `InputError` for a mode or a time that is none."""
        since, until = self._bounds(window)
        found = None if mode is None else mode_named(mode)
        return ModeQuery(
            since=since,
            until=until,
            topic=part.topic,
            source=None if found is None else found.source,
            code="" if found is None else found.code,
            channel=part.channel,
            release=part.release,
            before=before,
            limit=limit,
        )

    def _bounds(self, window: Window) -> tuple[datetime, datetime]:
        until = window.until or self._clock.now()
        since = window.since or max(until - USUAL, _EARLIEST)
        if any(moment.tzinfo is None for moment in (since, until)):
            raise InputError("from and to need a time zone, such as 2026-05-02T00:00:00Z")
        if not (since.year >= FIRST_YEAR and until.year < LAST_YEAR):
            raise InputError(f"from and to must lie between the years {FIRST_YEAR} and {LAST_YEAR}")
        if since >= until:
            raise InputError(f"from must be before to, got {since.isoformat()} and {until.isoformat()}")
        return since, until
