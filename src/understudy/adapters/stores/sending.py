"""The outbox and its receipts in SQL; an entry changes only under the attempt number it was read with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, exists, func, select, update

from understudy.adapters.stores.hot import Hot
from understudy.adapters.stores.numbers import Numbers
from understudy.adapters.stores.rows import Rows
from understudy.adapters.stores.session import Session, columns_of, record_of
from understudy.adapters.stores.statement import Statement, among
from understudy.adapters.stores.tables import outbox, receipts, turns
from understudy.errors import NotFound, StepSuperseded
from understudy.records.outbox import OPEN_ENTRY, OutboxEntry, OutboxState, Receipt

_ENTRY = columns_of(outbox, OutboxEntry)
_BY_ID = Statement(select(*_ENTRY).where(outbox.c.id == bindparam("id")))
_OPEN_OF = Statement(
    select(*_ENTRY)
    .where(outbox.c.conversation_id == bindparam("conversation_id"), among(outbox.c.state, OPEN_ENTRY))
    .order_by(outbox.c.seq)
)
_OF_TURN = Statement(select(*_ENTRY).where(outbox.c.turn_id == bindparam("turn_id")).order_by(outbox.c.seq))
_DUE = Statement(
    select(*_ENTRY)
    .where(among(outbox.c.state, [OutboxState.PENDING, OutboxState.SENDING]), outbox.c.due_at <= bindparam("now"))
    .order_by(outbox.c.due_at)
    .limit(bindparam("limit"))
)
_RECEIPTS_OF = Statement(
    select(*columns_of(receipts, Receipt))
    .where(receipts.c.outbox_id == bindparam("outbox_id"))
    .order_by(receipts.c.attempt)
)

_TAKEN_AS = Statement(
    select(*_ENTRY)
    .join(receipts, receipts.c.outbox_id == outbox.c.id)
    .where(receipts.c.provider_id == bindparam("provider_id"), outbox.c.channel == bindparam("channel"))
    .order_by(outbox.c.seq.desc())
    .limit(1)
)

_NAMELESS_OF = Statement(
    select(*_ENTRY)
    .join(turns, turns.c.id == outbox.c.turn_id)
    .where(
        turns.c.conversation_id == bindparam("conversation_id"),
        outbox.c.attempts > 0,
        ~exists().where(receipts.c.outbox_id == outbox.c.id, receipts.c.provider_id.is_not(None)),
    )
    .order_by(outbox.c.seq.desc())
    .limit(bindparam("limit"))
)

_ENTRIES = Rows(
    outbox,
    OutboxEntry,
    key=("id",),
    fence="attempts",
    changing=("state", "attempts", "due_at", "last_error", "disclosure"),
)
_RECEIPTS = Rows(receipts, Receipt, key=("outbox_id", "attempt"))


@cache
def _listed(states: frozenset[OutboxState], *, has_channel: bool) -> Statement:
    page = select(*_ENTRY).where(outbox.c.seq > bindparam("after")).order_by(outbox.c.seq).limit(bindparam("limit"))
    return Statement(_narrowed(page, states, has_channel=has_channel))


@cache
def _counted(states: frozenset[OutboxState], *, has_channel: bool) -> Statement:
    counted = select(outbox.c.state, func.count()).group_by(outbox.c.state)
    return Statement(_narrowed(counted, states, has_channel=has_channel))


_PARTS = (OPEN_ENTRY, frozenset({OutboxState.DEAD}))
"""States whose entries have an index of their own; the others are most of all, and are read from end to end."""


def _parts(states: Collection[OutboxState]) -> list[frozenset[OutboxState]]:
    """The states asked for, apart by the index that finds them."""
    asked = frozenset(states)
    indexed = [asked & part for part in _PARTS]
    return [part for part in (*indexed, asked.difference(*indexed)) if part]


def _narrowed(query: Select[Any], states: frozenset[OutboxState], *, has_channel: bool) -> Select[Any]:
    for part in _PARTS:
        if states <= part:
            query = query.where(among(outbox.c.state, part))  # the words of the partial index, so that it is used
    query = query.where(among(outbox.c.state, states))
    return query.where(outbox.c.channel == bindparam("channel")) if has_channel else query


_RENEW = Statement(
    update(outbox)
    .where(
        outbox.c.id == bindparam("which"),
        outbox.c.attempts == bindparam("expected"),
        among(outbox.c.state, [OutboxState.SENDING]),
    )
    .values(due_at=bindparam("until"))
)
_READDRESS = Statement(
    update(outbox)
    .where(outbox.c.id == bindparam("which"), among(outbox.c.state, OPEN_ENTRY))
    .values({name: bindparam(name) for name in ("channel", "address", "external_id")})
)


class SqlOutbox:
    """`ports.store.Outbox` in SQL."""

    def __init__(self, session: Session, hot: Hot, numbers: Numbers) -> None:
        self._session = session
        self._hot = hot
        self._numbers = numbers

    def add(self, entry: OutboxEntry) -> OutboxEntry:
        added = replace(entry, seq=self._numbers.next("outbox"))
        self._session.add(_ENTRIES, _ENTRIES.of(added))
        self._hot.keep_entry(added)
        return added

    def get(self, outbox_id: str) -> OutboxEntry:
        entry = self.find(outbox_id)
        if entry is None:
            raise NotFound(f"there is no outbox entry {outbox_id!r}")
        return entry

    def find(self, outbox_id: str) -> OutboxEntry | None:
        row = self._session.row_at(_ENTRIES, _BY_ID, id=outbox_id)
        return None if row is None else record_of(OutboxEntry, row)

    def taken_as(self, channel: str, provider_id: str) -> OutboxEntry | None:
        rows = self._session.rows(_TAKEN_AS, channel=channel, provider_id=provider_id)
        return next((record_of(OutboxEntry, row) for row in rows), None)

    def nameless_of(self, conversation_id: str, *, limit: int = 50) -> list[OutboxEntry]:
        rows = self._session.rows(_NAMELESS_OF, conversation_id=conversation_id, limit=limit)
        return [record_of(OutboxEntry, row) for row in rows]

    def head(self, conversation_id: str) -> OutboxEntry | None:
        return next(iter(self.open_of(conversation_id)), None)

    def open_of(self, conversation_id: str) -> list[OutboxEntry]:
        scene = self._hot.scene_of(conversation_id)
        if scene is not None and (kept := scene.open_entries()) is not None:
            return kept
        rows = self._session.rows_where(_ENTRIES, _OPEN_OF, conversation_id=conversation_id)
        found = [record_of(OutboxEntry, row) for row in rows]
        if scene is not None:
            scene.entries = list(found)
        return found

    def of_turn(self, turn_id: str) -> list[OutboxEntry]:
        return [record_of(OutboxEntry, row) for row in self._session.rows_where(_ENTRIES, _OF_TURN, turn_id=turn_id)]

    def change(self, entry: OutboxEntry, *, attempts: int) -> None:
        self._session.swap(
            _ENTRIES,
            _ENTRIES.of(entry),
            was=attempts,
            refused=lambda: StepSuperseded(f"outbox entry {entry.id} moved on while this send was under way"),
        )
        self._hot.keep_entry(entry)

    def readdress(self, entry: OutboxEntry) -> None:
        where = {name: getattr(entry, name) for name in ("channel", "address", "external_id")}
        self._session.change(_READDRESS, {"which": entry.id, **where}, of=entry.conversation_id)
        self._hot.keep_entry(entry)

    def renew(self, entry: OutboxEntry, *, until: datetime) -> None:
        self._session.renew(_RENEW, {"which": entry.id, "expected": entry.attempts, "until": until})
        if (scene := self._hot.scene(entry.conversation_id)) is not None:
            scene.lengthen_send(entry, until=until)

    def due(self, now: datetime, *, limit: int) -> list[OutboxEntry]:
        return [record_of(OutboxEntry, row) for row in self._session.rows(_DUE, now=now, limit=limit)]

    def listed(
        self, states: Collection[OutboxState], *, channel: str | None = None, after: int = 0, limit: int
    ) -> list[OutboxEntry]:
        values = {"after": after, "limit": limit} | ({} if channel is None else {"channel": channel})
        pages = [_listed(part, has_channel=channel is not None) for part in _parts(states)]
        found = [record_of(OutboxEntry, row) for page in pages for row in self._session.rows(page, **values)]
        return sorted(found, key=lambda entry: entry.seq)[:limit]

    def count(self, states: Collection[OutboxState], *, channel: str | None = None) -> dict[OutboxState, int]:
        values = {} if channel is None else {"channel": channel}
        counted = [_counted(part, has_channel=channel is not None) for part in _parts(states)]
        rows = (row for statement in counted for row in self._session.rows(statement, **values))
        return dict.fromkeys(states, 0) | {state: int(number) for state, number in rows}

    def add_receipt(self, receipt: Receipt) -> None:
        self._session.add(_RECEIPTS, _RECEIPTS.of(receipt))

    def receipts(self, outbox_id: str) -> list[Receipt]:
        rows = self._session.rows_where(_RECEIPTS, _RECEIPTS_OF, outbox_id=outbox_id)
        return [record_of(Receipt, row) for row in rows]
