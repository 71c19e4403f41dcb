"""See how everything goes: what waits, how quickly it goes on, what fails, how near the limits are, who is at work.

The store knows most of it for all processes. What one process alone knows (its circuit breakers, single tries) each tells
the others where there can be several; on SQLite there is one. It only looks.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from understudy import __version__
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.records.assessment import Assessment
from understudy.records.codec import dump, readable
from understudy.records.evidence import Evidence
from understudy.records.health import (
    Health,
    Known,
    Limit,
    ProcessSeen,
    Schema,
    Went,
    checks_went,
    opinions_went,
    sends_in,
    went,
)
from understudy.records.ledger import LedgerEntry
from understudy.records.trail import Process, Sizes

ENTRIES_LOOKED_AT_MAX = 20_000
TURNS_LOOKED_AT = 200
TOLD_EVERY = timedelta(seconds=5)
SILENT_AFTER = timedelta(seconds=20)
FORGOTTEN_AFTER = timedelta(hours=1)
KEPT_FOR = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLimit:
    """What an agent may be asked; None = as much as there is."""

    agent: str
    at_once_max: int | None
    per_minute_max: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthLimits:
    """The limits that are looked at; `automatic_per_hour_max` is of each slice. `opinions`: whether any is configured."""

    backlog_max: int
    automatic_per_hour_max: int
    agents: tuple[AgentLimit, ...] = ()
    opinions: bool = False


@dataclass(slots=True)
class OwnProcess:
    """This process as it tells the others of itself. `is_alone`: there are no others, so it tells nobody. `works`: it works on
    turns; `serves`: it takes requests, as whoever puts a face on it says."""

    store: Store
    clock: Clock
    known: Callable[[], Known]
    works: bool
    is_alone: bool
    serves: bool = False
    id: str = field(init=False)
    started_at: datetime = field(init=False)
    _told_at: datetime | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.id = self.clock.new_id("process")
        self.started_at = self.clock.now()

    def now(self) -> Process:
        """This process as it is now."""
        return Process(
            id=self.id,
            host=socket.gethostname()[:200],
            pid=os.getpid(),
            version=__version__,
            does=" and ".join(word for word, is_so in (("serves", self.serves), ("works", self.works)) if is_so),
            started_at=self.started_at,
            seen_at=self.clock.now(),
            knows=dump(self.known()),
        )

    async def tell(self) -> int:
        """Say that it is at work, now and then; returns how often it did (a sweep's answer)."""
        now = self.clock.now()
        if self.is_alone or (self._told_at is not None and now - self._told_at < TOLD_EVERY):
            return 0
        self._told_at = now
        process = self.now()
        await self.store.write(lambda tx: tx.processes.put(process, forget_before=now - FORGOTTEN_AFTER))
        return 1

    async def end(self) -> None:
        """Say that it is over."""
        if not self.is_alone:
            await self.store.write(lambda tx: tx.processes.end(self.id))


class HealthDesk:
    """Looks at how everything goes; `schema` reads which version of the schema the database has."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        process: OwnProcess,
        *,
        limits: HealthLimits,
        kind: str,
        schema: Callable[[], Schema],
    ) -> None:
        self._store = store
        self._clock = clock
        self._process = process
        self._limits = limits
        self._kind = kind
        self._schema = schema
        self._one_at_a_time = asyncio.Lock()
        self._kept: tuple[float, Health] | None = None

    async def look(self, *, minutes: float) -> Health:
        """Read everything as it stands; figures are of the last `minutes`, or of as much of them as can be looked at.

        However many ask, it is looked once in two seconds.
        """
        async with self._one_at_a_time:
            kept = self._kept
            if kept is None or kept[0] != minutes or self._clock.now() - kept[1].at > KEPT_FOR:
                kept = self._kept = (minutes, await self._look(minutes))
            return kept[1]

    async def _look(self, minutes: float) -> Health:
        now = self._clock.now()

        def query(tx: Transaction) -> Health:
            sizes = tx.trail.sizes(now)
            oldest = [one.oldest_at for one in sizes.working.values() if one.oldest_at is not None]
            turns = [turn.id for turn in tx.trail.turns(limit=TURNS_LOOKED_AT) if turn.decision is not None]
            assessments = [
                one for text in tx.trail.documents(turns, "assessment") if (one := readable(Assessment, text))
            ]
            seen = tx.trail.documents(turns, "evidence") if self._limits.opinions else []
            return Health(
                at=now,
                version=__version__,
                schema=self._schema(),
                store=self._kind,
                backlog=sum(one.count for one in sizes.working.values()),
                backlog_oldest_at=min(oldest, default=None),
                holds=sizes.holds,
                unsent=sizes.unsent,
                slices=sizes.slices,
                limits=tuple(_limits(sizes, self._limits)),
                went=_went(tx, now, timedelta(minutes=minutes)),
                checks=checks_went(assessments),
                checks_of_turns=len(assessments),
                opinions=opinions_went(
                    [one for text in seen if (saw := readable(Evidence, text)) for one in saw.opinions]
                ),
                processes=self._processes(tx, now),
            )

        return await self._store.read(query)

    def _processes(self, tx: Transaction, now: datetime) -> tuple[ProcessSeen, ...]:
        me = self._process.now()
        others = [] if self._process.is_alone else [one for one in tx.processes.all() if one.id != me.id]
        return tuple(
            ProcessSeen(
                id=one.id,
                host=one.host,
                pid=one.pid,
                version=one.version,
                does=one.does,
                started_at=one.started_at,
                seen_at=one.seen_at,
                is_me=one.id == me.id,
                is_silent=now - one.seen_at > SILENT_AFTER,
                knows=readable(Known, one.knows) or Known(),
            )
            for one in (me, *others)
        )


def _went(tx: Transaction, now: datetime, span: timedelta) -> Went:
    since = now - span
    entries: list[LedgerEntry] = tx.trail.entries(limit=ENTRIES_LOOKED_AT_MAX)
    is_cut = len(entries) == ENTRIES_LOOKED_AT_MAX and entries[-1].at > since
    within = [entry for entry in reversed(entries) if entry.at > since]
    began = within[0].at if is_cut and within else since
    found = (tx.outbox.find(one) for one in sorted(sends_in(within)))
    channels = {one.id: one.channel for one in found if one is not None}
    return went(within, channels, seconds=(now - began).total_seconds(), is_cut=is_cut)


def _limits(sizes: Sizes, limits: HealthLimits) -> list[Limit]:
    backlog = sum(one.count for one in sizes.working.values())
    found = [Limit(what="limits.backlog_max", used=backlog, limit=limits.backlog_max)]
    used = {one.agent: one for one in sizes.agents}
    for agent in limits.agents:
        use = used.get(agent.agent)
        name = f"agents.{agent.agent}"
        if agent.at_once_max is not None:
            at_once = 0 if use is None else use.at_once
            found.append(Limit(what=f"{name}.at_once_max", used=at_once, limit=agent.at_once_max))
        if agent.per_minute_max is not None:
            minute = 0 if use is None else use.last_minute
            found.append(Limit(what=f"{name}.per_minute_max", used=minute, limit=agent.per_minute_max))
    fullest = max(sizes.slices, key=lambda one: one.count, default=None)
    most = 0 if fullest is None else fullest.count
    return [*found, Limit(what="autonomy.automatic_per_hour_max", used=most, limit=limits.automatic_per_hour_max)]
