"""Tickets of hand-offs, and what systems answer, in SQL; a ticket changes only under the attempt number it was read with."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache

from sqlalchemy import bindparam, exists, select, update

from understudy.adapters.stores.rows import Rows
from understudy.adapters.stores.session import Session, columns_of, record_of
from understudy.adapters.stores.statement import Statement, among, insert_into
from understudy.adapters.stores.tables import holds
from understudy.adapters.stores.ticket_tables import contracts, tickets
from understudy.errors import NotFound, StepSuperseded
from understudy.records.facts import About
from understudy.records.review import Hold, HoldKind, HoldState
from understudy.records.systems import Contract
from understudy.records.tickets import Ticket, TicketState

_TICKET = columns_of(tickets, Ticket)
_BY_ID = Statement(select(*_TICKET).where(tickets.c.id == bindparam("id")))
_OF_CONVERSATION = Statement(
    select(*_TICKET)
    .where(tickets.c.conversation_id == bindparam("conversation_id"))
    .order_by(tickets.c.created_at, tickets.c.id)
)
_DUE = Statement(
    select(*_TICKET)
    .where(among(tickets.c.state, [TicketState.PENDING, TicketState.SENDING]), tickets.c.due_at <= bindparam("now"))
    .order_by(tickets.c.due_at)
    .limit(bindparam("limit"))
)
_MISSING = Statement(
    select(*columns_of(holds, Hold))
    .where(
        among(holds.c.state, [HoldState.OPEN]),
        among(holds.c.kind, [HoldKind.HAND_OFF]),
        ~exists().where(tickets.c.hold_id == holds.c.id, tickets.c.system == bindparam("system")),
    )
    .order_by(holds.c.created_at, holds.c.id)
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
    changing=("state", "attempts", "due_at", "tried_at", "number", "last_error"),
)


@cache
def _listed(states: frozenset[TicketState]) -> Statement:
    query = select(*_TICKET).where(among(tickets.c.state, states))
    return Statement(query.order_by(tickets.c.created_at, tickets.c.id).limit(bindparam("limit")))


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

    def due(self, now: datetime, *, limit: int) -> list[Ticket]:
        return [record_of(Ticket, row) for row in self._session.rows(_DUE, now=now, limit=limit)]

    def listed(self, states: Collection[TicketState], *, limit: int) -> list[Ticket]:
        return [record_of(Ticket, row) for row in self._session.rows(_listed(frozenset(states)), limit=limit)]

    def change(self, ticket: Ticket, *, attempts: int) -> None:
        self._session.swap(
            _TICKETS,
            _TICKETS.of(ticket),
            was=attempts,
            refused=lambda: StepSuperseded(f"ticket {ticket.id} moved on while it was being opened"),
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
