"""Pledges in SQL; one changes only under the version it was read with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import bindparam, case, or_, select

from understudy.adapters.stores.known_pledges import KnownPledges
from understudy.adapters.stores.pledge_tables import pledges
from understudy.adapters.stores.rows import Rows
from understudy.adapters.stores.session import Session, columns_of, record_of
from understudy.adapters.stores.statement import Statement, among
from understudy.errors import NotFound, StaleVersion
from understudy.records.pledges import UNKEPT, Pledge, PledgeState

_PLEDGE = columns_of(pledges, Pledge)
_BY_ID = Statement(select(*_PLEDGE).where(pledges.c.id == bindparam("id")))
_OF_CONVERSATION = Statement(
    select(*_PLEDGE)
    .where(pledges.c.conversation_id == bindparam("conversation_id"))
    .order_by(pledges.c.made_at, pledges.c.id)
)
_DUE = Statement(
    select(*_PLEDGE)
    .where(
        among(pledges.c.state, [PledgeState.OPEN]),
        or_(pledges.c.warn_at <= bindparam("now"), pledges.c.due_at <= bindparam("now")),
    )
    .order_by(pledges.c.due_at, pledges.c.id)
    .limit(bindparam("limit"))
)
_OF_CONTACT = Statement(
    select(*_PLEDGE)
    .where(pledges.c.contact_id == bindparam("contact_id"))
    .order_by(
        pledges.c.ended_at.is_not(None),
        case((pledges.c.ended_at.is_(None), pledges.c.due_at)),
        pledges.c.made_at.desc(),
        pledges.c.id,
    )
    .limit(bindparam("limit"))
)
_ANY_OWED = Statement(select(pledges.c.id).where(among(pledges.c.state, UNKEPT)).limit(1))
_OWED_TO = Statement(
    select(*_PLEDGE)
    .where(pledges.c.contact_id == bindparam("contact_id"), among(pledges.c.state, UNKEPT))
    .order_by(pledges.c.due_at, pledges.c.id)
)
_PLEDGES = Rows(
    pledges,
    Pledge,
    key=("id",),
    fence="version",
    changing=("version", "state", "due_at", "warn_at", "ended_at", "ended_by", "note"),
)


def _still_owed_first(pledge: Pledge) -> tuple[bool, float, str]:
    """The order of `_OF_CONTACT`."""
    is_over = pledge.ended_at is not None
    return is_over, -pledge.made_at.timestamp() if is_over else pledge.due_at.timestamp(), pledge.id


@cache
def _listed(states: frozenset[PledgeState]) -> Statement:
    query = select(*_PLEDGE).where(among(pledges.c.state, states))
    return Statement(query.order_by(pledges.c.due_at, pledges.c.id).limit(bindparam("limit")))


class SqlPledges:
    """`ports.pledges.Pledges` in SQL."""

    def __init__(self, session: Session, known: KnownPledges) -> None:
        self._session = session
        self._known = known

    def add(self, pledge: Pledge) -> None:
        self._known.changed(pledge.contact_id)
        self._session.add(_PLEDGES, _PLEDGES.of(pledge))

    def get(self, pledge_id: str) -> Pledge:
        row = self._session.row_at(_PLEDGES, _BY_ID, id=pledge_id)
        if row is None:
            raise NotFound(f"there is no pledge {pledge_id!r}; `understudy pledges list` shows them")
        return record_of(Pledge, row)

    def of_contacts(self, contact_ids: Sequence[str], *, limit: int) -> list[Pledge]:
        found = [
            record_of(Pledge, row)
            for contact_id in dict.fromkeys(contact_ids)
            for row in self._session.rows(_OF_CONTACT, contact_id=contact_id, limit=limit)
        ]
        return sorted(found, key=_still_owed_first)[:limit]

    def owed_to(self, contact_ids: Sequence[str]) -> list[Pledge]:
        if self._known.has_owed is None:
            self._known.has_owed = self._session.scalar(_ANY_OWED) is not None
        if not self._known.has_owed:
            return []
        found = [one for contact_id in dict.fromkeys(contact_ids) for one in self._owed_to(contact_id)]
        return sorted(found, key=lambda one: (one.due_at, one.id))

    def _owed_to(self, contact_id: str) -> tuple[Pledge, ...]:
        if contact_id not in self._known.of:
            rows = self._session.rows(_OWED_TO, contact_id=contact_id)
            self._known.keep(contact_id, tuple(record_of(Pledge, row) for row in rows))
        return self._known.of[contact_id]

    def of_conversation(self, conversation_id: str) -> list[Pledge]:
        rows = self._session.rows(_OF_CONVERSATION, conversation_id=conversation_id)
        return [record_of(Pledge, row) for row in rows]

    def listed(self, states: Collection[PledgeState], *, limit: int) -> list[Pledge]:
        return [record_of(Pledge, row) for row in self._session.rows(_listed(frozenset(states)), limit=limit)]

    def due(self, now: datetime, *, limit: int) -> list[Pledge]:
        return [record_of(Pledge, row) for row in self._session.rows(_DUE, now=now, limit=limit)]

    def change(self, pledge: Pledge, *, was: int) -> None:
        self._known.changed(pledge.contact_id)
        self._session.swap(
            _PLEDGES,
            _PLEDGES.of(pledge),
            was=was,
            refused=lambda: StaleVersion(f"pledge {pledge.id} changed since it was read; read it again"),
        )
