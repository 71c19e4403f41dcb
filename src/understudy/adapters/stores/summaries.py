"""What models wrote of hand-offs, in SQL."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, exists, or_, select

from understudy.adapters.stores.rows import Rows
from understudy.adapters.stores.session import Session, columns_of, record_of
from understudy.adapters.stores.statement import Statement, among
from understudy.adapters.stores.summary_tables import summaries
from understudy.adapters.stores.tables import conversations, holds
from understudy.records.conversation import Mode
from understudy.records.review import Hold, HoldKind, HoldState
from understudy.records.summary import SummaryState, WrittenSummary

_SUMMARY = columns_of(summaries, WrittenSummary)
_SUMMARIES = Rows(summaries, WrittenSummary, key=("hold_id",), again="replaces")
_OF_HOLD = Statement(select(*_SUMMARY).where(summaries.c.hold_id == bindparam("hold_id")))
_LATEST_OF = Statement(
    select(*_SUMMARY)
    .where(summaries.c.conversation_id == bindparam("conversation_id"))
    .order_by(summaries.c.at.desc(), summaries.c.hold_id.desc())
    .limit(1)
)
_IS_SETTLED = exists().where(
    summaries.c.hold_id == holds.c.id,
    or_(
        among(summaries.c.state, [SummaryState.WRITTEN, SummaryState.FAILED]),
        summaries.c.due_at > bindparam("now"),
    ),
)
_MISSING = Statement(
    select(*columns_of(holds, Hold))
    .join(conversations, conversations.c.id == holds.c.conversation_id)
    .where(
        among(holds.c.state, [HoldState.OPEN]),
        among(holds.c.kind, [HoldKind.HAND_OFF]),
        holds.c.created_at > bindparam("since"),
        ~among(conversations.c.mode, [Mode.REHEARSAL]),
        ~_IS_SETTLED,
    )
    .order_by(holds.c.created_at, holds.c.id)
    .limit(bindparam("limit"))
)


class SqlSummaries:
    """`ports.summaries.Summaries` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def missing(self, since: datetime, now: datetime, *, limit: int) -> list[Hold]:
        return [record_of(Hold, row) for row in self._session.rows(_MISSING, since=since, now=now, limit=limit)]

    def put(self, summary: WrittenSummary) -> None:
        self._session.add(_SUMMARIES, _SUMMARIES.of(summary))

    def of_hold(self, hold_id: str) -> WrittenSummary | None:
        row = self._session.row(_OF_HOLD, hold_id=hold_id)
        return None if row is None else record_of(WrittenSummary, row)

    def latest_of(self, conversation_id: str) -> WrittenSummary | None:
        row = self._session.row(_LATEST_OF, conversation_id=conversation_id)
        return None if row is None else record_of(WrittenSummary, row)
