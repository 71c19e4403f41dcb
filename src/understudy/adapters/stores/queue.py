"""Holds and verdicts in SQL."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, tuple_, update

from understudy.adapters.stores.session import Session, columns_of, record_of, values_of
from understudy.adapters.stores.tables import holds, verdicts
from understudy.errors import NotFound, StaleVersion
from understudy.records.review import Hold, HoldState, Verdict

_HOLD = columns_of(holds, Hold)
_BY_ID = select(*_HOLD).where(holds.c.id == bindparam("id"))
_OPEN = select(*_HOLD).where(holds.c.state == HoldState.OPEN)
_OPEN_OF_TURN = _OPEN.where(holds.c.turn_id == bindparam("turn_id")).order_by(holds.c.created_at)
_OPEN_OF_CONVERSATION = _OPEN.where(holds.c.conversation_id == bindparam("conversation_id")).order_by(
    holds.c.created_at
)
_DUE = (
    _OPEN.where(holds.c.raised_at.is_(None), holds.c.expires_at <= bindparam("now"))
    .order_by(holds.c.expires_at)
    .limit(bindparam("limit"))
)
_COUNT_OPEN = select(func.count()).select_from(holds).where(holds.c.state == HoldState.OPEN)
_VERDICTS_OF = select(*columns_of(verdicts, Verdict)).where(verdicts.c.turn_id == bindparam("turn_id"))


class SqlHolds:
    """`ports.store.Holds` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, hold: Hold) -> None:
        self._session.change(insert(holds), values_of(hold))

    def get(self, hold_id: str) -> Hold:
        row = self._session.row(_BY_ID, id=hold_id)
        if row is None:
            raise NotFound(f"there is no hold {hold_id!r}")
        return record_of(Hold, row)

    def open_of_turn(self, turn_id: str) -> list[Hold]:
        return [record_of(Hold, row) for row in self._session.rows(_OPEN_OF_TURN, turn_id=turn_id)]

    def open_of_conversation(self, conversation_id: str) -> list[Hold]:
        rows = self._session.rows(_OPEN_OF_CONVERSATION, conversation_id=conversation_id)
        return [record_of(Hold, row) for row in rows]

    def change(self, hold: Hold, *, was: int) -> None:
        statement = update(holds).where(holds.c.id == hold.id, holds.c.version == was)
        if self._session.change(statement.values(**values_of(hold, leave_out=("id",)))) != 1:
            raise StaleVersion(f"hold {hold.id} is no longer at version {was}; read it again and decide again")

    def renew(self, hold: Hold, *, until: datetime) -> None:
        self._session.renew(update(holds).where(holds.c.id == hold.id).values(claimed_until=until))

    def queue(self, *, state: HoldState | None, after: tuple[int, datetime, str] | None, limit: int) -> list[Hold]:
        place = tuple_(holds.c.priority, holds.c.created_at, holds.c.id)
        statement = select(*_HOLD).order_by(holds.c.priority, holds.c.created_at, holds.c.id).limit(limit)
        if state is not None:
            statement = statement.where(holds.c.state == state)
        if after is not None:
            statement = statement.where(place > after)
        return [record_of(Hold, row) for row in self._session.rows(statement)]

    def due(self, now: datetime, *, limit: int) -> list[Hold]:
        return [record_of(Hold, row) for row in self._session.rows(_DUE, now=now, limit=limit)]

    def count_open(self) -> int:
        return int(self._session.scalar(_COUNT_OPEN))


class SqlVerdicts:
    """`ports.store.Verdicts` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, verdict: Verdict) -> None:
        self._session.change(insert(verdicts), values_of(verdict))

    def of_turn(self, turn_id: str) -> list[Verdict]:
        rows = self._session.rows(_VERDICTS_OF.order_by(verdicts.c.at), turn_id=turn_id)
        return [record_of(Verdict, row) for row in rows]
