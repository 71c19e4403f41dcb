"""Turns and their documents in SQL; every change of a turn is a compare-and-set on its token."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import bindparam, case, delete, func, literal_column, select, update

from understudy.adapters.stores.hot import Hot
from understudy.adapters.stores.numbers import Numbers
from understudy.adapters.stores.rows import Rows
from understudy.adapters.stores.session import Session, columns_of, record_of
from understudy.adapters.stores.statement import Statement, among
from understudy.adapters.stores.tables import artifacts, conversations, slice_counts, turns
from understudy.adapters.stores.tallies import BUCKET, LEFT_ALONE, bucket, is_counted
from understudy.errors import NotFound, StepSuperseded
from understudy.records.codec import digest
from understudy.records.turn import OPEN, TRANSITIONS, WORKING, Turn, TurnState

_TURN = columns_of(turns, Turn)
_COUNT_COLUMNS = ("topic", "channel", "kind", "began_at", "count")
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
_OF_CONTACT = Statement(
    select(*_TURN)
    .join(conversations, conversations.c.id == turns.c.conversation_id)
    .where(conversations.c.contact_id == bindparam("contact_id"))
    .order_by(turns.c.position.desc())
    .limit(bindparam("limit"))
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
COUNTS_KEPT = timedelta(hours=2)
_OF_SLICE = (slice_counts.c.topic == bindparam("topic"), slice_counts.c.channel == bindparam("channel"))
_MOMENTS = Statement(
    select(turns.c.decision, turns.c.decided_at).where(
        among(turns.c.decision, LEFT_ALONE),  # the words of the partial index, so that it is used
        turns.c.topic == bindparam("topic"),
        turns.c.channel == bindparam("channel"),
        turns.c.decided_at >= bindparam("began_at"),
        turns.c.decided_at < bindparam("whole_from"),
    )
)
_SUMS = Statement(
    select(slice_counts.c.kind, func.sum(slice_counts.c.count))
    .where(*_OF_SLICE, slice_counts.c.began_at >= bindparam("whole_from"))
    .group_by(slice_counts.c.kind)
)
_BEING_DECIDED = Statement(
    select(func.count())
    .select_from(turns)
    .where(
        turns.c.state == literal_column(f"'{TurnState.ASSESSING.value}'"),
        turns.c.topic == bindparam("topic"),
        turns.c.channel == bindparam("channel"),
    )
)
_FORGET_COUNTS = Statement(
    delete(slice_counts).where(
        *_OF_SLICE, slice_counts.c.kind == bindparam("kind"), slice_counts.c.began_at < bindparam("before")
    )
)

_TURNS = Rows(
    turns,
    Turn,
    key=("id",),
    fence="token",
    changing=(
        *("state", "token", "due_at", "topic", "agent_version", "decision", "reasons", "confidence", "rulebook_id"),
        *("is_audited", "superseded_by", "trace", "decided_at", "finished_at", "findings"),
    ),
)
_COUNTED = Rows(slice_counts, key=("topic", "channel", "kind", "began_at"), more=_COUNT_COLUMNS, again="adds")
_DOCUMENTS = Rows(
    artifacts,
    key=("turn_id", "kind"),
    more=("turn_id", "kind", "digest", "body"),
    again="replaces",
    asked=("body",),
)

_RENEW = Statement(
    update(turns)
    .where(turns.c.id == bindparam("which"), turns.c.token == bindparam("expected"))
    .values(due_at=bindparam("until"))
)
_WHICH_DOCUMENT = (artifacts.c.turn_id == bindparam("turn_id"), artifacts.c.kind == bindparam("kind"))
_DOCUMENT = Statement(select(artifacts.c.body).where(*_WHICH_DOCUMENT))
_THERE = Statement(
    select(artifacts.c.kind, case((artifacts.c.kind == bindparam("kind"), artifacts.c.body))).where(
        artifacts.c.turn_id == bindparam("turn_id")
    )
)
"""Which documents a turn has, and the text of the one that is asked for."""


class SqlTurns:
    """`ports.store.Turns` in SQL."""

    def __init__(self, session: Session, hot: Hot, numbers: Numbers) -> None:
        self._session = session
        self._hot = hot
        self._numbers = numbers

    def add(self, turn: Turn) -> Turn:
        added = replace(turn, position=self._numbers.next("turns"))
        self._session.add(_TURNS, _TURNS.of(added))
        self._hot.keep_documents(turn.id)
        self._moved(None, added)
        return added

    def get(self, turn_id: str) -> Turn:
        if (known := self._hot.turn(turn_id)) is not None:
            return known
        row = self._session.row_at(_TURNS, _BY_ID, id=turn_id)
        if row is None:
            raise NotFound(f"there is no turn {turn_id!r}")
        return record_of(Turn, row)

    def open_of(self, conversation_id: str) -> list[Turn]:
        scene = self._hot.scene_of(conversation_id)
        if scene is not None and (kept := scene.open_turns()) is not None:
            return kept
        rows = self._session.rows_where(_TURNS, _OPEN_OF, conversation_id=conversation_id)
        found = [record_of(Turn, row) for row in rows]
        if scene is not None:
            scene.turns = list(found)
        return found

    def latest_of(self, conversation_id: str) -> Turn | None:
        rows = self._session.rows_where(_TURNS, _LATEST_OF, conversation_id=conversation_id)
        return record_of(Turn, rows[0]) if rows else None

    def of_contact(self, contact_id: str, *, limit: int) -> list[Turn]:
        rows = self._session.rows(_OF_CONTACT, contact_id=contact_id, limit=limit)
        return [record_of(Turn, row) for row in rows]

    def advance(self, turn: Turn, *path: TurnState, **changes: Any) -> Turn:
        for state, to in pairwise((turn.state, *path)):
            if to not in TRANSITIONS[state]:
                raise ValueError(f"a turn cannot go from {state.value} to {to.value}")
        return self._swap(turn, state=path[-1], **changes)

    def touch(self, turn: Turn, **changes: Any) -> Turn:
        return self._swap(turn, **changes)

    def _swap(self, turn: Turn, **changes: Any) -> Turn:
        swapped = replace(turn, token=turn.token + 1, **changes)
        self._session.swap(
            _TURNS,
            _TURNS.of(swapped),
            was=turn.token,
            refused=lambda: StepSuperseded(
                f"turn {turn.id} moved on from {turn.state.value} while this step was under way"
            ),
        )
        self._moved(turn, swapped)
        return swapped

    def _moved(self, was: Turn | None, now: Turn) -> None:
        """Remember a turn as it is now, and count a decision after which something leaves without a person."""
        if is_counted(now) and (was is None or was.decision is not now.decision):
            self._count(now)
        self._hot.keep_turn(now, was=was)

    def renew(self, turn: Turn, *, until: datetime) -> None:
        self._session.renew(_RENEW, {"which": turn.id, "expected": turn.token, "until": until})
        self._hot.lengthen(turn, until=until)

    def backlog(self) -> int:
        if self._hot.backlog is None:
            self._hot.backlog = int(self._session.scalar(_BACKLOG))
        return self._hot.backlog

    def due(self, now: datetime, *, limit: int) -> list[Turn]:
        return [record_of(Turn, row) for row in self._session.rows(_DUE, now=now, limit=limit)]

    def decided_since(self, topic: str, channel: str, since: datetime) -> tuple[int, int]:
        known = self._hot.tallies.decided_since(topic, channel, since)
        if known is None:
            self._take_tally({"topic": topic, "channel": channel}, bucket(since))
            known = self._hot.tallies.decided_since(topic, channel, since)
            assert known is not None, "it was remembered just now"
        return known

    def _take_tally(self, of_slice: dict[str, str], began_at: datetime) -> None:
        """Count a slice's decisions: one by one in the ten seconds of the first moment, by whole ten seconds after it."""
        whole_from = began_at + BUCKET
        moments = self._session.rows(_MOMENTS, **of_slice, began_at=began_at, whole_from=whole_from)
        sums = self._session.rows(_SUMS, **of_slice, whole_from=whole_from)
        self._hot.tallies.keep(
            **of_slice,
            began_at=began_at,
            moments=[(kind, moment) for kind, moment in moments],
            sums=[(kind, int(count)) for kind, count in sums],
            being_decided=int(self._session.scalar(_BEING_DECIDED, **of_slice)),
        )

    def _count(self, turn: Turn) -> None:
        """Count one more; a slice's first in a bucket forgets old ones."""
        assert turn.decided_at is not None, "only what was decided is counted"
        assert turn.decision is not None, "the same"
        began_at, topic = bucket(turn.decided_at), turn.topic or ""
        if self._hot.is_new_bucket((turn.topic, turn.channel, turn.decision), began_at):
            old = {"topic": topic, "channel": turn.channel, "kind": turn.decision, "before": began_at - COUNTS_KEPT}
            self._session.change(_FORGET_COUNTS, old)
        self._session.add(_COUNTED, (topic, turn.channel, turn.decision, began_at, 1))

    def listed(self, *, after: int, limit: int) -> list[Turn]:
        return [record_of(Turn, row) for row in self._session.rows(_LISTED, after=after, limit=limit)]


class SqlArtifacts:
    """`ports.store.Artifacts` in SQL."""

    def __init__(self, session: Session, hot: Hot) -> None:
        self._session = session
        self._hot = hot

    def put(self, turn_id: str, kind: str, body: str) -> str:
        name = digest(body)
        self._session.add(_DOCUMENTS, (turn_id, kind, name, body))
        self._hot.documents.put(turn_id, kind, body)
        return name

    def get(self, turn_id: str, kind: str) -> str | None:
        known = self._hot.documents
        if (body := known.text(turn_id, kind)) is not None:
            return body
        if (kinds := known.kinds(turn_id)) is not None:
            return self._read(turn_id, kind) if kind in kinds else None
        if not self._hot.keeps:
            return self._read(turn_id, kind)
        rows = self._session.rows_where(_DOCUMENTS, _THERE, asked={"kind": kind}, turn_id=turn_id)
        found: dict[str, str | None] = {row[0]: row[1] for row in rows}
        self._hot.keep_documents(turn_id, found)
        return self._kept(turn_id, kind, found.get(kind))

    def _read(self, turn_id: str, kind: str) -> str | None:
        row = self._session.row_at(_DOCUMENTS, _DOCUMENT, turn_id=turn_id, kind=kind)
        return self._kept(turn_id, kind, None if row is None else str(row[0]))

    def _kept(self, turn_id: str, kind: str, body: str | None) -> str | None:
        if body is not None:
            self._hot.documents.put(turn_id, kind, body)
        return body
