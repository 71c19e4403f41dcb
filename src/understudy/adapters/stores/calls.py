"""Requests to agents in SQL: those under way and those of the last minute, so that all processes keep one limit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, select, update

from understudy.adapters.stores.session import Session
from understudy.adapters.stores.statement import Statement, insert_into
from understudy.adapters.stores.tables import agent_calls
from understudy.ports.calls import CallLimits

MINUTE = timedelta(seconds=60)
LOOK_AGAIN_S = 0.1
"""How soon it is worth asking again for a place that may come free at any moment."""

_OF_AGENT = agent_calls.c.agent == bindparam("agent")
_FORGET = Statement(
    delete(agent_calls).where(
        _OF_AGENT, agent_calls.c.until <= bindparam("now"), agent_calls.c.began_at <= bindparam("minute_ago")
    )
)
_UNDER_WAY = Statement(
    select(func.count()).select_from(agent_calls).where(_OF_AGENT, agent_calls.c.until > bindparam("now"))
)
_NTH_LATEST = Statement(
    select(agent_calls.c.began_at)
    .where(_OF_AGENT, agent_calls.c.began_at > bindparam("minute_ago"))
    .order_by(agent_calls.c.began_at.desc())
    .limit(1)
    .offset(bindparam("others"))
)
_ADD = insert_into(agent_calls)
_FORGET_ONE = Statement(delete(agent_calls).where(agent_calls.c.id == bindparam("which")))
_MOVE = Statement(
    update(agent_calls).where(agent_calls.c.id == bindparam("which")).values(until=bindparam("new_until"))
)


class SqlAgentCalls:
    """`ports.store.AgentCalls` in SQL. Calls are no news, so no ledger entry tells of them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def begin(self, call_id: str, agent: str, *, now: datetime, until: datetime, limits: CallLimits) -> float:
        minute_ago = now - MINUTE
        self._session.renew(_FORGET, {"agent": agent, "now": now, "minute_ago": minute_ago})
        if limits.at_once_max is not None:
            if int(self._session.scalar(_UNDER_WAY, agent=agent, now=now)) >= limits.at_once_max:
                return LOOK_AGAIN_S
        if limits.per_minute_max is not None:
            others = limits.per_minute_max - 1
            row = self._session.row(_NTH_LATEST, agent=agent, minute_ago=minute_ago, others=others)
            if row is not None:
                began_at: datetime = row[0]
                return max((began_at - minute_ago).total_seconds(), LOOK_AGAIN_S)
        self._session.renew(_ADD, {"id": call_id, "agent": agent, "began_at": now, "until": until})
        return 0.0

    def renew(self, call_ids: Iterable[str], *, until: datetime) -> None:
        for call_id in call_ids:
            self._session.renew(_MOVE, {"which": call_id, "new_until": until})

    def end(self, call_id: str, *, now: datetime, limits: CallLimits) -> None:
        if limits.per_minute_max is None:
            self._session.renew(_FORGET_ONE, {"which": call_id})
        else:
            self._session.renew(_MOVE, {"which": call_id, "new_until": now})
