"""Tickets of hand-offs, and what systems answer, in SQL; a ticket changes only under the attempt number it was read with."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select, text, update

from understudy.adapters.stores.rows import Rows
from understudy.adapters.stores.session import Session, columns_of, record_of
from understudy.adapters.stores.statement import Statement, among, insert_into
from understudy.adapters.stores.tables import conversations, holds, messages
from understudy.adapters.stores.ticket_tables import contracts, ticket_steps, tickets
from understudy.errors import NotFound, StepSuperseded
from understudy.records.conversation import Author, Mode
from understudy.records.facts import About
from understudy.records.review import Hold, HoldKind, HoldState
from understudy.records.systems import Contract
from understudy.records.tickets import StepState, Ticket, TicketState, TicketStep

_TICKET = columns_of(tickets, Ticket)
_BY_ID = Statement(select(*_TICKET).where(tickets.c.id == bindparam("id")))
_OF_CONVERSATION = Statement(
    select(*_TICKET)
    .where(tickets.c.conversation_id == bindparam("conversation_id"))
    .order_by(tickets.c.created_at, tickets.c.id)
)
_DUE = Statement(
    select(*_TICKET)
    .where(
        among(tickets.c.state, [TicketState.PENDING, TicketState.SENDING]),
        tickets.c.due_at <= bindparam("now"),
        tickets.c.system == bindparam("system"),
    )
    .order_by(tickets.c.due_at)
    .limit(bindparam("limit"))
)
_MISSING = Statement(
    select(*columns_of(holds, Hold))
    .where(
        among(holds.c.state, [HoldState.OPEN]),
        among(holds.c.kind, [HoldKind.HAND_OFF]),
        ~exists().where(tickets.c.hold_id == holds.c.id, tickets.c.system == bindparam("system")),
        ~exists().where(
            tickets.c.conversation_id == holds.c.conversation_id,
            tickets.c.system == bindparam("system"),
            among(tickets.c.state, [TicketState.PENDING, TicketState.SENDING, TicketState.OPENED]),
            ~tickets.c.is_over,
        ),
    )
    .order_by(holds.c.created_at, holds.c.id)
    .limit(bindparam("limit"))
)
_WAITING = holds.alias("waiting")
_NOBODY_WAITS = ~exists().where(
    _WAITING.c.conversation_id == tickets.c.conversation_id,
    among(_WAITING.c.state, [HoldState.OPEN]),
    among(_WAITING.c.kind, [HoldKind.HAND_OFF]),
)
_IS_ANSWERED = exists().where(
    messages.c.conversation_id == tickets.c.conversation_id,
    among(messages.c.author, [Author.REVIEWER]),
    messages.c.at >= holds.c.created_at,
)
_IS_TAKEN = and_(conversations.c.taken_by.is_not(None), conversations.c.taken_by.is_distinct_from(tickets.c.given_to))
_IS_HANDED_BACK = among(conversations.c.mode, [Mode.AGENT])


def _to_tell(ended: ColumnElement[bool]) -> Statement:
    return Statement(
        select(*_TICKET)
        .join(conversations, conversations.c.id == tickets.c.conversation_id)
        .join(holds, holds.c.id == tickets.c.hold_id)
        .where(
            text("tickets.state = 'opened' AND NOT tickets.is_over"),
            tickets.c.created_at >= bindparam("since"),
            tickets.c.system == bindparam("system"),
            or_(_IS_TAKEN, and_(_NOBODY_WAITS, ended)),
        )
        .order_by(tickets.c.created_at, tickets.c.id)
        .limit(bindparam("limit"))
    )


def _over(ended: ColumnElement[bool]) -> Statement:
    return Statement(
        select(tickets.c.id)
        .join(conversations, conversations.c.id == tickets.c.conversation_id)
        .join(holds, holds.c.id == tickets.c.hold_id)
        .where(tickets.c.id == bindparam("id"), _NOBODY_WAITS, ended)
    )


_TO_TELL = {True: _to_tell(_IS_HANDED_BACK), False: _to_tell(or_(_IS_HANDED_BACK, _IS_ANSWERED))}
_OVER = {True: _over(_IS_HANDED_BACK), False: _over(or_(_IS_HANDED_BACK, _IS_ANSWERED))}
_STEP = columns_of(ticket_steps, TicketStep)
_STEP_BY_ID = Statement(select(*_STEP).where(ticket_steps.c.id == bindparam("id")))
_STEPS_OF = Statement(
    select(*_STEP).where(ticket_steps.c.ticket_id == bindparam("ticket_id")).order_by(ticket_steps.c.place)
)
_EARLIER = ticket_steps.alias("earlier")
_TO_DO = [StepState.PENDING, StepState.SENDING]
_DUE_STEPS = Statement(
    select(*_STEP)
    .where(
        among(ticket_steps.c.state, _TO_DO),
        ticket_steps.c.due_at <= bindparam("now"),
        ticket_steps.c.system == bindparam("system"),
        ~exists().where(
            _EARLIER.c.ticket_id == ticket_steps.c.ticket_id,
            _EARLIER.c.place < ticket_steps.c.place,
            among(_EARLIER.c.state, _TO_DO),
        ),
    )
    .order_by(ticket_steps.c.due_at)
    .limit(bindparam("limit"))
)
_CONTRACT = columns_of(contracts, Contract)
_CONTRACTS = Statement(select(*_CONTRACT).order_by(contracts.c.system, contracts.c.about))
_ONE = (contracts.c.system == bindparam("which"), contracts.c.about == bindparam("what"))
_CONTRACT_OF = Statement(select(*_CONTRACT).where(*_ONE))
_ADD_CONTRACT = insert_into(contracts)
_CHANGE_CONTRACT = Statement(
    update(contracts).where(*_ONE).values(shape=bindparam("new_shape"), changed_at=bindparam("new_changed_at"))
)
_TICKETS = Rows(
    tickets,
    Ticket,
    key=("id",),
    fence="attempts",
    changing=("state", "attempts", "due_at", "tried_at", "number", "last_error", "is_over", "given_to"),
)
_STEPS = Rows(
    ticket_steps,
    TicketStep,
    key=("id",),
    fence="attempts",
    changing=("state", "attempts", "due_at", "tried_at", "last_error"),
)


@cache
def _listed(states: frozenset[TicketState]) -> Statement:
    query = select(*_TICKET).where(among(tickets.c.state, states))
    return Statement(query.order_by(tickets.c.created_at, tickets.c.id).limit(bindparam("limit")))


@cache
def _steps_listed(states: frozenset[StepState]) -> Statement:
    query = select(*_STEP).where(among(ticket_steps.c.state, states))
    return Statement(query.order_by(ticket_steps.c.created_at, ticket_steps.c.id).limit(bindparam("limit")))


class SqlTickets:
    """`ports.tickets.Tickets` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def missing(self, system: str, *, limit: int) -> list[Hold]:
        return [record_of(Hold, row) for row in self._session.rows(_MISSING, system=system, limit=limit)]

    def add(self, ticket: Ticket) -> None:
        self._session.add(_TICKETS, _TICKETS.of(ticket))

    def get(self, ticket_id: str) -> Ticket:
        row = self._session.row_at(_TICKETS, _BY_ID, id=ticket_id)
        if row is None:
            raise NotFound(f"there is no ticket {ticket_id!r}; `understudy systems tickets` lists them")
        return record_of(Ticket, row)

    def of_conversation(self, conversation_id: str) -> list[Ticket]:
        rows = self._session.rows(_OF_CONVERSATION, conversation_id=conversation_id)
        return [record_of(Ticket, row) for row in rows]

    def due(self, system: str, now: datetime, *, limit: int) -> list[Ticket]:
        return [record_of(Ticket, row) for row in self._session.rows(_DUE, system=system, now=now, limit=limit)]

    def listed(self, states: Collection[TicketState], *, limit: int) -> list[Ticket]:
        return [record_of(Ticket, row) for row in self._session.rows(_listed(frozenset(states)), limit=limit)]

    def change(self, ticket: Ticket, *, attempts: int) -> None:
        self._session.swap(
            _TICKETS,
            _TICKETS.of(ticket),
            was=attempts,
            refused=lambda: StepSuperseded(f"ticket {ticket.id} moved on while it was being opened"),
        )

    def to_tell(self, system: str, *, when_handed_back: bool, since: datetime, limit: int) -> list[Ticket]:
        rows = self._session.rows(_TO_TELL[when_handed_back], system=system, since=since, limit=limit)
        return [record_of(Ticket, row) for row in rows]

    def is_over(self, ticket_id: str, *, when_handed_back: bool) -> bool:
        return self._session.row(_OVER[when_handed_back], id=ticket_id) is not None


class SqlTicketSteps:
    """`ports.tickets.TicketSteps` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, step: TicketStep) -> None:
        self._session.add(_STEPS, _STEPS.of(step))

    def get(self, step_id: str) -> TicketStep:
        row = self._session.row_at(_STEPS, _STEP_BY_ID, id=step_id)
        if row is None:
            raise NotFound(f"there is no step {step_id!r} of a ticket; `understudy systems tickets` lists them")
        return record_of(TicketStep, row)

    def of_ticket(self, ticket_id: str) -> list[TicketStep]:
        return [record_of(TicketStep, row) for row in self._session.rows(_STEPS_OF, ticket_id=ticket_id)]

    def due(self, system: str, now: datetime, *, limit: int) -> list[TicketStep]:
        rows = self._session.rows(_DUE_STEPS, system=system, now=now, limit=limit)
        return [record_of(TicketStep, row) for row in rows]

    def listed(self, states: Collection[StepState], *, limit: int) -> list[TicketStep]:
        return [record_of(TicketStep, row) for row in self._session.rows(_steps_listed(frozenset(states)), limit=limit)]

    def change(self, step: TicketStep, *, attempts: int) -> None:
        self._session.swap(
            _STEPS,
            _STEPS.of(step),
            was=attempts,
            refused=lambda: StepSuperseded(f"step {step.id} of a ticket moved on while it was being done"),
        )


class SqlContracts:
    """`ports.tickets.Contracts` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def all(self) -> list[Contract]:
        return [record_of(Contract, row) for row in self._session.rows(_CONTRACTS)]

    def get(self, system: str, about: About) -> Contract | None:
        row = self._session.row(_CONTRACT_OF, which=system, what=about)
        return None if row is None else record_of(Contract, row)

    def put(self, contract: Contract) -> None:
        key = {"which": contract.system, "what": contract.about}
        if self.get(contract.system, contract.about) is None:
            values = {"system": contract.system, "about": contract.about, "shape": contract.shape}
            self._session.renew(_ADD_CONTRACT, {**values, "changed_at": contract.changed_at})
        else:
            changed = {"new_shape": contract.shape, "new_changed_at": contract.changed_at}
            self._session.renew(_CHANGE_CONTRACT, {**key, **changed})
