"""Win-backs in SQL, and what followed them; what that means is worked out in `quality/`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import bindparam, case, exists, func, literal_column, select

from understudy.adapters.stores.decided import SERVED, SLICE, given, micro, number_of
from understudy.adapters.stores.oversight_tables import caps, surveys
from understudy.adapters.stores.rows import Rows
from understudy.adapters.stores.session import Session, columns_of, record_of
from understudy.adapters.stores.statement import Statement, among
from understudy.adapters.stores.tables import conversations, turns
from understudy.adapters.stores.win_back_tables import win_backs
from understudy.records.trust import Cap, CapCause
from understudy.records.win_back import WinBack, WinBackState, WinBackTally

_WIN_BACK = columns_of(win_backs, WinBack)
_WIN_BACKS = Rows(win_backs, WinBack, key=("id",), again="replaces")
_OF_HOLD = Statement(select(*_WIN_BACK).where(win_backs.c.hold_id == bindparam("hold_id")))
_OF_CONTACT = Statement(
    select(*_WIN_BACK)
    .where(win_backs.c.contact_id == bindparam("contact_id"))
    .order_by(win_backs.c.at.desc())
    .limit(bindparam("limit"))
)


@cache
def _missing(causes: frozenset[CapCause]) -> Statement:
    known = exists().where(win_backs.c.contact_id == caps.c.contact_id, win_backs.c.turn_id == caps.c.turn_id)
    return Statement(
        select(*columns_of(caps, Cap))
        .where(caps.c.at > bindparam("since"), among(caps.c.cause, causes), caps.c.turn_id.is_not(None), ~known)
        .order_by(caps.c.at)
        .limit(bindparam("limit"))
    )


@cache
def _listed(states: frozenset[WinBackState]) -> Statement:
    query = select(*_WIN_BACK).where(among(win_backs.c.state, states))
    return Statement(query.order_by(win_backs.c.at).limit(bindparam("limit")))


_own: Any = turns.alias("own")
_OWN_TOPIC = func.coalesce(_own.c.topic, literal_column("''"))
_SETTLED = number_of(win_backs.c.settled_at)
_CAME_BACK = exists(
    select(turns.c.id)
    .join(conversations, conversations.c.id == turns.c.conversation_id)
    .where(
        conversations.c.contact_id == win_backs.c.contact_id,
        SLICE[0] == _OWN_TOPIC,
        number_of(turns.c.created_at) > _SETTLED,
        number_of(turns.c.created_at) <= _SETTLED + given("within"),
        SERVED,
    )
)
_SAID_NEXT = (
    select(func.min(surveys.c.score))
    .where(
        surveys.c.contact_id == win_backs.c.contact_id,
        number_of(surveys.c.answered_at) > _SETTLED,
        number_of(surveys.c.answered_at) <= _SETTLED + given("within"),
    )
    .scalar_subquery()
)
_IS_SENT = case((among(win_backs.c.state, [WinBackState.SENT]), 1), else_=0)
_IS_EARLY = case((given("old") < _SETTLED, 1), else_=0)
_outcomes: Any = (
    select(
        _IS_SENT.label("sent"),
        _IS_EARLY.label("early"),
        case((_CAME_BACK, 1), else_=0).label("back"),
        _SAID_NEXT.label("score"),
    )
    .select_from(win_backs.join(_own, _own.c.id == win_backs.c.turn_id))
    .where(
        win_backs.c.at >= bindparam("since"), win_backs.c.at < bindparam("until"), win_backs.c.settled_at.is_not(None)
    )
    .subquery("outcomes")
)
_COUNTED = Statement(
    select(_outcomes.c.sent, _outcomes.c.early, _outcomes.c.back, _outcomes.c.score, func.count()).group_by(
        _outcomes.c.sent, _outcomes.c.early, _outcomes.c.back, _outcomes.c.score
    )
)


class SqlWinBacks:
    """`ports.win_backs.WinBacks` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def missing(self, causes: Collection[CapCause], since: datetime, *, limit: int) -> list[Cap]:
        rows = self._session.rows(_missing(frozenset(causes)), since=since, limit=limit) if causes else []
        return [record_of(Cap, row) for row in rows]

    def put(self, win_back: WinBack) -> None:
        self._session.add(_WIN_BACKS, _WIN_BACKS.of(win_back))

    def of_hold(self, hold_id: str) -> WinBack | None:
        row = self._session.row(_OF_HOLD, hold_id=hold_id)
        return None if row is None else record_of(WinBack, row)

    def of_contacts(self, contact_ids: Sequence[str], *, limit: int) -> list[WinBack]:
        rows = [
            row
            for one in dict.fromkeys(contact_ids)
            for row in self._session.rows(_OF_CONTACT, contact_id=one, limit=limit)
        ]
        return sorted((record_of(WinBack, row) for row in rows), key=lambda one: one.at, reverse=True)[:limit]

    def listed(self, states: Collection[WinBackState], *, limit: int) -> list[WinBack]:
        return [record_of(WinBack, row) for row in self._session.rows(_listed(frozenset(states)), limit=limit)]

    def counted(self, since: datetime, until: datetime, *, within: timedelta, now: datetime) -> list[WinBackTally]:
        values = {"since": since, "until": until, "within": within // timedelta(microseconds=1)}
        rows = self._session.rows(_COUNTED, **values, old=micro(now - within))
        return [
            WinBackTally(sent=bool(sent), early=bool(early), back=bool(back), score=score, outcomes=int(count))
            for sent, early, back, score, count in rows
        ]
