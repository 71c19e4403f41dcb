"""Tell open tickets of the hand-offs they stand for: a note of what was answered, whose it is, that it is closed; it opens none.

Promise: the steps of a ticket are taken in their order, each under a key of its own, and what may have been done is not done
again blindly (`trying`). A step that a person has to look at keeps no later one waiting.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from understudy.errors import Conflict, NotFound, StepSuperseded
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.system import System
from understudy.ports.telemetry import Telemetry, TicketTried
from understudy.records.codec import digest
from understudy.records.conversation import Message
from understudy.records.outbox import Accepted, Retry, SendResult, Unknown
from understudy.records.systems import Order, Write
from understudy.records.text import storable, storable_record
from understudy.records.tickets import UNSETTLED_STEPS, StepState, Ticket, TicketStep
from understudy.tickets.ending import note_of, subject_of_note
from understudy.tickets.trying import TicketLimits, has_lapsed, tried

TOLD_MAX = 50
AT_ONCE_MAX = 8
MESSAGES_MAX = 200
PAGES_MAX = 20
ERROR_CHARS_MAX = 500
OLDEST = timedelta(days=30)
"""Of a ticket that is older, no news is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tells:
    """What a system's tickets are told. `people`: our users' names = as the system names them. `when_handed_back`: a hand-off is
    over when the agent answers again, and not as soon as a person answered."""

    system: System
    what: frozenset[Write] = frozenset({"note"})
    people: Mapping[str, str] = field(default_factory=dict)
    when_handed_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLease:
    """A step that is this worker's to do. `was_interrupted`: somebody began it before."""

    step: TicketStep
    was_interrupted: bool


class StepDesk:
    """Orders what is to be told, and tells it."""

    def __init__(self, store: Store, clock: Clock, telemetry: Telemetry, *, limits: TicketLimits) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._limits = limits

    def take_up(self, tx: Transaction, tells: Mapping[str, Tells]) -> list[StepLease]:
        """Order what open tickets are to be told, and lease what is due."""
        now = self._clock.now()
        for one in tells.values():
            news = tx.tickets.to_tell(
                one.system.name, when_handed_back=one.when_handed_back, since=now - OLDEST, limit=TOLD_MAX
            )
            for ticket in news:
                self._order(tx, ticket, one, now)
        due = [step for name in tells for step in tx.ticket_steps.due(name, now, limit=AT_ONCE_MAX)]
        return [self._lease(tx, step, now) for step in due]

    async def carry_out(self, lease: StepLease, system: System) -> None:
        """Tell the system, and record what came of it."""
        began, step = self._clock.now(), lease.step
        if has_lapsed(step.due_at, began):
            return  # Another worker may have it by now, and have looked in vain for what would only leave here.
        result = await tried(
            system,
            replace(step.ordered, tried_at=step.tried_at),
            attempts=step.attempts,
            was_interrupted=lease.was_interrupted,
            limits=self._limits,
        )
        if result is None:
            return  # It is looked for again when the lease lapsed: what was not seen so soon may still be on its way.
        try:
            outcome = await self._store.write(lambda tx: self._record(tx, step, result))
        except StepSuperseded:
            return  # Another worker has it.
        took_ms = (self._clock.now() - began).total_seconds() * 1000
        self._telemetry.emit(
            TicketTried(
                ticket_id=step.ticket_id,
                system=step.system,
                what=step.ordered.what,
                outcome=outcome,
                attempt=step.attempts,
                took_ms=took_ms,
            )
        )

    async def listed(self, states: Collection[StepState], *, limit: int) -> list[TicketStep]:
        """Steps in one of these states, the oldest first."""
        return await self._store.read(lambda tx: tx.ticket_steps.listed(states, limit=limit))

    async def has(self, step_id: str) -> bool:
        """Whether there is such a step."""
        try:
            await self._store.read(lambda tx: tx.ticket_steps.get(step_id))
        except NotFound:
            return False
        return True

    async def settle(self, step_id: str, *, to: StepState, actor: str) -> TicketStep:
        """What a person says of a step that nothing more happens to: it is to be tried again (*pending*), was done, or is not
        done (*dropped*). Raises `NotFound`, and `Conflict` where it is not theirs to say."""

        def write(tx: Transaction) -> TicketStep:
            step, now = tx.ticket_steps.get(step_id), self._clock.now()
            if step.state not in UNSETTLED_STEPS:
                raise Conflict(f"step {step_id} is {step.state.value}; nothing has to be said of it")
            due_at = now if to is StepState.PENDING else None
            settled = replace(step, state=to, due_at=due_at, attempts=step.attempts + 1)
            tx.ticket_steps.change(settled, attempts=step.attempts)
            tx.ledger.append(
                "ticket_step.settled",
                at=now,
                turn_id=step.turn_id,
                conversation_id=step.conversation_id,
                actor=actor,
                ticket=step.ticket_id,
                step=step.id,
                system=step.system,
                was=step.state.value,
                state=to.value,
            )
            return settled

        return await self._store.write(write)

    def _order(self, tx: Transaction, ticket: Ticket, tells: Tells, now: datetime) -> None:
        """Order what there is to tell of a ticket, and remember that it was ordered."""
        conversation = tx.conversations.get(ticket.conversation_id)
        is_over = tx.tickets.is_over(ticket.id, when_handed_back=tells.when_handed_back)
        given_to = conversation.taken_by or ticket.given_to
        place = len(tx.ticket_steps.of_ticket(ticket.id)) + 1
        what = tells.what if ticket.number is not None else frozenset()  # it has no name by which to speak of it
        assignee = tells.people.get(given_to or "")
        if assignee and given_to != ticket.given_to and "assign" in what:
            self._add(tx, ticket, "assign", place, now, assignee=assignee)
            place += 1
        if is_over and "note" in what:
            key, said = step_key(ticket.id, place), self._said(tx, ticket)
            text = note_of(key, conversation, said, closes=not tells.when_handed_back)
            self._add(tx, ticket, "note", place, now, subject=subject_of_note(key), text=text)
            place += 1
        if is_over and "close" in what:
            self._add(tx, ticket, "close", place, now)
        tx.tickets.change(replace(ticket, is_over=is_over, given_to=given_to), attempts=ticket.attempts)
        if given_to != ticket.given_to:
            self._tell_ledger(tx, "ticket.taken", ticket, now)
        if is_over:
            self._tell_ledger(tx, "ticket.over", ticket, now)

    def _tell_ledger(self, tx: Transaction, event: str, ticket: Ticket, now: datetime) -> None:
        tx.ledger.append(
            event,
            at=now,
            turn_id=ticket.turn_id,
            conversation_id=ticket.conversation_id,
            ticket=ticket.id,
            system=ticket.system,
        )

    def _said(self, tx: Transaction, ticket: Ticket) -> list[Message]:
        since = tx.holds.get(ticket.hold_id).created_at
        said: list[Message] = []
        for _ in range(PAGES_MAX):
            after = said[-1].seq if said else 0
            page = tx.messages.of_conversation(ticket.conversation_id, after=after, limit=MESSAGES_MAX)
            said += page
            if len(page) < MESSAGES_MAX:
                break
        return [message for message in said if message.at >= since]

    def _add(
        self,
        tx: Transaction,
        ticket: Ticket,
        what: Write,
        place: int,
        now: datetime,
        *,
        assignee: str = "",
        subject: str = "",
        text: str = "",
    ) -> None:
        key = step_key(ticket.id, place)
        order = Order(what=what, key=key, ticket=ticket.number, assignee=assignee, subject=subject, text=text)
        step = TicketStep(
            id=key,
            ticket_id=ticket.id,
            place=place,
            system=ticket.system,
            turn_id=ticket.turn_id,
            conversation_id=ticket.conversation_id,
            state=StepState.PENDING,
            attempts=0,
            due_at=now,
            tried_at=None,
            last_error=None,
            ordered=storable_record(order),
            created_at=now,
        )
        tx.ticket_steps.add(step)
        tx.ledger.append(
            "ticket_step.ordered",
            at=now,
            turn_id=step.turn_id,
            conversation_id=step.conversation_id,
            ticket=step.ticket_id,
            step=step.id,
            system=step.system,
            what=what,
            text=digest(step.ordered.text),
        )

    def _lease(self, tx: Transaction, step: TicketStep, now: datetime) -> StepLease:
        """Take a step: that a try began is on disk before its first byte leaves."""
        is_new = step.state is StepState.PENDING
        leased = replace(
            step,
            state=StepState.SENDING,
            attempts=step.attempts + 1,
            due_at=now + timedelta(seconds=self._limits.lease_s),
            tried_at=now if is_new else step.tried_at,
        )
        tx.ticket_steps.change(leased, attempts=step.attempts)
        tx.ledger.append(
            "ticket_step.sending",
            at=now,
            turn_id=step.turn_id,
            conversation_id=step.conversation_id,
            ticket=step.ticket_id,
            step=step.id,
            system=step.system,
            attempt=leased.attempts,
        )
        return StepLease(step=leased, was_interrupted=not is_new)

    def _record(self, tx: Transaction, step: TicketStep, result: SendResult) -> str:
        """Write what became of a try, and return it in a word."""
        reason = None if isinstance(result, Accepted) else storable(result.reason)[:ERROR_CHARS_MAX]
        changed = replace(step, due_at=None, last_error=reason)
        match result:
            case Accepted():
                changed = replace(changed, state=StepState.DONE)
            case Retry() if step.attempts < self._limits.attempts_max:
                pause = self._limits.pause(self._clock, step.attempts, at_least_s=result.after_s or 0.0)
                changed = replace(changed, state=StepState.PENDING, due_at=self._clock.now() + pause)
            case Unknown():
                changed = replace(changed, state=StepState.UNKNOWN)
            case _:
                changed = replace(changed, state=StepState.DEAD)
        tx.ticket_steps.change(changed, attempts=step.attempts)
        outcome = "retry" if changed.state is StepState.PENDING else changed.state.value
        tx.ledger.append(
            f"ticket_step.{outcome}",
            at=self._clock.now(),
            turn_id=step.turn_id,
            conversation_id=step.conversation_id,
            ticket=step.ticket_id,
            step=step.id,
            system=step.system,
            attempt=step.attempts,
        )
        return outcome


def step_key(ticket_id: str, place: int) -> str:
    """The key of a ticket's step: the same however often it is ordered, so that it is ordered once."""
    return f"{ticket_id}-{place}"
