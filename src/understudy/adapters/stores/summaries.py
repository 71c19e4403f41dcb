"""Hand-offs without a written summary, in SQL."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, exists, select

from understudy.adapters.stores.session import Session, columns_of, record_of
from understudy.adapters.stores.statement import Statement, among
from understudy.adapters.stores.tables import artifacts, conversations, holds
from understudy.records.conversation import Mode
from understudy.records.review import Hold, HoldKind, HoldState
from understudy.records.summary import WRITTEN_KIND

_MISSING = Statement(
    select(*columns_of(holds, Hold))
    .join(conversations, conversations.c.id == holds.c.conversation_id)
    .where(
        among(holds.c.state, [HoldState.OPEN]),
        among(holds.c.kind, [HoldKind.HAND_OFF]),
        holds.c.created_at > bindparam("since"),
        ~among(conversations.c.mode, [Mode.REHEARSAL]),
        ~exists().where(artifacts.c.turn_id == holds.c.turn_id, artifacts.c.kind == WRITTEN_KIND),
    )
    .order_by(holds.c.created_at, holds.c.id)
    .limit(bindparam("limit"))
)


class SqlSummaries:
    """`ports.summaries.Summaries` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def missing(self, since: datetime, *, limit: int) -> list[Hold]:
        return [record_of(Hold, row) for row in self._session.rows(_MISSING, since=since, limit=limit)]
