"""Take in what colleagues remark in a help desk, once each by the help desk's own id; what it asks for is carried out in `deciding`.

What is stored is acknowledged. Whatever it takes to know who wrote it is asked afterwards, and again where nobody answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from understudy.assessment.cards import mask_cards
from understudy.backoff import backoff_s
from understudy.errors import ChannelUnreachable, StepSuperseded
from understudy.notes.deciding import Deciding, Finished
from understudy.ports.channel import KeepsNotes
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import RemarkTaken, Telemetry
from understudy.records.conversation import Conversation
from understudy.records.notes import Remark, RemarkKind, RemarkState, Said, Thread
from understudy.records.text import storable, storable_record
from understudy.records.turn import Job

REMARK_JOB: Final = "remark"
"""Do what a remark asks for."""
SWEEP_MAX: Final = 200
TRIES_MAX: Final = 10
"""So often a help desk is asked who wrote a remark; then nothing is done, and it is said so."""
BACKOFF_BASE_S: Final = 1.0
BACKOFF_MAX_S: Final = 120.0
LEASE_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A remark that is this worker's to look at, and its conversation as far as that is known."""

    remark: Remark
    conversation: Conversation | None
    thread: Thread | None


class Remarks:
    """Takes remarks in. `deciding` does what they ask for; `reviewed` are the channels on whose notes people decide."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        channels: Mapping[str, KeepsNotes],
        deciding: Deciding,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._channels = channels
        self._deciding = deciding

    async def take(self, channel: str, said: Said) -> bool:
        """Store a remark; False where it is known. Card numbers are masked before anything is stored."""
        said = storable_record(said)
        text, now = mask_cards(said.text)[0], self._clock.now()
        remark = Remark(
            id=self._clock.new_id("remark"),
            channel=channel,
            provider_id=said.id,
            kind=said.kind,
            state=RemarkState.RECEIVED,
            thread=said.thread,
            external_id=said.conversation,
            author=said.author,
            author_name=said.author_name,
            text=text,
            outcome=None,
            attempts=0,
            due_at=now,
            received_at=now,
        )

        def step(tx: Transaction) -> bool:
            if tx.remarks.known(channel, said.id) is not None:
                return False
            tx.remarks.add(remark)
            tx.ledger.append(
                "remark.received", at=now, channel=channel, remark=remark.id, kind=said.kind.value, id=said.id
            )
            tx.announce(Job(kind=REMARK_JOB, key=remark.id))
            return True

        return await self._store.write(step)

    async def look(self, remark_id: str) -> None:
        """Do what a remark asks for, if that was not done yet."""
        try:
            found = await self._store.write(lambda tx: self._lease(tx, remark_id))
            if found is not None:
                await self._carry(found)
        except StepSuperseded:
            return  # somebody else did

    async def sweep(self) -> int:
        """Announce every remark that is due."""

        def step(tx: Transaction) -> int:
            due = tx.remarks.due(self._clock.now(), limit=SWEEP_MAX)
            for remark in due:
                tx.announce(Job(kind=REMARK_JOB, key=remark.id))
            return len(due)

        return await self._store.write(step)

    def _lease(self, tx: Transaction, remark_id: str) -> _Found | None:
        remark, now = tx.remarks.get(remark_id), self._clock.now()
        if remark is None or remark.state is RemarkState.DONE or (remark.due_at is not None and remark.due_at > now):
            return None
        leased = replace(remark, attempts=remark.attempts + 1, due_at=now + timedelta(seconds=LEASE_S))
        tx.remarks.change(leased, attempts=remark.attempts)
        tx.ledger.append("remark.begun", at=now, channel=remark.channel, remark=remark.id, attempt=leased.attempts)
        thread = None if leased.thread is None else tx.notes.thread(leased.channel, leased.thread)
        external_id = leased.external_id or (None if thread is None else thread.external_id)
        known = None if external_id is None else tx.conversations.find(leased.channel, external_id)
        return _Found(remark=leased, conversation=known, thread=thread)

    async def _carry(self, found: _Found) -> None:
        remark, channel = found.remark, self._channels.get(found.remark.channel)
        if channel is None:
            await self._finish(remark, "not_configured")
            return
        try:
            conversation = found.conversation
            if remark.thread is not None and channel.needs_threads and found.thread is None:
                conversation = await self._link(remark, await channel.conversation_of(remark.thread))
            if remark.kind is RemarkKind.THREAD:
                await self._finish(remark, "no_conversation" if conversation is None else "linked")
            elif conversation is None:
                await self._finish(remark, "no_conversation")
            else:
                self._tell(remark, await self._deciding.decide(remark, conversation, channel))
        except ChannelUnreachable as error:
            await self._again(found, error.message)

    async def _link(self, remark: Remark, external_id: str | None) -> Conversation | None:
        """Keep which conversation a thread is."""
        assert remark.thread is not None, f"remark {remark.id} names no thread"
        named = None if external_id is None else storable(external_id)[:500]
        thread = Thread(channel=remark.channel, name=remark.thread, external_id=named, seen_at=self._clock.now())

        def step(tx: Transaction) -> Conversation | None:
            tx.notes.put_thread(thread)
            tx.ledger.append(
                "note.thread_found", at=thread.seen_at, channel=thread.channel, thread=thread.name, of=named
            )
            return None if named is None else tx.conversations.find(remark.channel, named)

        return await self._store.write(step)

    async def _again(self, found: _Found, why: str) -> None:
        """The help desk could not be asked: later, or, after so many tries, never."""
        remark = found.remark
        if remark.attempts >= TRIES_MAX:
            if found.conversation is not None and remark.kind is RemarkKind.COMMAND:
                self._tell(
                    remark,
                    await self._deciding.refuse(remark, found.conversation, "unreachable", f"{why}; write it again"),
                )
            else:
                await self._finish(remark, "unreachable")
            return
        delay_s = backoff_s(
            remark.attempts,
            self._clock.random(),
            base_s=BACKOFF_BASE_S,
            max_s=BACKOFF_MAX_S,
            at_least_s=BACKOFF_BASE_S,
        )
        due_at = self._clock.now() + timedelta(seconds=delay_s)

        def step(tx: Transaction) -> None:
            tx.remarks.change(replace(remark, due_at=due_at), attempts=remark.attempts)
            tx.ledger.append(
                "remark.delayed",
                at=self._clock.now(),
                channel=remark.channel,
                remark=remark.id,
                attempt=remark.attempts,
            )
            tx.announce(Job(kind=REMARK_JOB, key=remark.id), at=due_at)

        await self._store.write(step)

    async def _finish(self, remark: Remark, outcome: str) -> None:
        await self._store.write(lambda tx: self._deciding.finish(tx, remark, outcome))
        self._tell(remark, Finished(outcome=outcome))

    def _tell(self, remark: Remark, finished: Finished) -> None:
        self._telemetry.emit(RemarkTaken(channel=remark.channel, kind=remark.kind.value, outcome=finished.outcome))
