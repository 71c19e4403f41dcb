"""Topic models and the turns that teach them, in SQL. The latest model is asked for on every turn that nobody named the
topic of: the writer remembers which it is, and this process keeps what a name stands for, since a name is a digest.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, func, select, tuple_

from understudy.adapters.stores.known_autonomy import KnownAutonomy
from understudy.adapters.stores.learned_tables import topic_models
from understudy.adapters.stores.session import Session
from understudy.adapters.stores.statement import Statement, insert_into
from understudy.adapters.stores.tables import artifacts, turns, verdicts
from understudy.records.evidence import GIVEN_BY
from understudy.records.topics import TaggedTurn, TopicModel

MODELS_MAX = 4

_ADD = insert_into(topic_models)
_LATEST = Statement(select(topic_models.c.id).order_by(topic_models.c.adopted_at.desc(), topic_models.c.id).limit(1))
_BODY = Statement(select(topic_models.c.body).where(topic_models.c.id == bindparam("which")))
_EVIDENCE = and_(artifacts.c.turn_id == turns.c.id, artifacts.c.kind == "evidence")
_TAGS = (  # by when they were given, and not by the turns' places: so the few tags are read, and not the many turns
    select(turns.c.position, verdicts.c.topic, artifacts.c.body, verdicts.c.id)
    .select_from(verdicts.join(turns, turns.c.id == verdicts.c.turn_id).join(artifacts, _EVIDENCE))
    .where(verdicts.c.topic.is_not(None))
    .order_by(verdicts.c.at.desc(), verdicts.c.id.desc())
    .limit(bindparam("limit"))
)
_LATEST_TAGS = Statement(_TAGS)
_last = verdicts.alias("last")
_EARLIER_TAGS = Statement(
    _TAGS.where(
        tuple_(verdicts.c.at, verdicts.c.id)
        < select(_last.c.at, _last.c.id).where(_last.c.id == bindparam("before")).scalar_subquery()
    )
)
_GIVEN = Statement(
    select(turns.c.position, turns.c.topic, artifacts.c.body)
    .select_from(turns.join(artifacts, _EVIDENCE))
    .where(turns.c.position < bindparam("before"), turns.c.topic.is_not(None))
    .order_by(turns.c.position.desc())
    .limit(bindparam("limit"))
)
_COUNT = Statement(
    select(func.count())
    .select_from(verdicts.join(turns, turns.c.id == verdicts.c.turn_id))
    .where(verdicts.c.topic.is_not(None), turns.c.position > bindparam("after"))
)

_bodies: OrderedDict[str, TopicModel] = OrderedDict()


class SqlTopics:
    """`ports.learned.Topics` in SQL."""

    def __init__(self, session: Session, known: KnownAutonomy) -> None:
        self._session = session
        self._known = known

    def add(self, model: TopicModel, *, now: datetime) -> None:
        self._session.change(_ADD, {"id": model.id, "body": model, "adopted_at": now})
        self._known.topic_model = None

    def get(self, model_id: str) -> TopicModel | None:
        found: TopicModel | None = self._session.scalar(_BODY, which=model_id)
        return found

    def latest(self) -> TopicModel | None:
        if self._known.topic_model is None:
            self._known.topic_model = self._session.scalar(_LATEST) or ""
        name = self._known.topic_model
        if not name:
            return None
        found = _bodies.get(name) or self.get(name)
        assert found is not None, f"topic model {name} is named and not there"
        if name not in _bodies:
            _bodies[name] = found
            while len(_bodies) > MODELS_MAX:
                _bodies.popitem(last=False)
        return found

    def tagged(self, *, before: str | None, limit: int) -> tuple[list[TaggedTurn], str | None]:
        if before is None:
            rows = self._session.rows(_LATEST_TAGS, limit=limit)
        else:
            rows = self._session.rows(_EARLIER_TAGS, before=before, limit=limit)
        return [_tagged(row) for row in rows], rows[-1][3] if len(rows) == limit else None

    def given(self, *, before: int, limit: int) -> tuple[list[TaggedTurn], int | None]:
        found = [_tagged(row) for row in self._session.rows(_GIVEN, before=before, limit=limit)]
        named = [turn for turn in found if any(mark in turn.evidence for mark in _MARKS)]
        return named, found[-1].position if len(found) == limit else None

    def count_tagged(self, *, after: int) -> int:
        return int(self._session.scalar(_COUNT, after=after))


def _tagged(row: Sequence[Any]) -> TaggedTurn:
    return TaggedTurn(position=row[0], topic=row[1], evidence=row[2])


_MARKS = tuple(f'"topic_by":"{source}"' for source in GIVEN_BY)
"""How stored evidence, which is canonical JSON, says who named the topic; a quote inside a text is escaped there."""
