"""Notes in other help desks, and what is remarked there, in SQL."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, bindparam, not_, or_, select, update

from understudy.adapters.stores.note_tables import note_threads, notes, remarks
from understudy.adapters.stores.session import Session, columns_of, record_of, values_of
from understudy.adapters.stores.statement import Statement, among, insert_into
from understudy.adapters.stores.tables import conversations, holds
from understudy.errors import StepSuperseded
from understudy.records.conversation import Mode
from understudy.records.notes import OPEN_NOTE, Note, NoteKind, Remark, RemarkState, Thread
from understudy.records.review import HoldKind, HoldState

_NOTE = columns_of(notes, Note)
_IN_ORDER = (notes.c.created_at, notes.c.id)
_ADD = insert_into(notes)
_BY_ID = Statement(select(*_NOTE).where(notes.c.id == bindparam("which")))
_OF_HOLD = Statement(select(*_NOTE).where(notes.c.hold_id == bindparam("which")).order_by(*_IN_ORDER))
_OF_CONVERSATION = Statement(
    select(*_NOTE)
    .where(notes.c.conversation_id == bindparam("which"), among(notes.c.kind, [NoteKind.HOLD]))
    .order_by(*_IN_ORDER)
)
_HEAD = Statement(
    select(*_NOTE)
    .where(notes.c.conversation_id == bindparam("which"), among(notes.c.state, OPEN_NOTE))
    .order_by(*_IN_ORDER)
    .limit(1)
)
_CHANGING = ("state", "attempts", "due_at", "provider_id", "last_error")
_CHANGE = Statement(
    update(notes)
    .where(notes.c.id == bindparam("which"), notes.c.attempts == bindparam("was"))
    .values({name: bindparam(name) for name in _CHANGING})
)
_DUE = Statement(
    select(*_NOTE)
    .where(among(notes.c.state, OPEN_NOTE), notes.c.due_at <= bindparam("now"))
    .order_by(notes.c.due_at)
    .limit(bindparam("limit"))
)
NOTED = (HoldKind.DRAFT, HoldKind.HAND_OFF, HoldKind.UNSURE_SEND)
"""Kinds of hold that notes show: a customer waits for each. The others are of the past."""

_THREAD = columns_of(note_threads, Thread)
_ADD_THREAD = insert_into(note_threads)
_CHANGE_THREAD = Statement(
    update(note_threads)
    .where(note_threads.c.channel == bindparam("which"), note_threads.c.name == bindparam("called"))
    .values({name: bindparam(name) for name in ("external_id", "seen_at")})
)
_BY_NAME = Statement(
    select(*_THREAD).where(note_threads.c.channel == bindparam("channel"), note_threads.c.name == bindparam("name"))
)
_BY_EXTERNAL_ID = Statement(
    select(*_THREAD)
    .where(note_threads.c.channel == bindparam("channel"), note_threads.c.external_id == bindparam("external_id"))
    .order_by(note_threads.c.seen_at.desc(), note_threads.c.name.desc())
    .limit(1)
)

_REMARK = columns_of(remarks, Remark)
_ADD_REMARK = insert_into(remarks)
_REMARK_BY_ID = Statement(select(*_REMARK).where(remarks.c.id == bindparam("which")))
_KNOWN = Statement(
    select(*_REMARK).where(remarks.c.channel == bindparam("channel"), remarks.c.provider_id == bindparam("provider_id"))
)
_CHANGE_REMARK = Statement(
    update(remarks)
    .where(
        remarks.c.id == bindparam("which"),
        remarks.c.attempts == bindparam("was"),
        among(remarks.c.state, [RemarkState.RECEIVED]),
    )
    .values({name: bindparam(name) for name in ("state", "text", "outcome", "attempts", "due_at")})
)
_REMARKS_DUE = Statement(
    select(*_REMARK)
    .where(among(remarks.c.state, [RemarkState.RECEIVED]), remarks.c.due_at <= bindparam("now"))
    .order_by(remarks.c.due_at)
    .limit(bindparam("limit"))
)


def _one_of(column: Column[str], names: Collection[str]) -> ColumnElement[bool]:
    return or_(*(column == name for name in sorted(names)))


def _holds_of(channels: Collection[str]) -> Select[Any]:
    """Holds of these channels that customers wait for, in conversations somebody is behind."""
    return (
        select(holds.c.id)
        .join(conversations, conversations.c.id == holds.c.conversation_id)
        .where(
            _one_of(holds.c.channel, channels),
            among(holds.c.kind, NOTED),
            among(conversations.c.mode, [Mode.AGENT, Mode.PERSON]),
        )
        .order_by(holds.c.priority, holds.c.created_at, holds.c.id)
        .limit(bindparam("limit"))
    )


@cache
def _unnoted(channels: frozenset[str], linked: frozenset[str]) -> Statement:
    shown = select(notes.c.id).where(
        notes.c.hold_id == holds.c.id, among(notes.c.kind, [NoteKind.HOLD]), notes.c.version == holds.c.version
    )
    known = select(note_threads.c.name).where(
        note_threads.c.channel == holds.c.channel, note_threads.c.external_id == conversations.c.external_id
    )
    query = _holds_of(channels).where(
        among(holds.c.state, [HoldState.OPEN]), holds.c.undo_until.is_(None), ~shown.exists()
    )
    if linked:
        query = query.where(or_(not_(_one_of(holds.c.channel, linked)), known.exists()))
    return Statement(query)


@cache
def _untold(channels: frozenset[str]) -> Statement:
    told = notes.alias("told")
    later = select(told.c.id).where(
        told.c.hold_id == notes.c.hold_id,
        among(told.c.kind, [NoteKind.OUTCOME, NoteKind.DONE]),
        told.c.version >= notes.c.version,
    )
    shown = select(notes.c.id).where(
        notes.c.hold_id == holds.c.id, among(notes.c.kind, [NoteKind.HOLD]), ~later.exists()
    )
    closed = [HoldState.DECIDED, HoldState.SUPERSEDED, HoldState.EXPIRED]
    since = holds.c.closed_at >= bindparam("since", type_=holds.c.closed_at.type)
    return Statement(_holds_of(channels).where(among(holds.c.state, closed), since, shown.exists()))


class SqlNotes:
    """`ports.notes.Notes` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, note: Note) -> None:
        self._session.change(_ADD, values_of(note))

    def get(self, note_id: str) -> Note | None:
        row = self._session.row(_BY_ID, which=note_id)
        return None if row is None else record_of(Note, row)

    def of_hold(self, hold_id: str) -> list[Note]:
        return [record_of(Note, row) for row in self._session.rows(_OF_HOLD, which=hold_id)]

    def of_conversation(self, conversation_id: str) -> list[Note]:
        return [record_of(Note, row) for row in self._session.rows(_OF_CONVERSATION, which=conversation_id)]

    def head(self, conversation_id: str) -> Note | None:
        row = self._session.row(_HEAD, which=conversation_id)
        return None if row is None else record_of(Note, row)

    def change(self, note: Note, *, attempts: int) -> None:
        values = {name: getattr(note, name) for name in _CHANGING}
        self._session.change_one(
            _CHANGE,
            {"which": note.id, "was": attempts, **values},
            refused=lambda: StepSuperseded(f"note {note.id} moved on while it was being written"),
        )

    def due(self, now: datetime, *, limit: int) -> list[Note]:
        return [record_of(Note, row) for row in self._session.rows(_DUE, now=now, limit=limit)]

    def unnoted(self, channels: Collection[str], *, linked: Collection[str], limit: int) -> list[str]:
        query = _unnoted(frozenset(channels), frozenset(linked))
        return [row[0] for row in self._session.rows(query, limit=limit)]

    def untold(self, channels: Collection[str], *, since: datetime, limit: int) -> list[str]:
        return [row[0] for row in self._session.rows(_untold(frozenset(channels)), since=since, limit=limit)]

    def put_thread(self, thread: Thread) -> None:
        if self.thread(thread.channel, thread.name) is None:
            self._session.change(_ADD_THREAD, values_of(thread))
        else:
            which = {"which": thread.channel, "called": thread.name}
            self._session.change(_CHANGE_THREAD, {**which, **values_of(thread, leave_out=("channel", "name"))})

    def thread(self, channel: str, name: str) -> Thread | None:
        row = self._session.row(_BY_NAME, channel=channel, name=name)
        return None if row is None else record_of(Thread, row)

    def thread_of(self, channel: str, external_id: str) -> Thread | None:
        row = self._session.row(_BY_EXTERNAL_ID, channel=channel, external_id=external_id)
        return None if row is None else record_of(Thread, row)


class SqlRemarks:
    """`ports.notes.Remarks` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, remark: Remark) -> None:
        self._session.change(_ADD_REMARK, values_of(remark))

    def known(self, channel: str, provider_id: str) -> Remark | None:
        row = self._session.row(_KNOWN, channel=channel, provider_id=provider_id)
        return None if row is None else record_of(Remark, row)

    def get(self, remark_id: str) -> Remark | None:
        row = self._session.row(_REMARK_BY_ID, which=remark_id)
        return None if row is None else record_of(Remark, row)

    def change(self, remark: Remark, *, attempts: int) -> None:
        values = {name: getattr(remark, name) for name in ("state", "text", "outcome", "attempts", "due_at")}
        self._session.change_one(
            _CHANGE_REMARK,
            {"which": remark.id, "was": attempts, **values},
            refused=lambda: StepSuperseded(f"remark {remark.id} was dealt with meanwhile"),
        )

    def due(self, now: datetime, *, limit: int) -> list[Remark]:
        return [record_of(Remark, row) for row in self._session.rows(_REMARKS_DUE, now=now, limit=limit)]
