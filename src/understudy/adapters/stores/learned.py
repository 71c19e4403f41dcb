"""Candidates, epochs, calibrators and stops in SQL. Which autonomy is in force is asked on every turn, so the writer
remembers it as it remembers conversations (`hot.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, delete, func, literal_column, select, update

from understudy.adapters.stores.known_autonomy import KnownAutonomy
from understudy.adapters.stores.learned_tables import calibrators, candidates, epochs, stops
from understudy.adapters.stores.rows import Rows
from understudy.adapters.stores.session import Session, columns_of, record_of, values_of
from understudy.adapters.stores.statement import Statement, insert_into
from understudy.errors import NotFound, StaleVersion
from understudy.records.autonomy import EVERY, Candidate, Epoch, Label, Stop
from understudy.records.rulebook import Calibrator

CONVERSATION_MAX = 50
"""So many of a conversation's latest drafts are looked at."""
_IS_SAMPLED: ColumnElement[bool] = literal_column("is_sampled")
"""The words of the partial indexes, so that they are used."""
_CANDIDATE = columns_of(candidates, Candidate)
_OF_TURN = Statement(
    select(*_CANDIDATE).where(candidates.c.turn_id == bindparam("turn_id")).order_by(candidates.c.seq.desc()).limit(1)
)
_OF_CONVERSATION = Statement(
    select(*_CANDIDATE)
    .where(candidates.c.conversation_id == bindparam("conversation_id"))
    .order_by(candidates.c.seq.desc())
    .limit(CONVERSATION_MAX)
)
_AWAITED = Statement(
    select(*_CANDIDATE)
    .where(
        candidates.c.label.is_(None),
        _IS_SAMPLED,
        candidates.c.due_at <= bindparam("now"),
    )
    .order_by(candidates.c.due_at)
    .limit(bindparam("limit"))
)
_SECOND_AWAITED = Statement(
    select(*_CANDIDATE)
    .where(candidates.c.second_due_at.is_not(None), candidates.c.second_due_at <= bindparam("now"))
    .order_by(candidates.c.second_due_at)
    .limit(bindparam("limit"))
)
_IS_JUDGED = (_IS_SAMPLED, candidates.c.label.is_not(None), candidates.c.redraft_of.is_(None))
_JUDGED = Statement(
    select(*_CANDIDATE)
    .where(candidates.c.seq > bindparam("after"), *_IS_JUDGED)
    .order_by(candidates.c.seq)
    .limit(bindparam("limit"))
)
_LATEST_JUDGED = Statement(
    select(*_CANDIDATE).where(*_IS_JUDGED).order_by(candidates.c.seq.desc()).limit(bindparam("limit"))
)
_COUNT_JUDGED = Statement(
    select(func.count()).select_from(candidates).where(candidates.c.seq > bindparam("after"), *_IS_JUDGED)
)
_OF_SEQ = Statement(select(*_CANDIDATE).where(candidates.c.seq == bindparam("which")))
_EVIDENCE_IN = Statement(
    select(*_CANDIDATE)
    .where(
        candidates.c.topic == bindparam("topic"),
        candidates.c.release == bindparam("release"),
        candidates.c.channel == bindparam("channel"),
        candidates.c.seq > bindparam("after"),
        candidates.c.seq <= bindparam("until"),
        *_IS_JUDGED,
        candidates.c.is_repeat.is_(False),
        candidates.c.decided_at >= bindparam("since"),
    )
    .order_by(candidates.c.seq.desc())
    .limit(bindparam("limit"))
)
_AWAITED_REDRAFTS = Statement(
    select(*_CANDIDATE)
    .where(
        candidates.c.topic == bindparam("topic"),
        candidates.c.release == bindparam("release"),
        candidates.c.channel == bindparam("channel"),
        candidates.c.redraft_of.is_not(None),
        candidates.c.label.is_(None),
    )
    .order_by(candidates.c.seq)
    .limit(bindparam("limit"))
)
_DELIVERED = Statement(
    select(func.count(), func.max(candidates.c.seq)).where(
        candidates.c.seq > bindparam("after"),
        candidates.c.is_delivered,
        candidates.c.topic == bindparam("topic"),
        candidates.c.channel == bindparam("channel"),
    )
)
_OF_SLICE_COLUMNS = (candidates.c.topic, candidates.c.channel, candidates.c.release)
_SLICES = Statement(select(*_OF_SLICE_COLUMNS, func.count()).group_by(*_OF_SLICE_COLUMNS))
_AWAITED_COLUMNS: tuple[ColumnElement[str], ...] = (literal_column("topic || ''"), *_OF_SLICE_COLUMNS[1:])
"""No name of a column for the first: so the few that wait are counted by their own index, not all by the slices'."""
_SLICES_AWAITED = Statement(
    select(*_AWAITED_COLUMNS, func.count()).where(candidates.c.label.is_(None), _IS_SAMPLED).group_by(*_AWAITED_COLUMNS)
)
_AUDITS_OWED = Statement(
    select(*_AWAITED_COLUMNS, func.count())
    .where(candidates.c.label.is_(None), _IS_SAMPLED, candidates.c.is_delivered)
    .group_by(*_AWAITED_COLUMNS)
)
_CANDIDATES = Rows(candidates, Candidate, key=("seq",))
_JUDGE = Statement(
    update(candidates)
    .where(candidates.c.seq == bindparam("which"))
    .values(label=bindparam("label"), second_due_at=bindparam("second_due_at"))
)

_EPOCH = columns_of(epochs, Epoch)
_OPEN = select(*_EPOCH).where(epochs.c.ended_at.is_(None))
_EPOCH_BY_ID = Statement(select(*_EPOCH).where(epochs.c.id == bindparam("id")))
_CURRENT = Statement(
    _OPEN.where(
        epochs.c.topic == bindparam("topic"),
        epochs.c.channel == bindparam("channel"),
        epochs.c.release == bindparam("release"),
    )
)
_OF_TOPIC = Statement(
    _OPEN.where(epochs.c.topic == bindparam("topic"), epochs.c.release == bindparam("release")).order_by(
        epochs.c.channel
    )
)
_ALL_OPEN = Statement(_OPEN.order_by(epochs.c.topic, epochs.c.channel, epochs.c.release))
_UNDER_OTHERS = Statement(
    _OPEN.where(epochs.c.calibrator != bindparam("calibrator_is")).order_by(
        epochs.c.topic, epochs.c.channel, epochs.c.release
    )
)
_OF_SLICE = Statement(
    select(*_EPOCH)
    .where(epochs.c.topic == bindparam("topic"), epochs.c.channel == bindparam("channel"))
    .order_by(epochs.c.began_at.desc(), epochs.c.id)
)
_EPOCHS = Rows(epochs, Epoch, key=("id",))
_CHANGE_EPOCH = Statement(  # by itself and at once: the next epoch of a slice is added only after this one ended
    update(epochs)
    .where(epochs.c.id == bindparam("which"), epochs.c.version == bindparam("was"))
    .values({column.name: bindparam(column.name) for column in _EPOCH if column.name != "id"})
)

_ADD_CALIBRATOR = insert_into(calibrators)
_LATEST = Statement(select(calibrators.c.body).order_by(calibrators.c.adopted_at.desc(), calibrators.c.id).limit(1))
_CALIBRATOR = Statement(select(calibrators.c.body).where(calibrators.c.id == bindparam("which")))

_STOPS = Statement(select(*columns_of(stops, Stop)).order_by(stops.c.topic, stops.c.channel))
_STOP_OF = (stops.c.topic == bindparam("topic_is"), stops.c.channel == bindparam("channel_is"))
_ADD_STOP = insert_into(stops)
_LIFT = Statement(delete(stops).where(*_STOP_OF))


@cache
def _following(*, every_channel: bool, backwards: bool) -> Statement:
    """A page of a slice and release, of one channel or of all: from behind a draft on, or back from the latest."""
    page = select(*_CANDIDATE).where(
        candidates.c.topic == bindparam("topic"), candidates.c.release == bindparam("release")
    )
    if not every_channel:
        page = page.where(candidates.c.channel == bindparam("channel"))
    if not backwards:
        page = page.where(candidates.c.seq > bindparam("after"))
    return Statement(
        page.order_by(candidates.c.seq.desc() if backwards else candidates.c.seq).limit(bindparam("limit"))
    )


@cache
def _lately(*, every_channel: bool) -> Statement:
    """Count the latest of a slice and release, and the delivered ones among them."""
    page = select(candidates.c.is_delivered).where(
        candidates.c.topic == bindparam("topic"),
        candidates.c.release == bindparam("release"),
        candidates.c.redraft_of.is_(None),
    )
    if not every_channel:
        page = page.where(candidates.c.channel == bindparam("channel"))
    latest = page.order_by(candidates.c.seq.desc()).limit(bindparam("limit")).subquery()
    return Statement(select(func.count(), func.sum(case((latest.c.is_delivered, 1), else_=0))))


class SqlCandidates:
    """`ports.learned.Candidates` in SQL."""

    def __init__(self, session: Session, known: KnownAutonomy) -> None:
        self._session = session
        self._known = known

    def add(self, candidate: Candidate) -> None:
        self._session.add(_CANDIDATES, _CANDIDATES.of(candidate))
        if candidate.is_delivered:
            self._known.count_delivered(candidate.topic, candidate.channel, candidate.seq)

    def of_turn(self, turn_id: str) -> Candidate | None:
        rows = self._session.rows_where(_CANDIDATES, _OF_TURN, turn_id=turn_id)
        return record_of(Candidate, rows[0]) if rows else None

    def get(self, seq: int) -> Candidate | None:
        found = self._read(_OF_SEQ, which=seq)
        return found[0] if found else None

    def of_conversation(self, conversation_id: str) -> list[Candidate]:
        rows = self._session.rows_where(_CANDIDATES, _OF_CONVERSATION, conversation_id=conversation_id)
        return [record_of(Candidate, row) for row in rows]

    def judge(self, candidate: Candidate, label: Label | None, *, second_due_at: datetime | None = None) -> None:
        self._session.change(_JUDGE, {"which": candidate.seq, "label": label, "second_due_at": second_due_at})

    def following(self, topic: str, channel: str, release: str, *, after: int, limit: int) -> list[Candidate]:
        values = _of_slice(topic, channel, release)
        page = _following(every_channel=channel == EVERY, backwards=False)
        return self._read(page, **values, after=after, limit=limit)

    def latest_of(self, topic: str, channel: str, release: str, *, limit: int) -> list[Candidate]:
        values = _of_slice(topic, channel, release)
        return self._read(_following(every_channel=channel == EVERY, backwards=True), **values, limit=limit)[::-1]

    def slices(self) -> list[tuple[str, str, str, int, int]]:
        awaited = {tuple(row[:3]): int(row[3]) for row in self._session.rows(_SLICES_AWAITED)}
        found = sorted(tuple(row) for row in self._session.rows(_SLICES))
        return [(row[0], row[1], row[2], int(row[3]), awaited.get(tuple(row[:3]), 0)) for row in found]

    def lately(self, topic: str, channel: str, release: str, *, limit: int) -> tuple[int, int]:
        values = _of_slice(topic, channel, release)
        row = self._session.row(_lately(every_channel=channel == EVERY), **values, limit=limit)
        assert row is not None, "counts are a row, whatever they are"
        return int(row[0]), int(row[1] or 0)

    def audits_owed(self) -> dict[tuple[str, str, str], int]:
        return {(row[0], row[1], row[2]): int(row[3]) for row in self._session.rows(_AUDITS_OWED)}

    def overdue(self, now: datetime, *, limit: int) -> list[Candidate]:
        return self._read(_AWAITED, now=now, limit=limit) + self._read(_SECOND_AWAITED, now=now, limit=limit)

    def judged(self, *, after: int, limit: int) -> list[Candidate]:
        return self._read(_JUDGED, after=after, limit=limit)

    def latest_judged(self, *, limit: int) -> list[Candidate]:
        return self._read(_LATEST_JUDGED, limit=limit)[::-1]

    def count_judged(self, *, after: int) -> int:
        return int(self._session.scalar(_COUNT_JUDGED, after=after))

    def evidence_in(
        self, topic: str, channel: str, release: str, *, after: int, until: int, since: datetime, limit: int
    ) -> list[Candidate]:
        bounds = {"after": after, "until": until, "since": since, "limit": limit}
        return self._read(_EVIDENCE_IN, topic=topic, channel=channel, release=release, **bounds)

    def awaited_redrafts(self, topic: str, channel: str, release: str, *, limit: int) -> list[Candidate]:
        return self._read(_AWAITED_REDRAFTS, topic=topic, channel=channel, release=release, limit=limit)

    def delivered(self, topic: str, channel: str, *, after: int) -> tuple[int, int]:
        if (known := self._known.delivered_after(topic, channel, after)) is not None:
            return known
        row = self._session.row(_DELIVERED, topic=topic, channel=channel, after=after)
        assert row is not None, "counts are a row, whatever they are"
        latest = after if row[1] is None else int(row[1])
        self._known.begin_delivered(topic, channel, latest)
        return int(row[0]), latest

    def _read(self, statement: Statement, **values: Any) -> list[Candidate]:
        return [record_of(Candidate, row) for row in self._session.rows(statement, **values)]


def _of_slice(topic: str, channel: str, release: str) -> dict[str, Any]:
    values = {"topic": topic, "release": release}
    return values if channel == EVERY else {**values, "channel": channel}


class SqlEpochs:
    """`ports.learned.Epochs` in SQL."""

    def __init__(self, session: Session, known: KnownAutonomy) -> None:
        self._session = session
        self._known = known

    def add(self, epoch: Epoch) -> None:
        self._session.add(_EPOCHS, _EPOCHS.of(epoch))
        self._known.keep((epoch.topic, epoch.channel, epoch.release), epoch)

    def get(self, epoch_id: str) -> Epoch:
        row = self._session.row_at(_EPOCHS, _EPOCH_BY_ID, id=epoch_id)
        if row is None:
            raise NotFound(f"there is no epoch {epoch_id!r}")
        return record_of(Epoch, row)

    def current(self, topic: str, channel: str, release: str) -> Epoch | None:
        of_slice = (topic, channel, release)
        if of_slice in self._known.epochs:
            return self._known.epochs[of_slice]
        row = self._session.row(_CURRENT, topic=topic, channel=channel, release=release)
        found = None if row is None else record_of(Epoch, row)
        self._known.keep(of_slice, found)
        return found

    def of_topic(self, topic: str, release: str) -> list[Epoch]:
        return [record_of(Epoch, row) for row in self._session.rows(_OF_TOPIC, topic=topic, release=release)]

    def all_open(self) -> list[Epoch]:
        return [record_of(Epoch, row) for row in self._session.rows(_ALL_OPEN)]

    def open_under_others(self, calibrator: str) -> list[Epoch]:
        return [record_of(Epoch, row) for row in self._session.rows(_UNDER_OTHERS, calibrator_is=calibrator)]

    def of_slice(self, topic: str, channel: str) -> list[Epoch]:
        return [record_of(Epoch, row) for row in self._session.rows(_OF_SLICE, topic=topic, channel=channel)]

    def change(self, epoch: Epoch, *, was: int) -> None:
        self._session.change_one(
            _CHANGE_EPOCH,
            {"which": epoch.id, "was": was, **values_of(epoch, leave_out=("id",))},
            refused=lambda: StaleVersion(f"epoch {epoch.id} is no longer at version {was}; read it again"),
        )
        self._known.keep((epoch.topic, epoch.channel, epoch.release), None if epoch.ended_at else epoch)


class SqlCalibrators:
    """`ports.learned.Calibrators` in SQL."""

    def __init__(self, session: Session, known: KnownAutonomy) -> None:
        self._session = session
        self._known = known

    def add(self, calibrator: Calibrator, *, now: datetime) -> None:
        self._session.change(_ADD_CALIBRATOR, {"id": calibrator.id, "body": calibrator, "adopted_at": now})
        self._known.calibrators.clear()

    def get(self, calibrator_id: str) -> Calibrator | None:
        if calibrator_id not in self._known.calibrators:
            self._known.calibrators[calibrator_id] = self._session.scalar(_CALIBRATOR, which=calibrator_id)
        return self._known.calibrators[calibrator_id]

    def latest(self) -> Calibrator | None:
        if EVERY not in self._known.calibrators:
            self._known.calibrators[EVERY] = self._session.scalar(_LATEST)
        return self._known.calibrators[EVERY]


class SqlStops:
    """`ports.learned.Stops` in SQL."""

    def __init__(self, session: Session, known: KnownAutonomy) -> None:
        self._session = session
        self._known = known

    def all(self) -> Sequence[Stop]:
        if self._known.stops is None:
            self._known.stops = tuple(record_of(Stop, row) for row in self._session.rows(_STOPS))
        return self._known.stops

    def put(self, stop: Stop) -> None:
        self.lift(stop.topic, stop.channel)
        self._session.change(_ADD_STOP, values_of(stop))
        self._known.stops = None

    def lift(self, topic: str, channel: str) -> bool:
        was = any((stop.topic, stop.channel) == (topic, channel) for stop in self.all())
        if was:
            self._session.change(_LIFT, {"topic_is": topic, "channel_is": channel})
            self._known.stops = None
        return was
