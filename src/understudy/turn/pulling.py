"""Fetch from channels that do not call: one process at a time for each, and how far it is stands with the message in one commit.

Promise: what a channel holds is stored once, however often and wherever a process dies. A lease names the one process
that fetches; it is renewed, and lapses when that process dies. Each thing that was fetched is stored in the transaction
that moves the cursor past it, under the lease's token: whoever lost the lease stores neither. A message that comes once
more, because the channel counts anew, is known by its id. What cannot be taken in now stays where it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from understudy.backoff import backoff_s
from understudy.errors import InputError, StepSuperseded, UnderstudyError
from understudy.ports.channel import Arrival, Fetched
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import EventIgnored, PullFailed, RequestRefused, Telemetry
from understudy.records.conversation import Inbound
from understudy.records.outbox import Report
from understudy.records.pulls import PullLease

WAIT_S = 25.0
"""How long a channel may wait for news in one look; the lease is renewed meanwhile."""
LOOK_S = 2.0
"""How often a process asks for a channel that another has."""
BACKOFF_BASE_S = 1.0
BACKOFF_MAX_S = 60.0
SENDER_WINDOW = timedelta(hours=1)
TOO_MANY = "sender_writes_too_often"
FLOW = "pull"


class Receives(Protocol):
    """What stores a message."""

    async def receive(
        self, channel: str, inbound: Inbound, *, along: Callable[[Transaction], None] | None = None
    ) -> object:
        """Store one, and do something `along` with it in the same transaction, also where it is known already."""
        ...


TakesReport = Callable[[str, Report], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PullLimits:
    """`lapse_s`: a process that was silent for so long is dead, and another fetches. `wait_s` bounds one look."""

    lapse_s: float
    wait_s: float = WAIT_S
    look_s: float = LOOK_S
    backoff_base_s: float = BACKOFF_BASE_S
    backoff_max_s: float = BACKOFF_MAX_S


class Pulling:
    """Fetches from each of `channels` for as long as this process has its lease."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        channels: Mapping[str, Fetched],
        *,
        intake: Receives,
        report: TakesReport,
        limits: PullLimits,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._channels = channels
        self._intake = intake
        self._report = report
        self._limits = limits
        self._leases: dict[str, PullLease] = {}
        self._brought: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._handing_over: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; needs a running event loop."""
        self._tasks = [asyncio.ensure_future(self._run(name)) for name in self._channels]

    async def stop(self) -> None:
        """Stop in the middle of any look, and let others go on at once."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(UnderstudyError):  # what cannot be handed over lapses
            await self.hand_over()

    def drain(self) -> None:
        """Leave the channels to other processes from now on."""
        self._handing_over = asyncio.ensure_future(self.stop())

    async def renew(self) -> int:
        """Keep what this process has from lapsing; to be called several times in `lapse_s`. Returns for how many."""
        leases = list(self._leases.values())
        if leases:
            until = self._clock.now() + timedelta(seconds=self._limits.lapse_s)
            await self._store.write(lambda tx: tx.pulls.renew(leases, until=until))
        return len(leases)

    async def hand_over(self) -> None:
        """Give back what this process has."""
        leases, self._leases = list(self._leases.values()), {}
        if leases:
            now = self._clock.now()
            await self._store.write(lambda tx: tx.pulls.renew(leases, until=now))

    async def release_leases(self) -> None:
        """Let every lease end. Only for the start of a store's sole process."""
        await self._store.write(lambda tx: tx.pulls.free(now=self._clock.now()))

    async def _run(self, channel: str) -> None:
        failures = 0
        while True:
            try:
                began = self._clock.now()
                has_channel = await self.once(channel)
                failures = 0 if has_channel else failures
                is_soon = (self._clock.now() - began).total_seconds() < self._limits.look_s
                if not has_channel or (is_soon and not self._brought.get(channel)):  # it did not wait for news itself
                    await self._clock.sleep(self._limits.look_s)
            except StepSuperseded:
                self._leases.pop(channel, None)  # another process has it
            except Exception as error:  # noqa: BLE001 - whatever it was, the channel is tried again and somebody is told
                failures += 1
                again_s = backoff_s(
                    failures,
                    self._clock.random(),
                    base_s=self._limits.backoff_base_s,
                    max_s=self._limits.backoff_max_s,
                    at_least_s=self._limits.backoff_base_s,
                )
                what = str(error) if isinstance(error, UnderstudyError) else f"{type(error).__name__}: {error}"
                self._telemetry.emit(PullFailed(channel=channel, error=what, failures=failures, again_s=again_s))
                await self._clock.sleep(again_s)

    async def once(self, channel: str) -> bool:
        """Look once and store what is there; False while another process has the channel. Raises what goes wrong."""
        lease = self._leases.get(channel) or await self._lease(channel)
        if lease is None:
            return False
        self._leases[channel] = lease
        arrivals = await self._channels[channel].fetch(lease.cursor, wait_s=self._limits.wait_s)
        self._brought[channel] = len(arrivals)
        for arrival in arrivals:
            await self._store_one(lease, arrival)
            lease = self._leases[channel] = replace(lease, cursor=arrival.cursor)
        return True

    async def _lease(self, channel: str) -> PullLease | None:
        now = self._clock.now()
        until = now + timedelta(seconds=self._limits.lapse_s)
        return await self._store.write(lambda tx: tx.pulls.lease(channel, now=now, until=until))

    async def _store_one(self, lease: PullLease, arrival: Arrival) -> None:
        """Store all of one arrival; its last message takes along the cursor and what was passed over. What dies in between is
        fetched anew."""

        events = arrival.events
        passed_over = [*events.ignored, *events.refused]

        def move(tx: Transaction) -> None:
            tx.pulls.move(lease, arrival.cursor)
            self._note(tx, lease.channel, arrival.id, passed_over)

        for report in events.reports:
            await self._report(lease.channel, report)
        is_moved = False
        for place, message in enumerate(events.messages, start=1):
            is_last = place == len(events.messages)
            try:
                bounded = await self._bounded(lease.channel, message)
                await self._intake.receive(lease.channel, bounded, along=move if is_last else None)
                is_moved = is_last
            except InputError as error:  # it will never be taken as it is, so it must not keep the others waiting
                passed_over.append(f"a message that cannot be taken ({error.code})")
                self._telemetry.emit(RequestRefused(face=f"{FLOW}/{lease.channel}", code=error.code))
        if not is_moved:
            await self._store.write(move)
        for why in (*events.ignored, *events.refused):
            self._telemetry.emit(EventIgnored(channel=lease.channel, why=why))

    def _note(self, tx: Transaction, channel: str, arrival_id: str | None, passed_over: Sequence[str]) -> None:
        """Write down what was not taken in, so that whoever looks for it later finds why nobody answered."""
        for why in passed_over:
            tx.ledger.append("channel.passed_over", at=self._clock.now(), channel=channel, why=why, id=arrival_id)

    async def _bounded(self, channel: str, message: Inbound) -> Inbound:
        """Give a message to people whose sender writes more often than people do: two programs may be talking."""
        per_hour = self._channels[channel].per_sender_hour_max
        if per_hour is None or message.needs_person is not None:
            return message
        since = self._clock.now() - SENDER_WINDOW
        so_far = await self._store.read(lambda tx: tx.envelopes.count_from(channel, message.address, since=since))
        return message if so_far < per_hour else replace(message, needs_person=TOO_MANY)
