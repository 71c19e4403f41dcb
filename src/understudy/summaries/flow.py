"""Have a model put each hand-off in a few lines: taken up, asked, recorded, each committed. It decides nothing, and holds nothing up.

Nobody is asked inside a transaction. What a model wrote is kept once and shown to people alone, above what is stored; where it
fails, is late, is dear or writes what does not stand in what it was shown, there is none.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from understudy.assessment.in_short import is_carried, lines_kept, material_of
from understudy.effects.summing_up import case_of
from understudy.errors import AgentError
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.summariser import Summariser, SummaryRequest
from understudy.ports.telemetry import SummaryTried, Telemetry
from understudy.records.codec import digest, dump, readable
from understudy.records.review import Hold
from understudy.records.summary import ASKED_KIND, WRITTEN_KIND, SummaryAsked, WrittenSummary

AT_ONCE_MAX: Final = 8
ATTEMPTS_MAX: Final = 2
GRACE_S: Final = 5.0
WORTH_IT_FOR: Final = timedelta(minutes=10)
"""Of a hand-off that is older when the model is first there, somebody has read what is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryLimits:
    """Seconds for one answer, and questions per hour of this process."""

    deadline_s: float = 15.0
    per_hour_max: int = 500

    def __post_init__(self) -> None:
        if self.deadline_s <= 0 or self.per_hour_max < 1:
            raise ValueError("a summariser needs deadline_s > 0 and per_hour_max >= 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lease:
    """A hand-off whose summary is this worker's to ask for, and what the model is shown of it."""

    hold: Hold
    asked: SummaryAsked
    material: str
    seen_to: int


class SummaryDesk:
    """Has summaries written. Without a summariser it does nothing."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        summariser: Summariser | None,
        *,
        limits: SummaryLimits | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._summariser = summariser
        self._limits = limits or SummaryLimits()
        self._lapses_after = timedelta(seconds=self._limits.deadline_s + GRACE_S)
        self._spent: deque[datetime] = deque()

    async def sweep(self) -> int:
        """Ask for what is missing; returns for how many hand-offs."""
        summariser = self._summariser
        if summariser is None:
            return 0
        leases = await self._store.write(lambda tx: self._take_up(tx, summariser.by))
        await asyncio.gather(*(self._ask(summariser, lease) for lease in leases))
        return len(leases)

    def is_awaited(self, tx: Transaction, hold: Hold) -> bool:
        """Whether a summary of a hand-off may still come so soon that a ticket had better wait for it."""
        if self._summariser is None or tx.artifacts.get(hold.turn_id, WRITTEN_KIND) is not None:
            return False
        return self._clock.now() < hold.created_at + ATTEMPTS_MAX * self._lapses_after

    def _take_up(self, tx: Transaction, by: str) -> list[_Lease]:
        now = self._clock.now()
        leases: list[_Lease] = []
        for hold in tx.summaries.missing(now - WORTH_IT_FOR, limit=AT_ONCE_MAX * ATTEMPTS_MAX):
            asked = readable(SummaryAsked, tx.artifacts.get(hold.turn_id, ASKED_KIND))
            if asked is not None and now < asked.at + self._lapses_after:
                continue  # somebody is at it
            attempts = 1 if asked is None else asked.attempts + 1
            error = "interrupted" if attempts > ATTEMPTS_MAX else None if self._may_ask(now) else "over_budget"
            if error is not None:
                self._close(tx, hold, WrittenSummary(lines=(), by=by, at=now, seen_to=0, error=error))
            elif len(leases) < AT_ONCE_MAX:
                leases.append(self._lease(tx, hold, SummaryAsked(attempts=attempts, at=now)))
        return leases

    def _may_ask(self, now: datetime) -> bool:
        while self._spent and self._spent[0] <= now - timedelta(hours=1):
            self._spent.popleft()
        return len(self._spent) < self._limits.per_hour_max

    def _lease(self, tx: Transaction, hold: Hold, asked: SummaryAsked) -> _Lease:
        """Take a hand-off: that its customer's words are about to leave for a model is on disk before they do."""
        case = case_of(tx, tx.turns.get(hold.turn_id), hold.reasons, asked.at)
        tx.artifacts.put(hold.turn_id, ASKED_KIND, dump(asked))
        tx.ledger.append(
            "summary.asked",
            at=asked.at,
            turn_id=hold.turn_id,
            conversation_id=hold.conversation_id,
            hold=hold.id,
            attempt=asked.attempts,
        )
        self._spent.append(asked.at)
        seen_to = max((message.seq for message in case.messages), default=0)
        return _Lease(hold=hold, asked=asked, material=material_of(case), seen_to=seen_to)

    async def _ask(self, summariser: Summariser, lease: _Lease) -> None:
        began = self._clock.now()
        lines, error = await self._answer(summariser, lease)
        now = self._clock.now()
        is_last = error is None or lease.asked.attempts >= ATTEMPTS_MAX
        came = WrittenSummary(lines=lines, by=summariser.by, at=now, seen_to=lease.seen_to, error=error)
        if await self._store.write(lambda tx: self._record(tx, lease, came, is_last=is_last)):
            self._telemetry.emit(
                SummaryTried(
                    turn_id=lease.hold.turn_id,
                    outcome=error or "written",
                    attempt=lease.asked.attempts,
                    took_ms=(now - began).total_seconds() * 1000,
                )
            )

    async def _answer(self, summariser: Summariser, lease: _Lease) -> tuple[tuple[str, ...], str | None]:
        """What came, or why nothing did; never raises for what a summariser does."""
        deadline_s = self._limits.deadline_s
        request = SummaryRequest(turn_id=lease.hold.turn_id, material=lease.material, deadline_s=deadline_s)
        try:
            async with asyncio.timeout(deadline_s):
                lines = lines_kept(await summariser.write(request))
        except TimeoutError:
            return (), "timed_out"
        except AgentError as error:
            return (), error.code
        except Exception as error:  # noqa: BLE001 - whatever breaks inside a summariser is no reason to lose a hand-off
            return (), f"failed: {type(error).__name__}"
        if not lines:
            return (), "nonsense"
        return (lines, None) if is_carried(lines, lease.material, lease.asked.at.date()) else ((), "not_carried")

    def _record(self, tx: Transaction, lease: _Lease, came: WrittenSummary, *, is_last: bool) -> bool:
        """Keep what came, unless somebody else has the hand-off by now or its customer was erased meanwhile."""
        turn_id = lease.hold.turn_id
        if readable(SummaryAsked, tx.artifacts.get(turn_id, ASKED_KIND)) != lease.asked:
            return False
        if is_last:
            self._close(tx, lease.hold, came)
        else:
            lapsed = replace(lease.asked, at=came.at - self._lapses_after)  # it is asked for again at once
            tx.artifacts.put(turn_id, ASKED_KIND, dump(lapsed))
            self._note(tx, "summary.retry", lease.hold, came)
        return True

    def _close(self, tx: Transaction, hold: Hold, came: WrittenSummary) -> None:
        tx.artifacts.put(hold.turn_id, WRITTEN_KIND, dump(came))
        if came.lines:
            self._note(tx, "summary.written", hold, came, digest("\n".join(came.lines)))
        else:
            self._note(tx, "summary.failed", hold, came)

    def _note(self, tx: Transaction, event: str, hold: Hold, came: WrittenSummary, text: str | None = None) -> None:
        tx.ledger.append(
            event,
            at=came.at,
            turn_id=hold.turn_id,
            conversation_id=hold.conversation_id,
            hold=hold.id,
            by=came.by,
            text=text,
            error=came.error,
        )
