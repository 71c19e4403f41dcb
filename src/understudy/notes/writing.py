"""Write notes into help desks: which ones, in order, each once. It reads no remark.

A note is a row before its first byte leaves, so a crash repeats no note blindly: one whose writing was cut off, or has an
unknown outcome, is looked for by its key where the help desk can be asked, and else left, with the hold in the console.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from understudy.backoff import backoff_s
from understudy.errors import StepSuperseded
from understudy.notes.showing import NOTED, NOTES_JOB, Desk, note_told, reconcile
from understudy.ports.channel import KeepsNotes
from understudy.ports.clock import Clock
from understudy.ports.store import Committed, Store, Transaction
from understudy.ports.telemetry import NoteWritten, Telemetry
from understudy.records.ledger import readable_body
from understudy.records.notes import Note, NoteState
from understudy.records.outbox import Accepted, Rejected, Retry, SendResult, Unknown
from understudy.records.review import Hold
from understudy.records.text import storable, storable_record
from understudy.records.turn import Job

NOTE_JOB: Final = "note"
"""Look at what a hold's notes say."""
SWEEP_MAX: Final = 200
TOLD_WITHIN: Final = timedelta(days=1)
"""Outcomes older than this are told to nobody any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteLimits:
    """`lease_s` bounds one write; after `attempts_max` tries a note is given up, and its hold stays in the console."""

    lease_s: float = 60.0
    attempts_max: int = 8
    backoff_base_s: float = 1.0
    backoff_max_s: float = 300.0


class Notes:
    """Writes what `channels` have to show; `desks` say how each takes part."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        channels: Mapping[str, KeepsNotes],
        desks: Mapping[str, Desk],
        *,
        limits: NoteLimits,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._channels = channels
        self._desks = desks
        self._limits = limits

    def hear(self, committed: Committed) -> Sequence[tuple[Job, None]]:
        """What a commit asks to be looked at: every hold that it tells of."""
        if not self._desks:
            return ()
        told = (entry for entry in committed.entries if entry.event.startswith("hold."))
        ids = dict.fromkeys(str(readable_body(entry).get("hold")) for entry in told)
        return [(Job(kind=NOTE_JOB, key=hold_id), None) for hold_id in ids]

    async def look(self, hold_id: str) -> None:
        """Add the note that a hold lacks, and write what is to be written in its conversation."""

        def step(tx: Transaction) -> str | None:
            hold = tx.holds.get(hold_id)
            desk = self._desks.get(hold.channel)
            return None if desk is None else reconcile(tx, self._clock, hold, desk)

        is_ours = await self._store.read(lambda tx: self._concerns(tx.holds.get(hold_id)))
        conversation_id = await self._store.write(step) if is_ours else None
        if conversation_id is not None:
            await self.write(conversation_id)

    async def write(self, conversation_id: str) -> None:
        """Write the notes of a conversation in order until one has to wait."""
        try:
            while (leased := await self._store.write(lambda tx: self._lease(tx, conversation_id))) is not None:
                note, was_interrupted = leased
                if not await self._record(note, await self._try(note, was_interrupted=was_interrupted)):
                    return
        except StepSuperseded:
            return  # another worker has it

    async def sweep(self) -> int:
        """Announce every hold that lacks a note, and every note that is due."""
        if not self._desks:
            return 0
        linked = [name for name, desk in self._desks.items() if desk.needs_threads]
        since = self._clock.now() - TOLD_WITHIN

        def step(tx: Transaction) -> int:
            lacking = tx.notes.unnoted(self._desks.keys(), linked=linked, limit=SWEEP_MAX)
            lacking += tx.notes.untold(self._desks.keys(), since=since, limit=SWEEP_MAX)
            for hold_id in lacking:
                tx.announce(Job(kind=NOTE_JOB, key=hold_id))
            due = {note.conversation_id for note in tx.notes.due(self._clock.now(), limit=SWEEP_MAX)}
            for conversation_id in due:
                tx.announce(Job(kind=NOTES_JOB, key=conversation_id))
            return len(lacking) + len(due)

        return await self._store.write(step)

    def _concerns(self, hold: Hold) -> bool:
        return hold.channel in self._desks and hold.kind in NOTED

    def _lease(self, tx: Transaction, conversation_id: str) -> tuple[Note, bool] | None:
        """Take the next note, if it is due; that its writing began is on disk before its first byte leaves."""
        note, now = tx.notes.head(conversation_id), self._clock.now()
        if note is None or note.channel not in self._channels or (note.due_at is not None and note.due_at > now):
            return None
        leased = replace(
            note,
            state=NoteState.WRITING,
            attempts=note.attempts + 1,
            due_at=now + timedelta(seconds=self._limits.lease_s),
        )
        tx.notes.change(leased, attempts=note.attempts)
        note_told(tx, self._clock, "note.writing", leased)
        return leased, note.state is NoteState.WRITING

    async def _try(self, note: Note, *, was_interrupted: bool) -> SendResult:
        channel = self._channels[note.channel]
        if not was_interrupted:
            return await self._asked(note, channel.write_note)
        if not channel.looks_up_notes:
            return Unknown(reason="the writing process stopped in the middle, and the help desk cannot be asked")
        found = await self._asked(note, channel.look_up_note)
        return await self._asked(note, channel.write_note) if isinstance(found, Retry) else found

    async def _asked(self, note: Note, ask: object) -> SendResult:
        try:
            async with asyncio.timeout(self._limits.lease_s / 2):
                result: object = await ask(note)  # type: ignore[operator]
        except TimeoutError:
            return Unknown(reason=f"the help desk did not answer within {self._limits.lease_s / 2:g} s")
        except Exception as error:  # noqa: BLE001 - whatever broke in the adapter, the bytes may have left
            return Unknown(reason=storable(f"{type(error).__name__}: {error}"))
        if not isinstance(result, SendResult):
            return Unknown(reason=f"the channel answered a {type(result).__name__}, which says nothing")
        return storable_record(result)

    async def _record(self, note: Note, result: SendResult) -> bool:
        """Write down what became of a note; whether the next may follow now."""
        changed, outcome = self._weigh(note, result)

        def step(tx: Transaction) -> None:
            tx.notes.change(changed, attempts=note.attempts)
            tx.ledger.append(
                f"note.{outcome}",
                at=self._clock.now(),
                conversation_id=note.conversation_id,
                note=note.id,
                kind=note.kind.value,
                hold=note.hold_id,
                attempt=note.attempts,
            )
            if changed.due_at is not None:
                tx.announce(Job(kind=NOTES_JOB, key=changed.conversation_id), at=changed.due_at)

        await self._store.write(step)
        self._telemetry.emit(
            NoteWritten(
                note_id=note.id, channel=note.channel, kind=note.kind.value, outcome=outcome, attempt=note.attempts
            )
        )
        return changed.due_at is None

    def _weigh(self, note: Note, result: SendResult) -> tuple[Note, str]:
        limits, is_last = self._limits, note.attempts >= self._limits.attempts_max
        match result:
            case Accepted():
                done = replace(note, state=NoteState.WRITTEN, due_at=None, last_error=None)
                return replace(done, provider_id=result.provider_id), "written"
            case Rejected():
                return replace(note, state=NoteState.FAILED, due_at=None, last_error=result.reason), "failed"
            case Retry():
                if is_last:
                    return replace(note, state=NoteState.FAILED, due_at=None, last_error=result.reason), "failed"
                delay_s = backoff_s(
                    note.attempts,
                    self._clock.random(),
                    base_s=limits.backoff_base_s,
                    max_s=limits.backoff_max_s,
                    at_least_s=result.after_s or 0.0,
                )
                due_at = self._clock.now() + timedelta(seconds=delay_s)
                return replace(note, state=NoteState.PENDING, due_at=due_at, last_error=result.reason), "retry"
            case Unknown():
                if is_last or not self._channels[note.channel].looks_up_notes:
                    return replace(note, state=NoteState.UNKNOWN, due_at=None, last_error=result.reason), "unknown"
                # It may still be on its way: when the lease has lapsed it is looked for.
                return replace(note, last_error=result.reason), "unsure"
