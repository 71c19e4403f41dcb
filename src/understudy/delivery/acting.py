"""Carry out what was let through: lease, call, record the answer, read back, each committed on its own; then the reply may go.

Promise: an action is done once. A call whose outcome is unknown is read back; it is repeated only where the system
honours the key, or where the read-back says that it certainly was not done; else a person says what became of it. The
reply that rests on it leaves only when it is done. What each answer comes to stands in `outcomes.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from understudy.backoff import backoff_s
from understudy.delivery.outcomes import (
    ActingLimits,
    Again,
    Asked,
    Compensate,
    Compensated,
    Done,
    Failed,
    LookLater,
    Outcome,
    ReadItBack,
    Unsure,
    after_call,
    after_compensation,
    after_read_back,
)
from understudy.effects.absence import NobodyHome
from understudy.effects.acting import drop_waiting, send_if_done
from understudy.effects.handing_off import give_to_person
from understudy.effects.holds import hold_opened, open_hold
from understudy.errors import StepSuperseded
from understudy.ports.acting import Executor
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import ActionTried, Telemetry
from understudy.records.acting import ActionEntry, ActionState, ActionStep, ReadBack, Unanswered
from understudy.records.outbox import SendResult, Unknown
from understudy.records.review import Hold, HoldKind
from understudy.records.text import storable, storable_record
from understudy.records.turn import ACTION_JOB, OUTBOX_JOB, TURN_JOB, Job, Turn, TurnState

SWEEP_MAX = 500
UNDONE_PRIORITY = 1
ANSWER_CHARS_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lease:
    """An action that is this worker's to carry on until `ends`. `was_interrupted`: somebody began this step before."""

    entry: ActionEntry
    ends: datetime
    was_interrupted: bool


class Acting:
    """Carries out what is due. `executors` by the action's name."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        executors: Mapping[str, Executor],
        *,
        limits: ActingLimits,
        nobody_home: NobodyHome | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._executors = executors
        self._limits = limits
        self._nobody_home = nobody_home

    async def carry_out(self, conversation_id: str) -> None:
        """Carry the conversation's actions out in order until one has to wait."""
        try:
            while (lease := await self._store.write(lambda tx: self._lease_next(tx, conversation_id))) is not None:
                await self._go_on(lease)
        except StepSuperseded:
            return  # Another worker has it.

    async def sweep(self) -> int:
        """Announce every conversation in which an action is due."""

        def step(tx: Transaction) -> int:
            due = tx.actions.due(self._clock.now(), limit=SWEEP_MAX)
            for conversation_id in dict.fromkeys(entry.conversation_id for entry in due):
                tx.announce(Job(kind=ACTION_JOB, key=conversation_id))
            return len(due)

        return await self._store.write(step)

    async def close(self) -> None:
        """Let go of the connections of all executors."""
        for executor in self._executors.values():
            await executor.close()

    def _lease_next(self, tx: Transaction, conversation_id: str) -> _Lease | None:
        """Take the next action, if it is due: that a step began is on disk before its first byte leaves."""
        entry = tx.actions.head(conversation_id)
        now = self._clock.now()
        if entry is None or entry.state is ActionState.UNKNOWN or (entry.due_at is not None and entry.due_at > now):
            return None  # A person must say what became of it; or its time has not come, and the sweep knows when.
        was_interrupted = _was_interrupted(entry)
        begins = entry.step is not ActionStep.READ_BACK and not was_interrupted
        ends = now + timedelta(seconds=self._limits.lease_s)
        leased = replace(
            entry,
            state=ActionState.EXECUTING,
            attempts=entry.attempts + 1,
            tries=entry.tries + (1 if begins else 0),
            called_at=now if begins else entry.called_at,
            due_at=ends,
        )
        tx.actions.change(leased, attempts=entry.attempts)
        tx.ledger.append(
            "action.executing",
            at=now,
            turn_id=entry.turn_id,
            conversation_id=entry.conversation_id,
            action=entry.id,
            attempt=leased.attempts,
            step=entry.step.value,
        )
        return _Lease(entry=leased, ends=ends, was_interrupted=was_interrupted)

    async def _go_on(self, lease: _Lease) -> None:
        """Take the step that an action is at, and record what came of it."""
        began = self._clock.now()
        outcome = await self._outcome(lease)
        hold = await self._store.write(lambda tx: self._record(tx, lease.entry, outcome))
        took_ms = (self._clock.now() - began).total_seconds() * 1000
        entry = lease.entry
        self._telemetry.emit(
            ActionTried(
                action_id=entry.id,
                turn_id=entry.turn_id,
                name=entry.name,
                step=entry.step.value,
                outcome=outcome.word,
                attempt=entry.tries,
                took_ms=took_ms,
            )
        )
        if hold is not None:
            self._telemetry.emit(hold_opened(hold))

    async def _outcome(self, lease: _Lease) -> Outcome:
        entry = lease.entry
        executor = self._executors.get(entry.name)
        asked = Asked(entry=entry, executor=executor, now=self._clock.now(), limits=self._limits)
        if executor is None:
            gone = f"action {entry.name!r} is not declared any more"
            is_untouched = entry.step is ActionStep.CALL and not lease.was_interrupted and not entry.is_unsure
            return Failed(reason=gone) if is_untouched else Unsure(reason=gone)
        match entry.step:
            case ActionStep.CALL:
                called = await self._called(lease, executor)
                return after_call(replace(asked, now=self._clock.now()), called)
            case ActionStep.READ_BACK:
                read = await self._read_back(lease, executor)
                return after_read_back(replace(asked, now=self._clock.now()), read)
            case ActionStep.COMPENSATE:
                made_up = await self._called(lease, executor)
                return after_compensation(replace(asked, now=self._clock.now()), made_up)

    async def _called(self, lease: _Lease, executor: Executor) -> SendResult:
        if lease.was_interrupted:
            return Unknown(reason="the process that began it stopped in the middle")
        entry = lease.entry
        asking = executor.compensate if entry.step is ActionStep.COMPENSATE else executor.call
        try:
            async with asyncio.timeout(self._left_s(lease)):
                result: object = await asking(entry)
        except TimeoutError:
            return Unknown(reason=f"no answer in time (at most {self._limits.lease_s:g} s)")
        except Exception as error:  # noqa: BLE001 - whatever broke in the adapter, the bytes may have left
            return Unknown(reason=storable(f"{type(error).__name__}: {error}"))
        if not isinstance(result, SendResult):
            return Unknown(reason=f"the answer was a {type(result).__name__}, which says nothing")
        return storable_record(result)

    async def _read_back(self, lease: _Lease, executor: Executor) -> ReadBack:
        try:
            async with asyncio.timeout(self._left_s(lease)):
                result: object = await executor.read_back(lease.entry)
        except TimeoutError:
            return Unanswered(reason=f"the read-back was not answered in time (at most {self._limits.lease_s:g} s)")
        except Exception as error:  # noqa: BLE001 - whatever broke, it says nothing of the action
            return Unanswered(reason=storable(f"{type(error).__name__}: {error}"))
        if not isinstance(result, ReadBack):
            return Unanswered(reason=f"the answer was a {type(result).__name__}, which says nothing")
        return storable_record(result)

    def _left_s(self, lease: _Lease) -> float:
        return max((lease.ends - self._clock.now()).total_seconds(), 0.0)

    # --- what an outcome changes ---

    def _record(self, tx: Transaction, entry: ActionEntry, outcome: Outcome) -> Hold | None:
        """Write what came of a step and do what follows from it; returns the hold it opens, if any."""
        now = self._clock.now()
        match outcome:
            case ReadItBack(is_unsure=is_unsure):
                provider_id = outcome.provider_id or entry.provider_id
                looks: dict[str, Any] = {"step": ActionStep.READ_BACK, "is_unsure": is_unsure, "due_at": now}
                self._change(tx, entry, outcome, "action.answered", provider_id=provider_id, **looks)
            case LookLater():
                self._change(tx, entry, outcome, "action.looked", due_at=self._later(outcome.delay_s))
            case Compensate():
                planned: dict[str, Any] = {"step": ActionStep.COMPENSATE, "due_at": now, "tries": 0, "called_at": None}
                self._change(tx, entry, outcome, "action.compensating", **planned)
            case Again():
                self._change(tx, entry, outcome, "action.retry", **self._again(entry, outcome))
            case Done():
                self._change(tx, entry, outcome, "action.done", **self._done(entry, outcome))
                send_if_done(tx, self._clock, entry.turn_id)
            case Failed():
                self._change(tx, entry, outcome, "action.failed", state=ActionState.FAILED, settled_at=now)
                return self._give_up(tx, entry, reasons=("action_failed",))
            case Compensated():
                self._change(tx, entry, outcome, "action.compensated", state=ActionState.COMPENSATED, settled_at=now)
                return self._give_up(tx, entry, reasons=("action_compensated",))
            case Unsure():
                self._change(tx, entry, outcome, "action.unknown", state=ActionState.UNKNOWN)
                return self._ask_person(tx, tx.turns.get(entry.turn_id))
        return None

    def _change(self, tx: Transaction, entry: ActionEntry, outcome: Outcome, event: str, **changes: Any) -> None:
        own = {"due_at": None, "last_error": _cut(outcome.reason), "attempts": entry.attempts + 1}
        changed = replace(entry, **{**own, **changes})
        tx.actions.change(changed, attempts=entry.attempts)
        tx.ledger.append(
            event,
            at=self._clock.now(),
            turn_id=entry.turn_id,
            conversation_id=entry.conversation_id,
            action=entry.id,
            attempt=entry.attempts,
            step=entry.step.value,
            unsure=changed.is_unsure,
        )
        if changed.due_at is not None:
            tx.announce(Job(kind=ACTION_JOB, key=entry.conversation_id), at=changed.due_at)

    def _again(self, entry: ActionEntry, outcome: Again) -> dict[str, Any]:
        due_at = self._later(self._backoff_s(entry, outcome))
        if entry.step is ActionStep.COMPENSATE:
            return {"due_at": due_at, "called_at": None}
        call = {"state": ActionState.APPROVED, "step": ActionStep.CALL}
        return {**call, "due_at": due_at, "is_unsure": outcome.is_unsure}

    def _done(self, entry: ActionEntry, outcome: Done) -> dict[str, Any]:
        settled = {"state": ActionState.DONE, "settled_at": self._clock.now(), "is_unsure": not outcome.is_read_back}
        return {**settled, "answer": _cut(outcome.answer), "provider_id": outcome.provider_id or entry.provider_id}

    def _later(self, seconds: float) -> datetime:
        return self._clock.now() + timedelta(seconds=seconds)

    def _backoff_s(self, entry: ActionEntry, outcome: Again) -> float:
        return backoff_s(
            max(entry.tries, 1),
            self._clock.random(),
            base_s=self._limits.backoff_base_s,
            max_s=self._limits.backoff_max_s,
            at_least_s=outcome.after_s or 0.0,
        )

    def _give_up(self, tx: Transaction, entry: ActionEntry, *, reasons: tuple[str, ...]) -> Hold | None:
        """The customer gets no reply that says otherwise than is: a person must know."""
        drop_waiting(tx, self._clock, entry.turn_id, why=reasons[0])
        turn = tx.turns.get(entry.turn_id)
        if turn.state is TurnState.DELIVERING:
            turn = tx.turns.advance(turn, TurnState.HANDED_OFF, finished_at=self._clock.now())
        for kind in (ACTION_JOB, OUTBOX_JOB, TURN_JOB):
            tx.announce(Job(kind=kind, key=entry.conversation_id))
        return give_to_person(
            tx,
            self._clock,
            turn,
            reasons=reasons,
            priority=UNDONE_PRIORITY,
            expires_after_s=None,
            nobody_home=self._nobody_home,
        )

    def _ask_person(self, tx: Transaction, turn: Turn) -> Hold:
        return open_hold(
            tx,
            self._clock,
            turn,
            kind=HoldKind.UNSURE_ACTION,
            reasons=("action_outcome_unknown",),
            priority=UNDONE_PRIORITY,
            expires_after_s=None,
        )


def _was_interrupted(entry: ActionEntry) -> bool:
    """Whether somebody began a call and recorded nothing, so that it may have been done. Whoever plans a compensation
    takes the time of the last call away; a read-back may begin any number of times."""
    if entry.state is not ActionState.EXECUTING:
        return False
    return entry.step is ActionStep.CALL or (entry.step is ActionStep.COMPENSATE and entry.called_at is not None)


def _cut(text: str | None) -> str | None:
    return None if text is None else text[:ANSWER_CHARS_MAX]
