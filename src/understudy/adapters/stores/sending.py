"""The outbox and its receipts in SQL; an entry changes only under the attempt number it was read with."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, select, update

from understudy.adapters.stores.session import Session, columns_of, record_of, values_of
from understudy.adapters.stores.statement import Statement, among, insert_into
from understudy.adapters.stores.tables import outbox, receipts
from understudy.errors import NotFound, StepSuperseded
from understudy.records.outbox import OutboxEntry, OutboxState, Receipt

_ENTRY = columns_of(outbox, OutboxEntry)
_OPEN_STATES = [OutboxState.PENDING, OutboxState.SENDING, OutboxState.UNKNOWN]
_BY_ID = Statement(select(*_ENTRY).where(outbox.c.id == bindparam("id")))
_HEAD = Statement(
    (
        select(*_ENTRY)
        .where(outbox.c.conversation_id == bindparam("conversation_id"), among(outbox.c.state, _OPEN_STATES))
        .order_by(outbox.c.seq)
        .limit(1)
    )
)
_OF_TURN = Statement(select(*_ENTRY).where(outbox.c.turn_id == bindparam("turn_id")).order_by(outbox.c.seq))
_DUE = Statement(
    (
        select(*_ENTRY)
        .where(among(outbox.c.state, [OutboxState.PENDING, OutboxState.SENDING]), outbox.c.due_at <= bindparam("now"))
        .order_by(outbox.c.due_at)
        .limit(bindparam("limit"))
    )
)
_RECEIPTS_OF = Statement(
    (
        select(*columns_of(receipts, Receipt))
        .where(receipts.c.outbox_id == bindparam("outbox_id"))
        .order_by(receipts.c.attempt)
    )
)

_ADD = insert_into(outbox, numbered_by="seq")
_ADD_RECEIPT = insert_into(receipts)
_CHANGING = ("state", "attempts", "due_at", "last_error")
_CHANGE = Statement(
    update(outbox)
    .where(outbox.c.id == bindparam("which"), outbox.c.attempts == bindparam("expected"))
    .values({name: bindparam(name) for name in _CHANGING})
)


class SqlOutbox:
    """`ports.store.Outbox` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, entry: OutboxEntry) -> OutboxEntry:
        return replace(entry, seq=self._session.insert(_ADD, values_of(entry, leave_out=("seq",))))

    def get(self, outbox_id: str) -> OutboxEntry:
        row = self._session.row(_BY_ID, id=outbox_id)
        if row is None:
            raise NotFound(f"there is no outbox entry {outbox_id!r}")
        return record_of(OutboxEntry, row)

    def head(self, conversation_id: str) -> OutboxEntry | None:
        row = self._session.row(_HEAD, conversation_id=conversation_id)
        return None if row is None else record_of(OutboxEntry, row)

    def of_turn(self, turn_id: str) -> list[OutboxEntry]:
        return [record_of(OutboxEntry, row) for row in self._session.rows(_OF_TURN, turn_id=turn_id)]

    def change(self, entry: OutboxEntry, *, attempts: int) -> None:
        changes = {name: getattr(entry, name) for name in _CHANGING}
        if self._session.change(_CHANGE, {"which": entry.id, "expected": attempts, **changes}) != 1:
            raise StepSuperseded(f"outbox entry {entry.id} moved on while this send was under way")

    def due(self, now: datetime, *, limit: int) -> list[OutboxEntry]:
        return [record_of(OutboxEntry, row) for row in self._session.rows(_DUE, now=now, limit=limit)]

    def add_receipt(self, receipt: Receipt) -> None:
        self._session.change(_ADD_RECEIPT, values_of(receipt))

    def receipts(self, outbox_id: str) -> list[Receipt]:
        return [record_of(Receipt, row) for row in self._session.rows(_RECEIPTS_OF, outbox_id=outbox_id)]
