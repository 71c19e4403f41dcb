"""The reviewers' desk in SQL."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, or_, select, true, update

from understudy.adapters.stores.desk_tables import (
    canned_replies,
    desk_preferences,
    desk_views,
    presences,
    waiting_verdicts,
)
from understudy.adapters.stores.session import Session, columns_of, record_of, values_of
from understudy.adapters.stores.statement import Statement, insert_into
from understudy.records.codec import dump, load
from understudy.records.desk import CannedReply, Presence, View
from understudy.records.review import Verdict, WaitingVerdict

_WAIT = insert_into(waiting_verdicts)
_WAITING = Statement(select(*waiting_verdicts.c).where(waiting_verdicts.c.hold_id == bindparam("which")))
_NO_LONGER = Statement(delete(waiting_verdicts).where(waiting_verdicts.c.hold_id == bindparam("which")))
_DUE = Statement(
    select(waiting_verdicts.c.hold_id)
    .where(waiting_verdicts.c.due_at <= bindparam("now"))
    .order_by(waiting_verdicts.c.due_at)
    .limit(bindparam("limit"))
)
_OF_REVIEWER = Statement(
    select(waiting_verdicts.c.hold_id)
    .where(waiting_verdicts.c.reviewer == bindparam("reviewer"))
    .order_by(waiting_verdicts.c.due_at)
)

_VIEW = columns_of(desk_views, View)
_VIEWS = Statement(
    select(*_VIEW)
    .where(or_(desk_views.c.owner == bindparam("owner"), desk_views.c.is_shared == true()))
    .order_by(desk_views.c.created_at, desk_views.c.id)
)
_VIEW_BY_ID = Statement(select(*_VIEW).where(desk_views.c.id == bindparam("which")))
_ADD_VIEW = insert_into(desk_views)
_CHANGE_VIEW = Statement(
    update(desk_views)
    .where(desk_views.c.id == bindparam("which"))
    .values({name: bindparam(name) for name in ("name", "is_shared", "shows")})
)
_DROP_VIEW = Statement(delete(desk_views).where(desk_views.c.id == bindparam("which")))

_PREFERENCES = Statement(select(desk_preferences.c.body).where(desk_preferences.c.owner == bindparam("which")))
_ADD_PREFERENCES = insert_into(desk_preferences)
_CHANGE_PREFERENCES = Statement(
    update(desk_preferences)
    .where(desk_preferences.c.owner == bindparam("which"))
    .values(body=bindparam("body"), changed_at=bindparam("changed_at"))
)

_CANNED = Statement(select(*columns_of(canned_replies, CannedReply)).order_by(canned_replies.c.name))
_CANNED_BY_ID = Statement(select(canned_replies.c.id).where(canned_replies.c.id == bindparam("which")))
_ADD_CANNED = insert_into(canned_replies)
_CHANGE_CANNED = Statement(
    update(canned_replies)
    .where(canned_replies.c.id == bindparam("which"))
    .values({name: bindparam(name) for name in ("name", "text", "changed_by", "changed_at")})
)
_DROP_CANNED = Statement(delete(canned_replies).where(canned_replies.c.id == bindparam("which")))

_PRESENT = Statement(
    select(*columns_of(presences, Presence))
    .where(presences.c.seen_at >= bindparam("since"))
    .order_by(presences.c.name, presences.c.owner)
)
_IS_KNOWN = Statement(select(presences.c.owner).where(presences.c.owner == bindparam("which")))
_COME = insert_into(presences)
_STAY = Statement(
    update(presences)
    .where(presences.c.owner == bindparam("which"))
    .values({name: bindparam(name) for name in ("name", "hold_id", "seen_at")})
)
_FORGET = Statement(delete(presences).where(presences.c.seen_at < bindparam("before")))
_LEAVE = Statement(delete(presences).where(presences.c.owner == bindparam("which")))


class SqlWaitingVerdicts:
    """`ports.desk.WaitingVerdicts` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, waiting: WaitingVerdict) -> None:
        values = values_of(waiting, leave_out=("verdict",))
        self._session.change(_WAIT, {**values, "body": dump(waiting.verdict)})

    def get(self, hold_id: str) -> WaitingVerdict | None:
        row = self._session.row(_WAITING, which=hold_id)
        if row is None:
            return None
        return WaitingVerdict(hold_id=row[0], reviewer=row[1], due_at=row[2], verdict=load(Verdict, row[3]))

    def remove(self, hold_id: str) -> None:
        self._session.change(_NO_LONGER, {"which": hold_id})

    def due(self, now: datetime, *, limit: int) -> list[str]:
        return [row[0] for row in self._session.rows(_DUE, now=now, limit=limit)]

    def of_reviewer(self, reviewer: str) -> list[str]:
        return [row[0] for row in self._session.rows(_OF_REVIEWER, reviewer=reviewer)]


class SqlDesk:
    """`ports.desk.Desk` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def views(self, owner: str) -> list[View]:
        return [record_of(View, row) for row in self._session.rows(_VIEWS, owner=owner)]

    def view(self, view_id: str) -> View | None:
        row = self._session.row(_VIEW_BY_ID, which=view_id)
        return None if row is None else record_of(View, row)

    def put_view(self, view: View) -> None:
        if self.view(view.id) is None:
            self._session.change(_ADD_VIEW, values_of(view))
        else:
            changes = {"name": view.name, "is_shared": view.is_shared, "shows": view.shows}
            self._session.change(_CHANGE_VIEW, {"which": view.id, **changes})

    def drop_view(self, view_id: str) -> None:
        self._session.change(_DROP_VIEW, {"which": view_id})

    def preferences(self, owner: str) -> str | None:
        found = self._session.scalar(_PREFERENCES, which=owner)
        return None if found is None else str(found)

    def put_preferences(self, owner: str, body: str, *, now: datetime) -> None:
        if self.preferences(owner) is None:
            self._session.change(_ADD_PREFERENCES, {"owner": owner, "body": body, "changed_at": now})
        else:
            self._session.change(_CHANGE_PREFERENCES, {"which": owner, "body": body, "changed_at": now})

    def canned(self) -> list[CannedReply]:
        return [record_of(CannedReply, row) for row in self._session.rows(_CANNED)]

    def put_canned(self, reply: CannedReply) -> None:
        if self._session.row(_CANNED_BY_ID, which=reply.id) is None:
            self._session.change(_ADD_CANNED, values_of(reply))
        else:
            self._session.change(_CHANGE_CANNED, {"which": reply.id, **values_of(reply, leave_out=("id",))})

    def drop_canned(self, reply_id: str) -> None:
        self._session.change(_DROP_CANNED, {"which": reply_id})

    def look_in(self, presence: Presence, *, forget_before: datetime) -> None:
        self._session.renew(_FORGET, {"before": forget_before})
        if self._session.row(_IS_KNOWN, which=presence.owner) is None:
            self._session.renew(_COME, values_of(presence))
        else:
            self._session.renew(_STAY, {"which": presence.owner, **values_of(presence, leave_out=("owner",))})

    def present(self, *, since: datetime) -> list[Presence]:
        return [record_of(Presence, row) for row in self._session.rows(_PRESENT, since=since)]

    def leave(self, owner: str) -> None:
        self._session.renew(_LEAVE, {"which": owner})
