"""Whose hand-offs are, and who said that they are away, in SQL; a wait changes only under the version it was read with."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, exists, func, select

from understudy.adapters.stores.rows import Rows
from understudy.adapters.stores.session import Session, columns_of, record_of, values_of
from understudy.adapters.stores.staffing_tables import assignments, availabilities
from understudy.adapters.stores.statement import Statement, among, insert_into
from understudy.adapters.stores.tables import holds, messages
from understudy.errors import NotFound, StaleVersion
from understudy.records.conversation import Author
from understudy.records.review import Hold, HoldKind, HoldState
from understudy.records.staffing import Assignment, Availability

_ONE = columns_of(assignments, Assignment)
_IS_LIVE = assignments.c.ended_at.is_(None)
_FIRST = (assignments.c.priority, assignments.c.waits_since, assignments.c.id)
_LIVE = select(*_ONE).where(_IS_LIVE)
_UNKNOWN = Statement(
    select(*columns_of(holds, Hold))
    .where(
        among(holds.c.state, [HoldState.OPEN]),
        among(holds.c.kind, [HoldKind.HAND_OFF]),
        ~exists().where(assignments.c.conversation_id == holds.c.conversation_id, _IS_LIVE),
    )
    .order_by(holds.c.priority, holds.c.created_at, holds.c.id)
    .limit(bindparam("limit"))
)
_BY_ID = Statement(select(*_ONE).where(assignments.c.id == bindparam("id")))
_OF_HOLD = Statement(_LIVE.where(assignments.c.hold_id == bindparam("hold_id")))
_ALL_LIVE = Statement(_LIVE.order_by(*_FIRST).limit(bindparam("limit")))
_WITH_PEOPLE = Statement(_LIVE.where(assignments.c.person.is_not(None)).order_by(*_FIRST))
_NOBODYS = Statement(_LIVE.where(assignments.c.person.is_(None)).order_by(*_FIRST).limit(bindparam("limit")))
_LOOSE = Statement(
    _LIVE.where(
        ~exists().where(holds.c.id == assignments.c.hold_id, among(holds.c.state, [HoldState.OPEN])),
    )
    .order_by(assignments.c.waits_since, assignments.c.id)
    .limit(bindparam("limit"))
)
_DUE = Statement(
    _LIVE.where(assignments.c.step_at <= bindparam("now"))
    .order_by(assignments.c.step_at, assignments.c.id)
    .limit(bindparam("limit"))
)
_LOAD = Statement(
    select(assignments.c.person, func.count())
    .where(_IS_LIVE, assignments.c.person.is_not(None))
    .group_by(assignments.c.person)
)
_ANSWERED = Statement(
    select(messages.c.id)
    .where(
        messages.c.conversation_id == bindparam("conversation_id"),
        among(messages.c.author, [Author.REVIEWER]),
        messages.c.at >= bindparam("since"),
    )
    .limit(1)
)
_ASSIGNMENTS = Rows(
    assignments,
    Assignment,
    key=("id",),
    fence="version",
    changing=tuple(column.name for column in _ONE if column.name not in ("id", "conversation_id")),
)
_SAID = Statement(select(*columns_of(availabilities, Availability)).order_by(availabilities.c.name))
_UNSAY = Statement(delete(availabilities).where(availabilities.c.name == bindparam("which")))
_SAY = insert_into(availabilities)


class SqlAssignments:
    """`ports.staffing.Assignments` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def unknown(self, *, limit: int) -> list[Hold]:
        return [record_of(Hold, row) for row in self._session.rows(_UNKNOWN, limit=limit)]

    def add(self, assignment: Assignment) -> None:
        self._session.add(_ASSIGNMENTS, _ASSIGNMENTS.of(assignment))

    def get(self, assignment_id: str) -> Assignment:
        row = self._session.row_at(_ASSIGNMENTS, _BY_ID, id=assignment_id)
        if row is None:
            raise NotFound(f"there is no assignment {assignment_id!r}; `understudy teams waiting` shows them")
        return record_of(Assignment, row)

    def of_hold(self, hold_id: str) -> Assignment | None:
        row = self._session.row(_OF_HOLD, hold_id=hold_id)
        return None if row is None else record_of(Assignment, row)

    def live(self, *, limit: int) -> list[Assignment]:
        return self._listed(_ALL_LIVE, limit=limit)

    def with_people(self) -> list[Assignment]:
        return self._listed(_WITH_PEOPLE)

    def nobodys(self, *, limit: int) -> list[Assignment]:
        return self._listed(_NOBODYS, limit=limit)

    def loose(self, *, limit: int) -> list[Assignment]:
        return self._listed(_LOOSE, limit=limit)

    def due(self, now: datetime, *, limit: int) -> list[Assignment]:
        return self._listed(_DUE, now=now, limit=limit)

    def load(self) -> dict[str, int]:
        return {str(row[0]): int(row[1]) for row in self._session.rows(_LOAD)}

    def is_answered(self, conversation_id: str, *, since: datetime) -> bool:
        return self._session.row(_ANSWERED, conversation_id=conversation_id, since=since) is not None

    def change(self, assignment: Assignment, *, was: int) -> None:
        self._session.swap(
            _ASSIGNMENTS,
            _ASSIGNMENTS.of(assignment),
            was=was,
            refused=lambda: StaleVersion(f"assignment {assignment.id} changed since it was read; read it again"),
        )

    def availabilities(self) -> list[Availability]:
        return [record_of(Availability, row) for row in self._session.rows(_SAID)]

    def put_availability(self, availability: Availability) -> None:
        self._session.change(_UNSAY, {"which": availability.name})
        self._session.change(_SAY, values_of(availability))

    def _listed(self, statement: Statement, **values: object) -> list[Assignment]:
        return [record_of(Assignment, row) for row in self._session.rows(statement, **values)]
