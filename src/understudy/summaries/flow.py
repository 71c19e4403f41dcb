"""Have a model put each hand-off in a few lines: taken up, asked, recorded, each committed. It decides nothing, and holds nothing up.

Nobody is asked inside a transaction. What a model wrote is kept once and shown to people alone, above what is stored; where it
fails, is late, is dear or writes what does not stand in what it was shown, there is none.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from understudy.assessment.in_short import is_carried, lines_kept, material_of
from understudy.effects.summing_up import case_of
from understudy.errors import AgentError, AgentUnavailable
from understudy.hourly import Hourly
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.summariser import Summariser, SummaryRequest
from understudy.ports.telemetry import SummaryTried, Telemetry
from understudy.records.codec import digest
from understudy.records.review import Hold
from understudy.records.summary import SummaryState, WrittenSummary

AT_ONCE_MAX: Final = 8
ATTEMPTS_MAX: Final = 2
GRACE_S: Final = 5.0
PAUSE_S: Final = 2.0
"""Before a model is asked again, where it does not say how long to wait."""
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

    summary: WrittenSummary
    material: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Came:
    """What came of asking once: lines, or why there are none and how long to wait before it is asked again."""

    lines: tuple[str, ...] = ()
    error: str | None = None
    pause_s: float = PAUSE_S


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
        self._budget = Hourly(self._limits.per_hour_max)

    async def sweep(self) -> int:
        """Ask for what is missing; returns for how many hand-offs."""
        summariser = self._summariser
        if summariser is None:
            return 0
        room = self._budget.room(self._clock.now())
        leases, given_up = await self._store.write(lambda tx: self._take_up(tx, summariser.by, room))
        self._budget.spend(self._clock.now(), len(leases))
        for one in given_up:
            self._tell(one, took_ms=0.0)
        await asyncio.gather(*(self._ask(summariser, lease) for lease in leases))
        return len(leases)

    def is_awaited(self, tx: Transaction, hold: Hold) -> bool:
        """Whether a summary of a hand-off may still come so soon that a ticket had better wait for it."""
        if self._summariser is None or self._clock.now() >= hold.created_at + ATTEMPTS_MAX * self._lapses_after:
            return False
        summary = tx.summaries.of_hold(hold.id)
        return summary is None or summary.state is SummaryState.ASKED

    def _take_up(self, tx: Transaction, by: str, room: int) -> tuple[list[_Lease], list[WrittenSummary]]:
        """Lease hand-offs, and give up those that were asked for too often or are beyond the budget."""
        now = self._clock.now()
        leases: list[_Lease] = []
        given_up: list[WrittenSummary] = []
        for hold in tx.summaries.missing(now - WORTH_IT_FOR, now, limit=AT_ONCE_MAX):
            before = tx.summaries.of_hold(hold.id)
            summary = WrittenSummary(
                hold_id=hold.id,
                turn_id=hold.turn_id,
                conversation_id=hold.conversation_id,
                state=SummaryState.ASKED,
                attempts=0 if before is None else before.attempts,
                due_at=now + self._lapses_after,
                at=now,
                by=by,
            )
            error = "interrupted" if summary.attempts >= ATTEMPTS_MAX else None
            error = error or (None if len(leases) < room else "over_budget")
            lease = self._lease(tx, hold, replace(summary, attempts=summary.attempts + 1)) if error is None else error
            if isinstance(lease, str):
                given_up.append(replace(summary, state=SummaryState.FAILED, error=lease))
                self._keep(tx, "summary.failed", given_up[-1])
            else:
                leases.append(lease)
        return leases, given_up

    def _lease(self, tx: Transaction, hold: Hold, asked: WrittenSummary) -> _Lease | str:
        """Take a hand-off: that its customer's words are about to leave for a model is on disk before they do. It is shown nothing of the
        contacts that are linked with this customer, which are erased by themselves. A string: why there is nothing to be shown."""
        case = case_of(tx, tx.turns.get(hold.turn_id), hold.reasons, asked.at, hold_id=hold.id)
        contact_id = tx.conversations.get(hold.conversation_id).contact_id
        own = replace(case, pledges=tuple(one for one in case.pledges if one.contact_id == contact_id))
        try:
            material = material_of(own)
        except Exception as error:  # noqa: BLE001 - one that cannot be put down must not hold up all others
            return f"failed: {type(error).__name__}"
        summary = replace(asked, seen_to=max((message.seq for message in case.messages), default=0))
        self._keep(tx, "summary.asked", summary)
        return _Lease(summary=summary, material=material)

    async def _ask(self, summariser: Summariser, lease: _Lease) -> None:
        began = self._clock.now()
        came = await self._answer(summariser, lease)
        now = self._clock.now()
        kept = await self._store.write(lambda tx: self._record(tx, lease.summary, came, now))
        if kept is not None:
            self._tell(kept, took_ms=(now - began).total_seconds() * 1000)

    async def _answer(self, summariser: Summariser, lease: _Lease) -> _Came:
        """What came; never raises for what a summariser does."""
        deadline_s = self._limits.deadline_s
        request = SummaryRequest(turn_id=lease.summary.turn_id, material=lease.material, deadline_s=deadline_s)
        try:
            async with asyncio.timeout(deadline_s):
                lines = lines_kept(await summariser.write(request))
            if not lines:
                return _Came(error="nonsense")
            if not is_carried(lines, lease.material, lease.summary.at.date()):
                return _Came(error="not_carried")
            return _Came(lines=lines)
        except TimeoutError:
            return _Came(error="timed_out")
        except AgentUnavailable as error:
            return _Came(error=error.code, pause_s=error.retry_after_s or PAUSE_S)
        except AgentError as error:
            return _Came(error=error.code)
        except Exception as error:  # noqa: BLE001 - whatever breaks inside a summariser is no reason to lose a hand-off
            return _Came(error=f"failed: {type(error).__name__}")

    def _record(self, tx: Transaction, asked: WrittenSummary, came: _Came, now: datetime) -> WrittenSummary | None:
        """Keep what came; None where somebody else has the hand-off by now, gave it up, or its customer was erased meanwhile."""
        if tx.summaries.of_hold(asked.hold_id) != asked:
            return None
        ended = replace(asked, at=now, lines=came.lines, error=came.error)
        if came.lines:
            ended = replace(ended, state=SummaryState.WRITTEN)
            self._keep(tx, "summary.written", ended)
        elif asked.attempts >= ATTEMPTS_MAX:
            ended = replace(ended, state=SummaryState.FAILED)
            self._keep(tx, "summary.failed", ended)
        else:
            pause = min(timedelta(seconds=came.pause_s), self._lapses_after)
            ended = replace(ended, due_at=now + pause)
            self._keep(tx, "summary.retry", ended)
        return ended

    def _keep(self, tx: Transaction, event: str, summary: WrittenSummary) -> None:
        tx.summaries.put(summary)
        tx.ledger.append(
            event,
            at=summary.at,
            turn_id=summary.turn_id,
            conversation_id=summary.conversation_id,
            hold=summary.hold_id,
            by=summary.by,
            attempt=summary.attempts,
            text=digest("\n".join(summary.lines)) if summary.lines else None,
            error=summary.error,
        )

    def _tell(self, summary: WrittenSummary, *, took_ms: float) -> None:
        self._telemetry.emit(
            SummaryTried(
                turn_id=summary.turn_id,
                outcome=summary.error or "written",
                attempt=summary.attempts,
                took_ms=took_ms,
            )
        )
