"""Opt-outs and surveys in SQL. That nobody ever opted out is remembered."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache

from sqlalchemy import bindparam, delete, exists, func, select

from understudy.adapters.stores.known_autonomy import KnownAutonomy
from understudy.adapters.stores.oversight_tables import opt_outs, surveys
from understudy.adapters.stores.rows import Rows
from understudy.adapters.stores.session import Session, columns_of, record_of
from understudy.adapters.stores.statement import Statement, among
from understudy.adapters.stores.tables import outbox, turns
from understudy.records.opt_out import OptOut
from understudy.records.outbox import OutboxState
from understudy.records.survey import Survey, SurveyState, SurveyTally
from understudy.records.turn import Turn, TurnState

_OPT_OUTS = Rows(opt_outs, OptOut, key=("contact_id", "channel"), again="replaces")
_OPT_OUTS_OF = Statement(
    select(*columns_of(opt_outs, OptOut))
    .where(opt_outs.c.contact_id == bindparam("contact_id"))
    .order_by(opt_outs.c.channel)
)
_ANY_OPT_OUT = Statement(select(opt_outs.c.contact_id).limit(1))
_LIFT = Statement(
    delete(opt_outs).where(opt_outs.c.contact_id == bindparam("which"), opt_outs.c.channel == bindparam("on"))
)

_SURVEY = columns_of(surveys, Survey)
_SURVEYS = Rows(surveys, Survey, key=("turn_id",), again="replaces")
_OF_TURN = Statement(select(*_SURVEY).where(surveys.c.turn_id == bindparam("turn_id")))
_OF_CONTACT = Statement(
    select(*_SURVEY)
    .where(surveys.c.contact_id == bindparam("contact_id"), ~among(surveys.c.state, [SurveyState.UNDRAWN]))
    .order_by(surveys.c.at.desc())
    .limit(bindparam("limit"))
)
_OPEN_OF = Statement(
    select(*_SURVEY)
    .where(surveys.c.conversation_id == bindparam("conversation_id"), among(surveys.c.state, [SurveyState.ASKED]))
    .limit(1)
)
_OVERDUE = Statement(
    select(*_SURVEY)
    .where(among(surveys.c.state, [SurveyState.ASKED]), surveys.c.at < bindparam("before"))
    .order_by(surveys.c.at)
    .limit(bindparam("limit"))
)
_later = turns.alias("later")
_DUE = Statement(
    select(*columns_of(turns, Turn))
    .where(
        turns.c.decided_at > bindparam("since"),
        among(turns.c.state, [TurnState.ANSWERED]),
        turns.c.finished_at > bindparam("since"),
        turns.c.finished_at <= bindparam("until"),
        ~exists().where(_later.c.conversation_id == turns.c.conversation_id, _later.c.position > turns.c.position),
        ~exists().where(surveys.c.turn_id == turns.c.id),
    )
    .order_by(turns.c.finished_at)
    .limit(bindparam("limit"))
)


@cache
def _counted(*, of_channel: bool) -> Statement:
    wanted = (
        select(surveys.c.alone, surveys.c.channel, surveys.c.score, func.count())
        .select_from(surveys.join(outbox, outbox.c.id == surveys.c.outbox_id))
        .where(
            surveys.c.at >= bindparam("since"),
            surveys.c.at < bindparam("until"),
            ~among(outbox.c.state, [OutboxState.DEAD, OutboxState.DROPPED]),
        )
    )
    if of_channel:
        wanted = wanted.where(surveys.c.channel == bindparam("channel"))
    return Statement(wanted.group_by(surveys.c.alone, surveys.c.channel, surveys.c.score))


class SqlOptOuts:
    """`ports.asked.OptOuts` in SQL."""

    def __init__(self, session: Session, known: KnownAutonomy) -> None:
        self._session = session
        self._known = known

    def of_contacts(self, contact_ids: Collection[str]) -> list[OptOut]:
        if self._known.has_opt_outs is None:
            self._known.has_opt_outs = self._session.scalar(_ANY_OPT_OUT) is not None
        if not self._known.has_opt_outs:
            return []
        found = [self._session.rows_where(_OPT_OUTS, _OPT_OUTS_OF, contact_id=one) for one in contact_ids]
        return [record_of(OptOut, row) for rows in found for row in rows]

    def put(self, opt_out: OptOut) -> None:
        self._session.add(_OPT_OUTS, _OPT_OUTS.of(opt_out))
        self._known.has_opt_outs = True

    def lift(self, contact_ids: Collection[str], channel: str) -> bool:
        there = [one for one in self.of_contacts(contact_ids) if one.channel == channel]
        for one in there:
            self._session.change(_LIFT, {"which": one.contact_id, "on": channel})
        return bool(there)


class SqlSurveys:
    """`ports.asked.Surveys` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, survey: Survey) -> None:
        self._session.add(_SURVEYS, _SURVEYS.of(survey))

    def of_turn(self, turn_id: str) -> Survey | None:
        row = self._session.row_at(_SURVEYS, _OF_TURN, turn_id=turn_id)
        return None if row is None else record_of(Survey, row)

    def of_contacts(self, contact_ids: Collection[str], *, limit: int) -> list[Survey]:
        rows = [row for one in contact_ids for row in self._session.rows(_OF_CONTACT, contact_id=one, limit=limit)]
        return sorted((record_of(Survey, row) for row in rows), key=lambda one: one.at, reverse=True)[:limit]

    def open_of(self, conversation_id: str) -> Survey | None:
        row = self._session.row(_OPEN_OF, conversation_id=conversation_id)
        return None if row is None else record_of(Survey, row)

    def due(self, *, since: datetime, until: datetime, limit: int) -> list[Turn]:
        rows = self._session.rows(_DUE, since=since, until=until, limit=limit)
        return [record_of(Turn, row) for row in rows]

    def overdue(self, before: datetime, *, limit: int) -> list[Survey]:
        return [record_of(Survey, row) for row in self._session.rows(_OVERDUE, before=before, limit=limit)]

    def counted(self, since: datetime, until: datetime, channel: str | None) -> list[SurveyTally]:
        values = {"since": since, "until": until} | ({} if channel is None else {"channel": channel})
        rows = self._session.rows(_counted(of_channel=channel is not None), **values)
        return [
            SurveyTally(alone=bool(alone), channel=on, score=score, surveys=int(count))
            for alone, on, score, count in rows
        ]
