"""What goes wrong, by topic, and the turns behind it, in SQL; which codes are failure modes stands in `quality/`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Text, bindparam, cast, func, literal_column, or_, select, type_coerce

from understudy.adapters.stores.decided import (
    FOUND,
    IN_TIME,
    JUDGED,
    OF_FEW,
    ON_A_DRAFT,
    SHOWN,
    SLICE,
    TOLD,
    counted_by,
    ends,
    given,
    micro,
    number_of,
    of_part,
    values_of_part,
)
from understudy.adapters.stores.session import Session, columns_of, record_of
from understudy.adapters.stores.statement import Statement, among
from understudy.adapters.stores.tables import holds, turns, verdicts
from understudy.records.assessment import DecisionKind
from understudy.records.quality import ModeQuery, ModeSource, ModeTally, Part
from understudy.records.review import HoldKind
from understudy.records.turn import Turn

ON_THE_WAY: Final = ("send_outcome_unknown", "delivery_failed", "opted_out", "message_dropped", "reply_undelivered")
"""Why a turn came before people after its answer was on the way."""

_TOPIC = SLICE[0]
_DECIDED = Statement(counted_by(turns, _TOPIC).where(*IN_TIME, SHOWN, *of_part()))
_GIVEN_UP = among(turns.c.decision, [DecisionKind.HAND_OFF, DecisionKind.DEGRADE])
_OF_LATER_HOLD = among(holds.c.kind, [HoldKind.HAND_OFF, HoldKind.UNSURE_SEND])
_LATER = holds.join(turns, turns.c.id == holds.c.turn_id)
_MODES = {
    ModeSource.FINDING: Statement(
        counted_by(turns, _TOPIC, turns.c.findings).where(*IN_TIME, FOUND, SHOWN, TOLD, *of_part())
    ),
    ModeSource.HAND_OFF: Statement(
        counted_by(turns, _TOPIC, turns.c.reasons).where(*IN_TIME, _GIVEN_UP, SHOWN, TOLD, *of_part())
    ),
    ModeSource.REVIEWER: Statement(
        counted_by(JUDGED, _TOPIC, verdicts.c.reasons, count=func.count(verdicts.c.turn_id.distinct())).where(
            verdicts.c.at >= bindparam("since"),
            verdicts.c.reasons != literal_column("'[]'"),
            ON_A_DRAFT,
            *(*OF_FEW, SHOWN, TOLD, *of_part()),
        )
    ),
    ModeSource.SENDING: Statement(
        counted_by(_LATER, _TOPIC, holds.c.reasons, count=func.count(holds.c.turn_id.distinct())).where(
            _OF_LATER_HOLD, holds.c.created_at >= bindparam("since"), *OF_FEW, SHOWN, TOLD, *of_part()
        )
    ),
}
_TURN = columns_of(turns, Turn)


def _like(column: Any) -> ColumnElement[bool]:
    return type_coerce(column, Text).like(bindparam("mark", type_=Text), escape="!")


def _behind(*conditions: Any) -> Statement:
    before = (
        cast(given("before_at"), BigInteger).is_(None),
        number_of(turns.c.decided_at) < given("before_at"),
        (number_of(turns.c.decided_at) == given("before_at")) & (turns.c.position < given("before_position")),
    )
    return Statement(
        select(*_TURN)
        .where(*IN_TIME, *conditions, SHOWN, TOLD, *of_part(), or_(*before))
        .order_by(turns.c.decided_at.desc(), turns.c.position.desc())
        .limit(bindparam("limit"))
    )


def _among_turns_of(joined: Any, table: Any, *conditions: Any) -> ColumnElement[bool]:
    return turns.c.id.in_(select(table.c.turn_id).select_from(joined).where(*conditions))


_BEHIND_FINDING = _behind(FOUND, _like(turns.c.findings))
_BEHIND_HAND_OFF = _behind(_GIVEN_UP, _like(turns.c.reasons))
_BEHIND_REVIEWER = _behind(
    _among_turns_of(
        verdicts.join(holds, holds.c.id == verdicts.c.hold_id),
        verdicts,
        verdicts.c.at >= bindparam("since"),
        ON_A_DRAFT,
        _like(verdicts.c.reasons),
    )
)
_BEHIND_SENDING = _behind(
    _among_turns_of(holds, holds, _OF_LATER_HOLD, holds.c.created_at >= bindparam("since"), _like(holds.c.reasons))
)
_BEHIND_ANY = _behind()
_BEHIND = dict(zip(ModeSource, (_BEHIND_FINDING, _BEHIND_HAND_OFF, _BEHIND_REVIEWER, _BEHIND_SENDING), strict=True))


class SqlFailures:
    """`ports.figures.Failures` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def decided(self, since: datetime, until: datetime, part: Part) -> dict[str, int]:
        return {
            str(row[0]): int(row[1])
            for row in self._session.rows(_DECIDED, since=since, until=until, **values_of_part(part))
        }

    def modes(self, since: datetime, until: datetime, part: Part) -> list[ModeTally]:
        time = {"since": since, "until": until, **ends(since, until)}
        return [
            ModeTally(source=source, topic=row[0], codes=codes, turns=int(row[2]))
            for source, statement in _MODES.items()
            for row in self._session.rows(statement, **time, **values_of_part(part))
            if (codes := _of_source(source, row[1]))
        ]

    def turns_with(self, query: ModeQuery) -> list[Turn]:
        at, position = (None, None) if query.before is None else (micro(query.before[0]), query.before[1])
        marked = {} if query.source is None else {"mark": f'%"{_literally(query.code)}"%'}
        rows = self._session.rows(
            _BEHIND_ANY if query.source is None else _BEHIND[query.source],
            since=query.since,
            until=query.until,
            of_topic=query.topic,
            of_channel=query.channel,
            of_release=query.release,
            **marked,
            before_at=at,
            before_position=position,
            limit=query.limit,
        )
        return [record_of(Turn, row) for row in rows]


def _of_source(source: ModeSource, codes: tuple[str, ...]) -> tuple[str, ...]:
    """Reasons of a hold that are no more than those of its turn are counted there."""
    return tuple(code for code in codes if source is not ModeSource.SENDING or code in ON_THE_WAY)


def _literally(code: str) -> str:
    for letter in "!%_":
        code = code.replace(letter, f"!{letter}")
    return code
