"""What auditors and the health page look up, in SQL: backwards from the end, a stretch at a time; nothing here is on a turn's way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import bindparam, case, delete, func, select

from understudy.adapters.stores.oversight_tables import second_reviews
from understudy.adapters.stores.queue import asked_in
from understudy.adapters.stores.session import Session, columns_of, record_of, values_of
from understudy.adapters.stores.statement import Statement, among, insert_into
from understudy.adapters.stores.tables import (
    agent_calls,
    artifacts,
    contacts,
    conversations,
    holds,
    ledger,
    messages,
    outbox,
    slice_counts,
    turns,
    verdicts,
)
from understudy.adapters.stores.trail_tables import processes
from understudy.records.ledger import LedgerEntry
from understudy.records.outbox import OPEN_ENTRY, OutboxEntry, OutboxState
from understudy.records.review import Hold, HoldState
from understudy.records.reviewing import SecondReview
from understudy.records.trail import AgentUse, Backlog, OpenHolds, Process, Sizes, SliceUse, TurnSeen, Unsent
from understudy.records.turn import WORKING, Turn

NUMBER_MAX = 2**63 - 1
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

_TURN = columns_of(turns, Turn)
_TURNS = Statement(
    select(*_TURN)
    .where(turns.c.position < bindparam("before"))
    .order_by(turns.c.position.desc())
    .limit(bindparam("limit"))
)
_SEEN = (
    select(*_TURN, contacts.c.name, contacts.c.email, contacts.c.phone, asked_in(turns.c.id))
    .select_from(turns)
    .join(conversations, conversations.c.id == turns.c.conversation_id)
    .join(contacts, contacts.c.id == conversations.c.contact_id)
    .where(turns.c.position < bindparam("before"))
    .order_by(turns.c.position.desc())
    .limit(bindparam("limit"))
)
_TURNS_SEEN = Statement(_SEEN)
_TURNS_OF = Statement(_SEEN.where(turns.c.conversation_id == bindparam("conversation_id")))
_STRETCH = (turns.c.position > bindparam("after"), turns.c.position <= bindparam("until"))
_TEXTS = tuple(
    Statement(select(turns.c.position, said.c.text).join(said, said.c.turn_id == turns.c.id).where(*_STRETCH))
    for said in (messages, outbox, verdicts)
)
_TURN_AT = Statement(
    select(turns.c.position, turns.c.created_at)
    .where(turns.c.position <= bindparam("position"))
    .order_by(turns.c.position.desc())
    .limit(1)
)
_ENTRY = columns_of(ledger, LedgerEntry)
_OF_TURN = Statement(
    select(*_ENTRY).where(ledger.c.turn_id == bindparam("turn_id")).order_by(ledger.c.seq).limit(bindparam("limit"))
)
_ENTRY_AT = Statement(
    select(ledger.c.seq, ledger.c.at).where(ledger.c.seq <= bindparam("seq")).order_by(ledger.c.seq.desc()).limit(1)
)
_HOLDS_OF = Statement(
    select(*columns_of(holds, Hold)).where(holds.c.turn_id == bindparam("turn_id")).order_by(holds.c.created_at)
)
_SECOND_OF = Statement(
    select(*columns_of(second_reviews, SecondReview)).where(second_reviews.c.hold_id == bindparam("hold_id"))
)
_DEAD = (among(outbox.c.state, [OutboxState.DEAD]),)
_DEAD_ONES = Statement(
    select(*columns_of(outbox, OutboxEntry)).where(*_DEAD).order_by(outbox.c.seq).limit(bindparam("limit"))
)
_DOCUMENT = Statement(
    select(artifacts.c.body).where(artifacts.c.turn_id == bindparam("turn_id"), artifacts.c.kind == bindparam("kind"))
)
_WORKING = Statement(
    select(turns.c.state, func.count(), func.min(turns.c.created_at, type_=turns.c.created_at.type))
    .where(among(turns.c.state, WORKING))
    .group_by(turns.c.state)
)
_OPEN_HOLDS = Statement(
    select(
        holds.c.kind,
        func.count(),
        func.sum(case((holds.c.raised_at.is_not(None), 1), else_=0)),
        func.min(holds.c.created_at, type_=holds.c.created_at.type),
    )
    .where(among(holds.c.state, [HoldState.OPEN]))
    .group_by(holds.c.kind)
)
_COUNTED = select(
    outbox.c.channel, outbox.c.state, func.count(), func.min(outbox.c.created_at, type_=outbox.c.created_at.type)
).group_by(outbox.c.channel, outbox.c.state)
_UNSENT = Statement(_COUNTED.where(among(outbox.c.state, OPEN_ENTRY)))
_COUNT_DEAD = Statement(_COUNTED.where(*_DEAD))
_CALLS = Statement(
    select(
        agent_calls.c.agent,
        func.sum(case((agent_calls.c.until > bindparam("now", type_=agent_calls.c.until.type), 1), else_=0)),
        func.sum(case((agent_calls.c.began_at > bindparam("ago", type_=agent_calls.c.until.type), 1), else_=0)),
    ).group_by(agent_calls.c.agent)
)
_SLICES = Statement(
    select(slice_counts.c.topic, slice_counts.c.channel, slice_counts.c.kind, func.sum(slice_counts.c.count))
    .where(slice_counts.c.began_at > bindparam("ago"))
    .group_by(slice_counts.c.topic, slice_counts.c.channel, slice_counts.c.kind)
)


@cache
def _found(*, has_event: bool, has_actor: bool, has_conversation: bool) -> Statement:
    """A stretch of the ledger, the latest first, of which some is asked for."""
    page = (
        select(*_ENTRY)
        .where(ledger.c.seq < bindparam("before"), ledger.c.seq > bindparam("after"))
        .order_by(ledger.c.seq.desc())
        .limit(bindparam("limit"))
    )
    if has_event:
        page = page.where(ledger.c.event == bindparam("event"))
    if has_actor:
        page = page.where(ledger.c.actor == bindparam("actor"))
    if has_conversation:
        page = page.where(ledger.c.conversation_id == bindparam("conversation_id"))
    return Statement(page)


class SqlTrail:
    """`ports.trail.Trail` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def turns(self, *, before: int | None = None, limit: int) -> list[Turn]:
        rows = self._session.rows(_TURNS, before=before or NUMBER_MAX, limit=limit)
        return [record_of(Turn, row) for row in rows]

    def turns_seen(self, *, before: int | None = None, limit: int) -> list[TurnSeen]:
        return [_seen(row) for row in self._session.rows(_TURNS_SEEN, before=before or NUMBER_MAX, limit=limit)]

    def turns_of(self, conversation_id: str, *, before: int | None = None, limit: int) -> list[TurnSeen]:
        rows = self._session.rows(_TURNS_OF, conversation_id=conversation_id, before=before or NUMBER_MAX, limit=limit)
        return [_seen(row) for row in rows]

    def texts(self, *, after: int, until: int) -> Mapping[int, Sequence[str]]:
        found: dict[int, list[str]] = {}
        for statement in _TEXTS:
            for position, text in self._session.rows(statement, after=after, until=until):
                if text:
                    found.setdefault(position, []).append(text)
        return found

    def position_before(self, moment: datetime) -> int:
        def at(position: int) -> tuple[int, datetime] | None:
            row = self._session.row(_TURN_AT, position=position)
            return None if row is None else (row[0], row[1])

        return _latest_before(moment, at)

    def entries(
        self,
        *,
        before: int | None = None,
        after: int = 0,
        event: str | None = None,
        actor: str | None = None,
        conversation_id: str | None = None,
        limit: int,
    ) -> list[LedgerEntry]:
        statement = _found(
            has_event=event is not None, has_actor=actor is not None, has_conversation=conversation_id is not None
        )
        asked = {"event": event, "actor": actor, "conversation_id": conversation_id}
        given = {name: value for name, value in asked.items() if value is not None}
        rows = self._session.rows(statement, before=before or NUMBER_MAX, after=after, limit=limit, **given)
        return [record_of(LedgerEntry, row) for row in rows]

    def entries_of(self, turn_id: str, *, limit: int) -> list[LedgerEntry]:
        return [record_of(LedgerEntry, row) for row in self._session.rows(_OF_TURN, turn_id=turn_id, limit=limit)]

    def seq_before(self, moment: datetime) -> int:
        def at(seq: int) -> tuple[int, datetime] | None:
            row = self._session.row(_ENTRY_AT, seq=seq)
            return None if row is None else (row[0], row[1])

        return _latest_before(moment, at)

    def holds_of(self, turn_id: str) -> list[Hold]:
        return [record_of(Hold, row) for row in self._session.rows(_HOLDS_OF, turn_id=turn_id)]

    def second_of(self, hold_id: str) -> SecondReview | None:
        row = self._session.row(_SECOND_OF, hold_id=hold_id)
        return None if row is None else record_of(SecondReview, row)

    def dead(self, *, limit: int) -> list[OutboxEntry]:
        return [record_of(OutboxEntry, row) for row in self._session.rows(_DEAD_ONES, limit=limit)]

    def documents(self, turn_ids: Collection[str], kind: str) -> list[str]:
        found = (self._session.scalar(_DOCUMENT, turn_id=turn_id, kind=kind) for turn_id in turn_ids)
        return [body for body in found if body is not None]

    def sizes(self, now: datetime) -> Sizes:
        rows = self._session.rows
        unsent = [*rows(_UNSENT), *rows(_COUNT_DEAD)]
        return Sizes(
            working={state: Backlog(count=int(count), oldest_at=oldest) for state, count, oldest in rows(_WORKING)},
            holds=tuple(
                OpenHolds(kind=kind, count=int(count), raised=int(raised), oldest_at=oldest)
                for kind, count, raised, oldest in rows(_OPEN_HOLDS)
            ),
            unsent=tuple(
                Unsent(channel=channel, state=state, count=int(count), oldest_at=oldest)
                for channel, state, count, oldest in unsent
            ),
            agents=tuple(
                AgentUse(agent=agent, at_once=int(at_once), last_minute=int(minute))
                for agent, at_once, minute in rows(_CALLS, now=now, ago=now - MINUTE)
            ),
            slices=tuple(
                SliceUse(topic=topic, channel=channel, kind=kind, count=int(count))
                for topic, channel, kind, count in rows(_SLICES, ago=now - HOUR)
            ),
        )


def _seen(row: Sequence[object]) -> TurnSeen:
    last = len(_TURN)
    customer, email, phone, asked = row[last:]
    return TurnSeen(turn=record_of(Turn, row[:last]), customer=customer, email=email, phone=phone, asked=asked)  # type: ignore[arg-type]


def _latest_before(moment: datetime, at: Callable[[int], tuple[int, datetime] | None]) -> int:
    """Halve the numbers until the latest is found whose moment is before the one asked for: some 40 look-ups in any store.

    `at` gives the number and moment of the latest row up to a number. Rows are in the order of their moments but for some
    milliseconds between processes, so what is found is right up to those.
    """
    end = at(NUMBER_MAX)
    low, high = 0, 0 if end is None else end[0]
    while low < high:
        middle = (low + high + 1) // 2
        row = at(middle)
        if row is None or row[1] < moment:
            low = middle
        else:
            high = row[0] - 1
    row = at(low)
    return 0 if row is None else row[0]


_PUT = insert_into(processes)
_FORGET = Statement(
    delete(processes).where((processes.c.id == bindparam("which")) | (processes.c.seen_at < bindparam("before")))
)
_END = Statement(delete(processes).where(processes.c.id == bindparam("which")))
_ALL = Statement(select(*columns_of(processes, Process)).order_by(processes.c.started_at, processes.c.id))


class SqlProcesses:
    """`ports.trail.Processes` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, process: Process, *, forget_before: datetime) -> None:
        self._session.renew(_FORGET, {"which": process.id, "before": forget_before})
        self._session.renew(_PUT, values_of(process))

    def all(self) -> list[Process]:
        return [record_of(Process, row) for row in self._session.rows(_ALL)]

    def end(self, process_id: str) -> None:
        self._session.renew(_END, {"which": process_id})
