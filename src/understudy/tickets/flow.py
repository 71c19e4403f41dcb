"""Open a ticket for each hand-off in the systems that are to have one: ordered, leased, opened, recorded, each committed.

Promise: for one hand-off a system gets one ticket (`trying` says how), and what comes after it in the same conversation none
before it is over. The conversation waits for a person here all the while, whatever becomes of the ticket. What it is told
afterwards stands in `telling`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from understudy.assessment.summary import subject_of, text_of
from understudy.effects.summing_up import case_of
from understudy.effects.vouching import Proofs, who_of
from understudy.errors import Conflict, StepSuperseded
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.system import System
from understudy.ports.telemetry import Telemetry, TicketTried
from understudy.records.codec import digest
from understudy.records.facts import Facts
from understudy.records.outbox import Accepted, Retry, SendResult, Unknown
from understudy.records.review import Hold, HoldState
from understudy.records.systems import Order
from understudy.records.text import storable, storable_record
from understudy.records.tickets import UNSETTLED, Ticket, TicketState
from understudy.tickets.telling import StepDesk, StepLease, Tells
from understudy.tickets.trying import TicketLimits, has_lapsed, tried

ORDERED_MAX = 50
AT_ONCE_MAX = 8
ERROR_CHARS_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Opens:
    """A system that gets a ticket for each hand-off. `believes`: channels of which all that they tell is taken for proven.
    `tells`: what is said of a ticket once it is open."""

    system: System
    assignee: str = ""
    believes: frozenset[str] = frozenset()
    tells: Tells | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lease:
    """A ticket that is this worker's to open. `was_interrupted`: somebody began to open it before."""

    ticket: Ticket
    was_interrupted: bool


class TicketDesk:
    """Opens what is due. `link_of` says where people see a hold, `awaits` whether its ticket had better wait a little: a summary
    is being written."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        opens: Sequence[Opens],
        *,
        proofs: Proofs,
        link_of: Callable[[str], str] = lambda _hold: "",
        awaits: Callable[[Transaction, Hold], bool] = lambda _tx, _hold: False,
        limits: TicketLimits | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._opens = {one.system.name: one for one in opens}
        self._proofs = proofs
        self._link_of = link_of
        self._awaits = awaits
        self._limits = limits or TicketLimits()
        self._tells = {one.system.name: one.tells or Tells(system=one.system, what=frozenset()) for one in opens}
        self.steps = StepDesk(store, clock, telemetry, limits=self._limits)

    async def sweep(self) -> int:
        """Order what is missing, open what is due, and tell what there is to tell; returns how many were tried."""
        if not self._opens:
            return 0
        leases, steps = await self._store.write(self._take_up)
        telling = (self.steps.carry_out(lease, self._opens[lease.step.system].system) for lease in steps)
        await asyncio.gather(*(self._open(lease) for lease in leases), *telling)
        return len(leases) + len(steps)

    async def listed(self, states: Collection[TicketState], *, limit: int) -> list[Ticket]:
        """Tickets in one of these states, the oldest first."""
        return await self._store.read(lambda tx: tx.tickets.listed(states, limit=limit))

    async def settle(self, ticket_id: str, *, to: TicketState, actor: str, number: str | None = None) -> Ticket:
        """What a person says of a ticket that nothing more happens to: it is to be tried again (*pending*), was opened, or
        is not opened (*dropped*). Raises `NotFound`, and `Conflict` where it is not theirs to say."""

        def step(tx: Transaction) -> Ticket:
            ticket, now = tx.tickets.get(ticket_id), self._clock.now()
            if ticket.state not in UNSETTLED:
                raise Conflict(f"ticket {ticket_id} is {ticket.state.value}; nothing has to be said of it")
            due_at = now if to is TicketState.PENDING else None
            number_ = number if to is TicketState.OPENED else None
            settled = replace(ticket, state=to, due_at=due_at, number=number_, attempts=ticket.attempts + 1)
            tx.tickets.change(settled, attempts=ticket.attempts)
            tx.ledger.append(
                "ticket.settled",
                at=now,
                turn_id=ticket.turn_id,
                conversation_id=ticket.conversation_id,
                actor=actor,
                ticket=ticket.id,
                system=ticket.system,
                was=ticket.state.value,
                state=to.value,
                number=number_,
            )
            return settled

        return await self._store.write(step)

    def _take_up(self, tx: Transaction) -> tuple[list[_Lease], list[StepLease]]:
        """Order tickets for hand-offs that have none, and what open ones are to be told, and lease what is due."""
        now = self._clock.now()
        steps = self.steps.take_up(tx, self._tells)  # before: whose last hand-off is over, may have another
        for opens in self._opens.values():
            for hold in tx.tickets.missing(opens.system.name, limit=ORDERED_MAX):
                if not self._awaits(tx, hold):
                    self._order(tx, opens, hold, now)
        due = [ticket for name in self._opens for ticket in tx.tickets.due(name, now, limit=AT_ONCE_MAX)]
        leases = [self._lease(tx, ticket, now) for ticket in due]
        return [lease for lease in leases if lease is not None], steps

    def _order(self, tx: Transaction, opens: Opens, hold: Hold, now: datetime) -> None:
        ticket_id = self._clock.new_id("tk")
        ticket = Ticket(
            id=ticket_id,
            system=opens.system.name,
            hold_id=hold.id,
            turn_id=hold.turn_id,
            conversation_id=hold.conversation_id,
            state=TicketState.PENDING,
            attempts=0,
            due_at=now,
            tried_at=None,
            number=None,
            last_error=None,
            ordered=storable_record(self._ordered(tx, opens, hold, ticket_id, now)),
            created_at=now,
        )
        tx.tickets.add(ticket)
        tx.ledger.append(
            "ticket.ordered",
            at=now,
            turn_id=ticket.turn_id,
            conversation_id=ticket.conversation_id,
            ticket=ticket.id,
            system=ticket.system,
            hold=hold.id,
            text=digest(ticket.ordered.text),
        )

    def _ordered(self, tx: Transaction, opens: Opens, hold: Hold, key: str, now: datetime) -> Order:
        turn, contact = (
            tx.turns.get(hold.turn_id),
            tx.contacts.get(tx.conversations.get(hold.conversation_id).contact_id),
        )
        who = who_of(tx, turn, self._proofs)
        known = who.told if turn.channel in opens.believes else who.proven
        case = case_of(tx, turn, hold.reasons, now, hold_id=hold.id, key=key, link=self._link_of(hold.id))
        return Order(
            what="create",
            key=key,
            subject=subject_of(case),
            text=text_of(case),
            assignee=opens.assignee,
            name=contact.name or "",
            link=case.link,
            known=replace(known, contact_id=_contact_id(case.facts, opens.system.name)),
        )

    def _lease(self, tx: Transaction, ticket: Ticket, now: datetime) -> _Lease | None:
        """Take a ticket: that a try began is on disk before its first byte leaves."""
        is_new = ticket.state is TicketState.PENDING
        if is_new and tx.holds.get(ticket.hold_id).state is not HoldState.OPEN:
            dropped = replace(ticket, state=TicketState.DROPPED, due_at=None, attempts=ticket.attempts + 1)
            tx.tickets.change(dropped, attempts=ticket.attempts)
            self._note(tx, dropped, "ticket.dropped")
            return None
        leased = replace(
            ticket,
            state=TicketState.SENDING,
            attempts=ticket.attempts + 1,
            due_at=now + timedelta(seconds=self._limits.lease_s),
            tried_at=now if is_new else ticket.tried_at,
        )
        tx.tickets.change(leased, attempts=ticket.attempts)
        self._note(tx, leased, "ticket.sending")
        return _Lease(ticket=leased, was_interrupted=not is_new)

    async def _open(self, lease: _Lease) -> None:
        began = self._clock.now()
        if has_lapsed(lease.ticket.due_at, began):
            return  # Another worker may have it by now, and have looked in vain for what would only leave here.
        result = await self._try(lease)
        if result is None:
            return  # It is looked for again when the lease lapsed: what was not seen so soon may still be on its way.
        try:
            outcome = await self._store.write(lambda tx: self._record(tx, lease.ticket, result))
        except StepSuperseded:
            return  # Another worker has it.
        took_ms = (self._clock.now() - began).total_seconds() * 1000
        ticket = lease.ticket
        self._telemetry.emit(
            TicketTried(
                ticket_id=ticket.id,
                system=ticket.system,
                what="create",
                outcome=outcome,
                attempt=ticket.attempts,
                took_ms=took_ms,
            )
        )

    async def _try(self, lease: _Lease) -> SendResult | None:
        ticket = lease.ticket
        return await tried(
            self._opens[ticket.system].system,
            replace(ticket.ordered, tried_at=ticket.tried_at),
            attempts=ticket.attempts,
            was_interrupted=lease.was_interrupted,
            limits=self._limits,
        )

    def _record(self, tx: Transaction, ticket: Ticket, result: SendResult) -> str:
        """Write what became of a try, and return it in a word."""
        now = self._clock.now()
        reason = None if isinstance(result, Accepted) else storable(result.reason)[:ERROR_CHARS_MAX]
        changed = replace(ticket, due_at=None, last_error=reason)
        match result:
            case Accepted():
                changed = replace(changed, state=TicketState.OPENED, number=result.provider_id)
            case Retry() if ticket.attempts < self._limits.attempts_max:
                pause = self._limits.pause(self._clock, ticket.attempts, at_least_s=result.after_s or 0.0)
                changed = replace(changed, state=TicketState.PENDING, due_at=now + pause)
            case Unknown():
                changed = replace(changed, state=TicketState.UNKNOWN)
            case _:
                changed = replace(changed, state=TicketState.DEAD)
        tx.tickets.change(changed, attempts=ticket.attempts)
        outcome = "retry" if changed.state is TicketState.PENDING else changed.state.value
        tx.ledger.append(
            f"ticket.{outcome}",
            at=now,
            turn_id=ticket.turn_id,
            conversation_id=ticket.conversation_id,
            ticket=ticket.id,
            system=ticket.system,
            attempt=ticket.attempts,
            number=changed.number,
        )
        return outcome

    def _note(self, tx: Transaction, ticket: Ticket, event: str) -> None:
        tx.ledger.append(
            event,
            at=self._clock.now(),
            turn_id=ticket.turn_id,
            conversation_id=ticket.conversation_id,
            ticket=ticket.id,
            system=ticket.system,
            attempt=ticket.attempts,
        )


def _contact_id(facts: Sequence[Facts], system: str) -> str | None:
    """The system's own name for the customer, where it was read."""
    for one in facts:
        if one.system == system and one.about == "contact" and one.unknown is None and len(one.items) == 1:
            return one.items[0].id
    return None
