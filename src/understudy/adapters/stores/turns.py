"""Turns and their documents in SQL; every change of a turn is a compare-and-set on its token."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, delete, func, literal_column, select, text, update

from understudy.adapters.stores.hot import Hot
from understudy.adapters.stores.session import Session, columns_of, record_of, values_of
from understudy.adapters.stores.statement import Numbered, Statement, among
from understudy.adapters.stores.tables import LEFT_ALONE, artifacts, slice_counts, turns
from understudy.errors import NotFound, StepSuperseded
from understudy.records.assessment import DecisionKind
from understudy.records.codec import digest
from understudy.records.turn import OPEN, TRANSITIONS, WORKING, Turn, TurnState

_TURN = columns_of(turns, Turn)
_BY_ID = Statement(select(*_TURN).where(turns.c.id == bindparam("id")))
_OPEN_OF = Statement(
    select(*_TURN)
    .where(turns.c.conversation_id == bindparam("conversation_id"), among(turns.c.state, OPEN))
    .order_by(turns.c.position)
)
_LATEST_OF = Statement(
    select(*_TURN)
    .where(turns.c.conversation_id == bindparam("conversation_id"))
    .order_by(turns.c.position.desc())
    .limit(1)
)
_BACKLOG = Statement(select(func.count()).select_from(turns).where(among(turns.c.state, WORKING)))
_DUE = Statement(
    select(*_TURN)
    .where(among(turns.c.state, WORKING), turns.c.due_at <= bindparam("now"))
    .order_by(turns.c.due_at)
    .limit(bindparam("limit"))
)
_LISTED = Statement(
    select(*_TURN).where(turns.c.position > bindparam("after")).order_by(turns.c.position).limit(bindparam("limit"))
)
_SLICE = (turns.c.topic == bindparam("topic"), turns.c.channel == bindparam("channel"))
BUCKET = timedelta(seconds=10)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COUNTS_KEPT = timedelta(hours=2)


def _left_alone(kind: DecisionKind) -> ScalarSelect[Any]:
    """Count a slice's decisions of a kind: one by one in the bucket of the first moment, by whole buckets after it."""
    word: ColumnElement[Any] = literal_column(f"'{kind.value}'")
    first = (
        select(func.count())
        .select_from(turns)
        .where(
            among(turns.c.decision, LEFT_ALONE),  # the words of the partial index, so that it is used
            turns.c.decision == word,
            turns.c.decided_at >= bindparam("since"),
            turns.c.decided_at < bindparam("whole_from"),
            *_SLICE,
        )
    )
    later = select(func.coalesce(func.sum(slice_counts.c.count), 0)).where(
        slice_counts.c.topic == bindparam("topic"),
        slice_counts.c.channel == bindparam("channel"),
        slice_counts.c.kind == word,
        slice_counts.c.began_at >= bindparam("whole_from"),
    )
    return select(first.scalar_subquery() + later.scalar_subquery()).scalar_subquery()


_BEING_DECIDED = (
    select(func.count())
    .select_from(turns)
    .where(turns.c.state == literal_column(f"'{TurnState.ASSESSING.value}'"), *_SLICE)
)
_DECIDED_SINCE = Statement(
    select(_left_alone(DecisionKind.DELIVER), _left_alone(DecisionKind.DEGRADE), _BEING_DECIDED.scalar_subquery())
)
_OF_SLICE = (
    slice_counts.c.topic == bindparam("topic"),
    slice_counts.c.channel == bindparam("channel"),
    slice_counts.c.kind == bindparam("kind"),
)
_COUNT = Statement(
    text(
        "INSERT INTO slice_counts (topic, channel, kind, began_at, count) "
        "VALUES (:topic, :channel, :kind, :began_at, 1) "
        "ON CONFLICT (topic, channel, kind, began_at) DO UPDATE SET count = slice_counts.count + 1"
    ).bindparams(*(bindparam(name, type_=slice_counts.c[name].type) for name in ("kind", "began_at")))
)
_FORGET_COUNTS = Statement(delete(slice_counts).where(*_OF_SLICE, slice_counts.c.began_at < bindparam("before")))

_ADD = Numbered(turns, "position")


@cache
def _swap(names: tuple[str, ...]) -> Statement:
    """The compare-and-set that writes these columns."""
    return Statement(
        update(turns)
        .where(turns.c.id == bindparam("which"), turns.c.token == bindparam("expected"))
        .values({name: bindparam(name) for name in names})
    )


_RENEW = Statement(
    update(turns)
    .where(turns.c.id == bindparam("which"), turns.c.token == bindparam("expected"))
    .values(due_at=bindparam("until"))
)
_WHICH_DOCUMENT = (artifacts.c.turn_id == bindparam("turn_id"), artifacts.c.kind == bindparam("kind"))
_DOCUMENT = Statement(select(artifacts.c.body).where(*_WHICH_DOCUMENT))
_PUT_DOCUMENT = Statement(
    text(
        "INSERT INTO artifacts (turn_id, kind, digest, body) VALUES (:turn_id, :kind, :digest, :body) "
        "ON CONFLICT (turn_id, kind) DO UPDATE SET digest = excluded.digest, body = excluded.body"
    )
)


def _bucket(moment: datetime) -> datetime:
    """When the ten seconds began in which a moment lies."""
    return moment.astimezone(UTC) - (moment.astimezone(UTC) - _EPOCH) % BUCKET


class SqlTurns:
    """`ports.store.Turns` in SQL."""

    def __init__(self, session: Session, hot: Hot) -> None:
        self._session = session
        self._hot = hot

    def add(self, turn: Turn) -> Turn:
        added = replace(turn, position=self._session.insert(_ADD, values_of(turn, leave_out=("position",))))
        self._count(added)
        self._hot.begin_documents(turn.id)
        self._hot.keep_turn(added)
        return added

    def get(self, turn_id: str) -> Turn:
        row = self._session.row(_BY_ID, id=turn_id)
        if row is None:
            raise NotFound(f"there is no turn {turn_id!r}")
        return record_of(Turn, row)

    def open_of(self, conversation_id: str) -> list[Turn]:
        scene = self._hot.scene(conversation_id)
        if scene is not None and (kept := scene.open_turns()) is not None:
            return kept
        found = [record_of(Turn, row) for row in self._session.rows(_OPEN_OF, conversation_id=conversation_id)]
        if scene is not None:
            scene.turns = list(found)
        return found

    def latest_of(self, conversation_id: str) -> Turn | None:
        row = self._session.row(_LATEST_OF, conversation_id=conversation_id)
        return None if row is None else record_of(Turn, row)

    def advance(self, turn: Turn, *path: TurnState, **changes: Any) -> Turn:
        for state, to in pairwise((turn.state, *path)):
            if to not in TRANSITIONS[state]:
                raise ValueError(f"a turn cannot go from {state.value} to {to.value}")
        return self._swap(turn, state=path[-1], **changes)

    def touch(self, turn: Turn, **changes: Any) -> Turn:
        return self._swap(turn, **changes)

    def _swap(self, turn: Turn, **changes: Any) -> Turn:
        changes["token"] = turn.token + 1
        expected = {"which": turn.id, "expected": turn.token}
        self._session.swap(
            _swap(tuple(sorted(changes))),
            {**expected, **changes},
            refused=lambda: StepSuperseded(
                f"turn {turn.id} moved on from {turn.state.value} while this step was under way"
            ),
        )
        swapped = replace(turn, **changes)
        if "decision" in changes:
            self._count(swapped)
        self._hot.keep_turn(swapped)
        return swapped

    def renew(self, turn: Turn, *, until: datetime) -> None:
        self._session.renew(_RENEW, {"which": turn.id, "expected": turn.token, "until": until})
        if (scene := self._hot.scene(turn.conversation_id)) is not None:
            scene.lengthen(turn, until=until)

    def backlog(self) -> int:
        return int(self._session.scalar(_BACKLOG))

    def due(self, now: datetime, *, limit: int) -> list[Turn]:
        return [record_of(Turn, row) for row in self._session.rows(_DUE, now=now, limit=limit)]

    def decided_since(self, topic: str, channel: str, since: datetime) -> tuple[int, int]:
        began_at = _bucket(since)
        whole_from = began_at if began_at == since else began_at + BUCKET
        values = {"topic": topic, "channel": channel, "since": since, "whole_from": whole_from}
        row = self._session.row(_DECIDED_SINCE, **values)
        assert row is not None, "counts are a row, whatever they are"
        delivered, degraded, being_decided = (int(count) for count in row)
        return delivered + being_decided, degraded + being_decided

    def _count(self, turn: Turn) -> None:
        """Count a decision after which something leaves without a person; a slice's first in a bucket forgets old ones."""
        if turn.decision not in LEFT_ALONE or turn.decided_at is None:
            return
        began_at = _bucket(turn.decided_at)
        values = {"topic": turn.topic or "", "channel": turn.channel, "kind": turn.decision}
        self._session.change(_COUNT, {**values, "began_at": began_at})
        if self._hot.is_new_bucket((turn.topic, turn.channel, turn.decision), began_at):
            self._session.change(_FORGET_COUNTS, {**values, "before": began_at - COUNTS_KEPT})

    def listed(self, *, after: int, limit: int) -> list[Turn]:
        return [record_of(Turn, row) for row in self._session.rows(_LISTED, after=after, limit=limit)]


class SqlArtifacts:
    """`ports.store.Artifacts` in SQL."""

    def __init__(self, session: Session, hot: Hot) -> None:
        self._session = session
        self._hot = hot

    def put(self, turn_id: str, kind: str, body: str) -> str:
        name = digest(body)
        self._session.change(_PUT_DOCUMENT, {"turn_id": turn_id, "kind": kind, "digest": name, "body": body})
        self._hot.put_document(turn_id, kind)
        return name

    def get(self, turn_id: str, kind: str) -> str | None:
        if self._hot.lacks_document(turn_id, kind):
            return None
        body = self._session.scalar(_DOCUMENT, turn_id=turn_id, kind=kind)
        return None if body is None else str(body)
