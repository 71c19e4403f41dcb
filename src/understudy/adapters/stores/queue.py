"""Holds and verdicts in SQL."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache

from sqlalchemy import Column, ScalarSelect, bindparam, func, or_, select, true, tuple_, update

from understudy.adapters.stores.desk_tables import waiting_verdicts
from understudy.adapters.stores.note_tables import notes
from understudy.adapters.stores.oversight_tables import barred
from understudy.adapters.stores.rows import Rows
from understudy.adapters.stores.session import Session, columns_of, record_of
from understudy.adapters.stores.statement import Statement, among
from understudy.adapters.stores.tables import contacts, conversations, holds, messages, turns, verdicts
from understudy.errors import NotFound, StaleVersion
from understudy.records.conversation import Author
from understudy.records.notes import NoteKind, NoteState
from understudy.records.review import Hold, HoldState, Verdict, Waiting

_HOLD = columns_of(holds, Hold)
_BY_ID = Statement(select(*_HOLD).where(holds.c.id == bindparam("id")))
_OPEN = select(*_HOLD).where(among(holds.c.state, [HoldState.OPEN]))
_OPEN_OF_TURN = Statement(_OPEN.where(holds.c.turn_id == bindparam("turn_id")).order_by(holds.c.created_at))
_OPEN_OF_CONVERSATION = Statement(
    _OPEN.where(holds.c.conversation_id == bindparam("conversation_id")).order_by(holds.c.created_at)
)
_DUE = Statement(
    _OPEN.where(holds.c.raised_at.is_(None), holds.c.undo_until.is_(None), holds.c.expires_at <= bindparam("now"))
    .order_by(holds.c.expires_at)
    .limit(bindparam("limit"))
)
_DECIDED = select(func.count()).select_from(waiting_verdicts).scalar_subquery()
_COUNT_OPEN = Statement(
    select(func.count() - _DECIDED).select_from(holds).where(among(holds.c.state, [HoldState.OPEN]))
)
_VERDICTS_OF = Statement(
    select(*columns_of(verdicts, Verdict)).where(verdicts.c.turn_id == bindparam("turn_id")).order_by(verdicts.c.at)
)

_HOLDS = Rows(
    holds,
    Hold,
    key=("id",),
    fence="version",
    changing=tuple(column.name for column in _HOLD if column.name != "id"),
)
_VERDICTS = Rows(verdicts, Verdict, key=("id",))
_RENEW = Statement(
    update(holds).where(holds.c.id == bindparam("which")).values(claimed_until=bindparam("claimed_until"))
)


_ELSEWHERE = select(notes.c.id).where(
    notes.c.hold_id == holds.c.id,
    notes.c.is_only == true(),
    among(notes.c.kind, [NoteKind.HOLD]),
    among(notes.c.state, [NoteState.WRITTEN]),
)
_IS_HERE = or_(
    among(holds.c.state, [HoldState.DECIDED, HoldState.SUPERSEDED, HoldState.EXPIRED]),
    holds.c.raised_at.is_not(None),
    ~_ELSEWHERE.exists(),
)
"""What people of another help desk have before them, and nobody else, is not in the queue until it is overdue."""


@cache
def _page(*, has_state: bool, has_start: bool, has_reader: bool) -> Statement:
    """A page of the queue: of one state or of all, from the start or after a place, for all or for one reviewer."""
    order = (holds.c.priority, holds.c.created_at, holds.c.id)
    page = select(*_HOLD).order_by(*order).limit(bindparam("limit"))
    if has_state:
        page = page.where(holds.c.state == bindparam("state"), holds.c.undo_until.is_(None), _IS_HERE)
    if has_reader:
        reader = barred.c.reviewer == bindparam("reader", type_=barred.c.reviewer.type)
        page = page.where(~select(barred.c.hold_id).where(barred.c.hold_id == holds.c.id, reader).exists())
    if has_start:
        page = page.where(tuple_(*order) > tuple_(*(bindparam(c.name, type_=c.type) for c in order)))
    return Statement(page)


ASKED_CHARS = 200
"""Of what the customer wrote, so many characters are listed."""


def asked_in(turn_id: Column[str]) -> ScalarSelect[str]:
    """The beginning of what the customer wrote last in the turn that a column of the query around names."""
    return (
        select(func.substr(messages.c.text, 1, ASKED_CHARS))
        .where(messages.c.turn_id == turn_id, among(messages.c.author, [Author.CUSTOMER]))
        .order_by(messages.c.seq.desc())
        .limit(1)
        .scalar_subquery()
    )


_NOT_BARRED = ~(
    select(barred.c.hold_id)
    .where(barred.c.hold_id == holds.c.id, barred.c.reviewer == bindparam("reader", type_=barred.c.reviewer.type))
    .exists()
)
_LISTED = (
    select(*_HOLD, contacts.c.name, asked_in(holds.c.turn_id), turns.c.confidence)
    .select_from(holds)
    .join(conversations, conversations.c.id == holds.c.conversation_id)
    .join(contacts, contacts.c.id == conversations.c.contact_id)
    .join(turns, turns.c.id == holds.c.turn_id)
    .where(_NOT_BARRED)
)
_WAITING = Statement(
    _LISTED.where(among(holds.c.state, [HoldState.OPEN]), holds.c.undo_until.is_(None), _IS_HERE)
    .order_by(holds.c.priority, holds.c.created_at, holds.c.id)
    .limit(bindparam("limit"))
)
_WAITING_ONE = Statement(_LISTED.where(holds.c.id == bindparam("which")))


class SqlHolds:
    """`ports.store.Holds` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, hold: Hold) -> None:
        self._session.add(_HOLDS, _HOLDS.of(hold))

    def get(self, hold_id: str) -> Hold:
        row = self._session.row_at(_HOLDS, _BY_ID, id=hold_id)
        if row is None:
            raise NotFound(f"there is no hold {hold_id!r}")
        return record_of(Hold, row)

    def open_of_turn(self, turn_id: str) -> list[Hold]:
        return [record_of(Hold, row) for row in self._session.rows_where(_HOLDS, _OPEN_OF_TURN, turn_id=turn_id)]

    def open_of_conversation(self, conversation_id: str) -> list[Hold]:
        rows = self._session.rows_where(_HOLDS, _OPEN_OF_CONVERSATION, conversation_id=conversation_id)
        return [record_of(Hold, row) for row in rows]

    def change(self, hold: Hold, *, was: int) -> None:
        self._session.swap(
            _HOLDS,
            _HOLDS.of(hold),
            was=was,
            refused=lambda: StaleVersion(
                f"hold {hold.id} is no longer at version {was}; read it again and decide again"
            ),
        )

    def renew(self, hold: Hold, *, until: datetime) -> None:
        self._session.renew(_RENEW, {"which": hold.id, "claimed_until": until})

    def queue(
        self,
        *,
        state: HoldState | None,
        after: tuple[int, datetime, str] | None,
        limit: int,
        reader: str | None = None,
    ) -> list[Hold]:
        values: dict[str, object] = {"limit": limit} if state is None else {"limit": limit, "state": state}
        if reader is not None:
            values["reader"] = reader
        if after is not None:
            values |= dict(zip(("priority", "created_at", "id"), after, strict=True))
        page = _page(has_state=state is not None, has_start=after is not None, has_reader=reader is not None)
        return [record_of(Hold, row) for row in self._session.rows(page, **values)]

    def waiting(self, *, limit: int, reader: str, only: Collection[str] | None = None) -> list[Waiting]:
        if only is None:
            rows = self._session.rows(_WAITING, limit=limit, reader=reader)
        else:
            found = (self._session.row(_WAITING_ONE, which=hold_id, reader=reader) for hold_id in only)
            rows = [row for row in found if row is not None]
        last = len(_HOLD)
        return [
            Waiting(hold=record_of(Hold, row[:last]), customer=row[last], asked=row[last + 1], confidence=row[last + 2])
            for row in rows
        ]

    def due(self, now: datetime, *, limit: int) -> list[Hold]:
        return [record_of(Hold, row) for row in self._session.rows(_DUE, now=now, limit=limit)]

    def count_open(self) -> int:
        return int(self._session.scalar(_COUNT_OPEN))


class SqlVerdicts:
    """`ports.store.Verdicts` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, verdict: Verdict) -> None:
        self._session.add(_VERDICTS, _VERDICTS.of(verdict))

    def of_turn(self, turn_id: str) -> list[Verdict]:
        rows = self._session.rows_where(_VERDICTS, _VERDICTS_OF, turn_id=turn_id)
        return [record_of(Verdict, row) for row in rows]
