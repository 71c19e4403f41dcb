"""Send the outbox of a conversation: lease, send, record what the channel said, each committed on its own.

Promise: within a conversation entries leave in the order they were queued. A send whose outcome is unknown is repeated
only where the channel honours the key; else it is looked up; else a person says whether it reached the customer.

A lease bounds what one send may still do: it begins in the first half and is given up at the end, and bytes on their
way have arrived by then. That a channel never saw a message is believed only after the lease for the same reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from understudy.backoff import backoff_s
from understudy.delivery.directing import barred_by, direct
from understudy.delivery.entries import answered_by, ask_about_send, kept_back, latest_turn, turn_of
from understudy.delivery.leases import Lease, OptedOut, SafeToRepeat, is_nobodys
from understudy.effects.absence import NobodyHome
from understudy.effects.codes import fill_code
from understudy.effects.disclosing import Discloses, nothing_to_tell
from understudy.effects.handing_off import give_to_person
from understudy.effects.holds import hold_opened
from understudy.effects.sending import settle_sent
from understudy.effects.taking_along import TakenAlong
from understudy.effects.under_way import under_way
from understudy.effects.unsent import MAY_HAVE_ARRIVED, tries_of
from understudy.errors import StepSuperseded
from understudy.ports.channel import AnswersLetters, Channel
from understudy.ports.clock import Clock
from understudy.ports.dispatch import Dispatcher
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import MessageSent, Telemetry
from understudy.records.opt_out import OPTED_OUT
from understudy.records.outbox import (
    Accepted,
    OutboxEntry,
    OutboxState,
    Receipt,
    Rejected,
    Retry,
    SendResult,
    Unknown,
)
from understudy.records.pledges import USUAL_PLEDGES, PledgeTerms
from understudy.records.review import Hold
from understudy.records.text import storable, storable_record
from understudy.records.turn import OUTBOX_JOB, TURN_JOB, Job, Turn, TurnState

SWEEP_MAX = 500
UNDELIVERED_PRIORITY = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxLimits:
    """`lease_s` bounds one send; after `attempts_max` tries an entry is dead and a person takes the conversation.

    `lapse_s`: a send is another worker's after so long, unless it is renewed; None = after `lease_s`, and nobody has to
    renew. A channel that can only be looked up always has `lease_s`, for what was sent may take that long to show.
    """

    lease_s: float = 60.0
    lapse_s: float | None = None
    attempts_max: int = 8
    backoff_base_s: float = 1.0
    backoff_max_s: float = 300.0

    def __post_init__(self) -> None:
        if self.lease_s <= 0 or self.attempts_max < 1:
            raise ValueError("the outbox needs lease_s > 0 and attempts_max >= 1")


class Outbox:
    """Sends what is due. `disclose` settles what a message tells of its author before its first byte leaves. On the
    channels `minded` customers can say that they want no messages."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        channels: Mapping[str, Channel],
        *,
        limits: OutboxLimits,
        pledges: PledgeTerms = USUAL_PLEDGES,
        disclose: Discloses = nothing_to_tell,
        minded: Collection[str] = (),
        nobody_home: NobodyHome | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._channels = channels
        self._limits = limits
        self._pledges = pledges
        self._disclose = disclose
        self._minded = minded
        self._nobody_home = nobody_home
        self._under_way: set[OutboxEntry] = set()
        self._taken: TakenAlong[Lease] = TakenAlong(OUTBOX_JOB)

    async def deliver(self, conversation_id: str) -> None:
        """Send the conversation's entries in order until one has to wait."""
        lease = self._taken.pop(conversation_id) or await self._store.write(
            lambda tx: self._lease_next(tx, conversation_id)
        )
        try:
            while lease is not None:
                lease = await self._send(lease)
        except StepSuperseded:
            return  # Another worker has it.

    def begin(self, dispatcher: Dispatcher) -> None:
        """Send here what is decided here, from now on, as long as there is room."""
        self._taken.begin(dispatcher)

    def take_along(self, tx: Transaction, conversation_id: str) -> Lease | None:
        """Lease what may be sent in the step that queued it, if this process can send it at once."""
        if not self._taken.has_room():
            return None
        lease = self._lease_next(tx, conversation_id)
        if lease is not None:
            self._taken.leased(tx, conversation_id)
        return lease

    def go_on(self, conversation_id: str, taken: Lease) -> None:
        """Send what was taken along."""
        self._taken.put(conversation_id, taken)

    async def sweep(self) -> int:
        """Announce every conversation that has something due to be sent."""

        def step(tx: Transaction) -> int:
            due = tx.outbox.due(self._clock.now(), limit=SWEEP_MAX)
            for conversation_id in dict.fromkeys(entry.conversation_id for entry in due):
                tx.announce(Job(kind=OUTBOX_JOB, key=conversation_id))
            return len(due)

        return await self._store.write(step)

    async def renew(self) -> int:
        """Keep what is being sent here from lapsing; to be called several times in `lapse_s`. Returns for how many."""
        entries = self._leased()
        if entries and self._limits.lapse_s is not None:
            await self._lapse(entries, self._clock.now() + timedelta(seconds=self._limits.lapse_s))
        return len(entries)

    async def hand_over(self) -> None:
        """Let others settle at once what was cut off here by a stop."""
        if entries := self._leased():
            await self._lapse(entries, self._clock.now())

    def _leased(self) -> list[OutboxEntry]:
        """What this process sends now, or will at once, as far as its lease may be shorter than a send."""
        leased = [*self._under_way, *(lease.entry for lease in self._taken.waiting())]
        return [entry for entry in leased if not self._can_only_look_up(entry)]

    async def release_leases(self) -> None:
        """Make every send begun due now. Only for the start of a store's sole process: whoever sent is dead."""
        now = self._clock.now()
        later = now + timedelta(days=365)
        entries = await self._store.read(lambda tx: tx.outbox.due(later, limit=1_000_000))
        begun = [entry for entry in entries if entry.state is OutboxState.SENDING]
        await self._lapse([entry for entry in begun if not self._can_only_look_up(entry)], now)

    async def _lapse(self, entries: Sequence[OutboxEntry], at: datetime) -> None:
        def step(tx: Transaction) -> None:
            for entry in entries:
                tx.outbox.renew(entry, until=at)
                if at <= self._clock.now():
                    tx.announce(Job(kind=OUTBOX_JOB, key=entry.conversation_id))

        await self._store.write(step)

    def _can_only_look_up(self, entry: OutboxEntry) -> bool:
        channel = self._channels.get(entry.channel)
        return channel is not None and channel.capabilities.can_look_up and not channel.capabilities.honours_keys

    def _lease_next(self, tx: Transaction, conversation_id: str) -> Lease | None:
        """Take the next entry, if it is due: that a send began is on disk before its first byte leaves."""
        entry = tx.outbox.head(conversation_id)
        now = self._clock.now()
        if entry is None or entry.state is OutboxState.UNKNOWN or (entry.due_at is not None and entry.due_at > now):
            return None  # A person must say what became of it; or its time has not come, and the sweep knows when.
        directed = direct(tx, self._clock, self._channels, entry)
        entry, text = directed.entry, fill_code(tx, self._clock, directed.entry)
        ends = now + timedelta(seconds=self._limits.lease_s)
        lapses = now + timedelta(seconds=min(self._limits.lapse_s or self._limits.lease_s, self._limits.lease_s))
        leased = replace(
            self._disclose(tx, entry, now),
            state=OutboxState.SENDING,
            attempts=entry.attempts + 1,
            due_at=ends if self._can_only_look_up(entry) else lapses,
        )
        tx.outbox.change(leased, attempts=entry.attempts)
        tx.ledger.append(
            "outbox.sending",
            at=now,
            turn_id=entry.turn_id,
            conversation_id=entry.conversation_id,
            outbox=entry.id,
            attempt=leased.attempts,
        )
        was_interrupted = entry.state is OutboxState.SENDING
        barred = barred_by(directed, text)
        return Lease(entry=leased, ends=ends, was_interrupted=was_interrupted, text=text, barred=barred)

    async def _send(self, lease: Lease) -> Lease | None:
        """Send a leased entry, record what became of it and take the next in the same step."""
        entry = lease.entry
        began = self._clock.now()
        with under_way(self._under_way, entry):
            result = await self._try(lease)
            if result is None:
                return None
            return await self._record(entry, result, took_ms=(self._clock.now() - began).total_seconds() * 1000)

    async def _try(self, lease: Lease) -> SendResult | None:
        """Send, and settle what can be settled of an unknown outcome; None where it must be looked for again later."""
        entry = lease.entry
        channel = self._channels.get(entry.channel)
        if lease.barred is not None:
            return lease.barred
        if lease.was_interrupted:  # A send was begun and its worker died: it may have reached the customer.
            result: SendResult = Unknown(reason="the sending process stopped in the middle")
        elif lease.is_stale(
            self._clock.now(), self._limits.lease_s
        ):  # Another worker could take it over in the middle.
            return Retry(reason="this process stood still for so long that it did not begin to send")
        else:
            result = await self._kept_back(entry) or await self._ask(lease, "send")
        if not isinstance(result, Unknown) or channel is None:
            return result
        if channel.capabilities.honours_keys:
            return SafeToRepeat(reason=f"{result.reason}; safe to repeat, the channel honours the key")
        if not channel.capabilities.can_look_up:
            return result
        if lease.left_s(self._clock.now()) <= 0:
            return None
        found = await self._ask(lease, "look_up")
        # What was not seen so soon may still be on its way; when the lease has lapsed it is looked for again.
        return None if isinstance(found, Retry) and not lease.was_interrupted else found

    async def _kept_back(self, entry: OutboxEntry) -> Rejected | None:
        channel = self._channels.get(entry.channel)
        window_s = None if channel is None else channel.capabilities.window_s
        if window_s is None and entry.channel not in self._minded:
            return None
        return await self._store.read(lambda tx: kept_back(tx, entry, window_s, self._clock.now()))

    async def _ask(self, lease: Lease, what: str) -> SendResult:
        entry = lease.entry.as_sent()
        channel = self._channels.get(entry.channel)
        if channel is None:
            return Rejected(reason=f"channel {entry.channel!r} is not configured any more")
        try:
            async with asyncio.timeout(lease.left_s(self._clock.now())):
                result: object = await (self._sent_by(channel, lease) if what == "send" else channel.look_up(entry))
        except TimeoutError:
            return Unknown(reason=f"the channel did not answer in time (at most {self._limits.lease_s:g} s)")
        except Exception as error:  # noqa: BLE001 - whatever broke in the adapter, the bytes may have left
            return Unknown(reason=storable(f"{type(error).__name__}: {error}"))
        if not isinstance(result, SendResult):
            return Unknown(reason=f"the channel answered a {type(result).__name__}, which says nothing")
        return storable_record(result)

    async def _sent_by(self, channel: Channel, lease: Lease) -> SendResult:
        entry = (lease.entry if lease.text is None else replace(lease.entry, text=lease.text)).as_sent()
        if isinstance(channel, AnswersLetters):
            return await channel.send_letter(entry, await self._store.read(lambda tx: answered_by(tx, entry)))
        return await channel.send(entry)

    async def _record(self, entry: OutboxEntry, result: SendResult, *, took_ms: float) -> Lease | None:
        def step(tx: Transaction) -> tuple[str, Hold | None, Lease | None]:
            return (*self._write_result(tx, entry, result), self._lease_next(tx, entry.conversation_id))

        outcome, hold, following = await self._store.write(step)
        now = self._clock.now()
        self._telemetry.emit(
            MessageSent(
                outbox_id=entry.id,
                turn_id=entry.turn_id,
                channel=entry.channel,
                outcome=outcome,
                attempt=entry.attempts,
                took_ms=took_ms,
                age_s=(now - entry.created_at).total_seconds(),
            )
        )
        if hold is not None:
            self._telemetry.emit(hold_opened(hold))
        return following

    def _write_result(self, tx: Transaction, entry: OutboxEntry, result: SendResult) -> tuple[str, Hold | None]:
        """Write what the channel said and what follows from it; returns it in a word, and the hold it opened."""
        now = self._clock.now()
        is_unsure = isinstance(result, SafeToRepeat)
        result, outcome, tries = self._weigh(tx, entry, result)
        detail = None if isinstance(result, Accepted) else result.reason
        provider_id = result.provider_id if isinstance(result, Accepted) else None
        tx.outbox.add_receipt(
            Receipt(
                outbox_id=entry.id,
                attempt=entry.attempts,
                outcome=MAY_HAVE_ARRIVED if is_unsure and outcome == "retry" else outcome,
                provider_id=provider_id,
                detail=detail,
                at=now,
            )
        )
        tx.ledger.append(
            f"outbox.{outcome}",
            at=now,
            turn_id=entry.turn_id,
            conversation_id=entry.conversation_id,
            outbox=entry.id,
            attempt=entry.attempts,
        )
        return outcome, self._carry_out(tx, entry, result, tries)

    def _weigh(self, tx: Transaction, entry: OutboxEntry, result: SendResult) -> tuple[SendResult, str, int]:
        """What the result comes to after so many tries, in a word, and their number."""
        if not isinstance(result, Retry):
            return result, type(result).__name__.lower(), entry.attempts
        tries, was_unsure = tries_of(tx, entry)
        if tries < self._limits.attempts_max:
            return result, "retry", tries
        reason = f"given up after {tries} tries: {result.reason}"
        if was_unsure or isinstance(result, SafeToRepeat):
            return Unknown(reason=reason), "unknown", tries  # To say that the customer got nothing could be wrong.
        return Rejected(reason=reason), "dead", tries

    def _carry_out(self, tx: Transaction, entry: OutboxEntry, result: SendResult, tries: int) -> Hold | None:
        """Do what the channel's answer asks for; returns the hold it opens, if any."""
        turn = turn_of(tx, entry)
        match result:
            case Accepted():
                self._change(tx, entry, OutboxState.SENT)
                settle_sent(tx, self._clock, entry, turn, self._pledges)
                return None
            case Retry():
                delay_s = backoff_s(
                    tries,
                    self._clock.random(),
                    base_s=self._limits.backoff_base_s,
                    max_s=self._limits.backoff_max_s,
                    at_least_s=result.after_s or 0.0,
                )
                self._change(tx, entry, OutboxState.PENDING, delay_s=delay_s, error=result.reason)
                return None
            case Rejected() | Unknown() if is_nobodys(tx, entry):
                self._change(tx, entry, OutboxState.DEAD, error=result.reason)
                tx.announce(Job(kind=OUTBOX_JOB, key=entry.conversation_id))
                return None
            case Rejected():
                self._change(tx, entry, OutboxState.DEAD, error=result.reason)
                return self._give_up(tx, entry, turn, OPTED_OUT if isinstance(result, OptedOut) else "delivery_failed")
            case Unknown():
                self._change(tx, entry, OutboxState.UNKNOWN, error=result.reason)
                return ask_about_send(tx, self._clock, turn or latest_turn(tx, entry))

    def _change(
        self,
        tx: Transaction,
        entry: OutboxEntry,
        state: OutboxState,
        *,
        delay_s: float | None = None,
        error: str | None = None,
    ) -> None:
        due_at = None if delay_s is None else self._clock.now() + timedelta(seconds=delay_s)
        tx.outbox.change(replace(entry, state=state, due_at=due_at, last_error=error), attempts=entry.attempts)
        if due_at is not None:
            tx.announce(Job(kind=OUTBOX_JOB, key=entry.conversation_id), at=due_at)

    def _give_up(self, tx: Transaction, entry: OutboxEntry, turn: Turn | None, why: str) -> Hold | None:
        """The customer got nothing: a person must know."""
        if turn is not None and turn.state is TurnState.DELIVERING:
            turn = tx.turns.advance(turn, TurnState.HANDED_OFF, finished_at=self._clock.now())
        tx.announce(Job(kind=OUTBOX_JOB, key=entry.conversation_id))
        tx.announce(Job(kind=TURN_JOB, key=entry.conversation_id))
        return give_to_person(
            tx,
            self._clock,
            turn or latest_turn(tx, entry),
            reasons=(why,),
            priority=UNDELIVERED_PRIORITY,
            expires_after_s=None,
            nobody_home=None if why == OPTED_OUT else self._nobody_home,
        )
