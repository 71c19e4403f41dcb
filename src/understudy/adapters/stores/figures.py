"""Counts of turns over a span of time in SQL; what they mean is worked out in `quality/`.

Each statement walks over an index by time and groups in the database. `ix_turns_decided` covers all that is counted of
every turn; tables beside it hold what few turns have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    String,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)

from understudy.adapters.stores.columns import Instant
from understudy.adapters.stores.learned_tables import candidates
from understudy.adapters.stores.oversight_tables import feedback
from understudy.adapters.stores.session import Session, columns_of, record_of
from understudy.adapters.stores.statement import Statement, among
from understudy.adapters.stores.tables import holds, turns, verdicts
from understudy.ports.figures import TALLIES_MAX
from understudy.records.assessment import DecisionKind
from understudy.records.feedback import FeedbackKind
from understudy.records.quality import (
    NOT_SERVED,
    AskedTally,
    FeedbackTally,
    LateTally,
    ModeQuery,
    ModeSource,
    ModeTally,
    Part,
    Span,
    Tallies,
    Tally,
    TurnTally,
    VerdictTally,
    WaitTally,
)
from understudy.records.review import HoldKind
from understudy.records.turn import Turn, TurnState

T = TypeVar("T", bound=Tally)

NEEDS_PERSON: Final = "needs_person"
WANTS_PERSON: Final = "escalation.wants_person"
ON_THE_WAY: Final = ("send_outcome_unknown", "delivery_failed", "message_dropped", "reply_undelivered")
"""Why a turn came before people after its answer was on the way."""


def _number(column: Any) -> ColumnElement[int]:
    return type_coerce(column, BigInteger)


def _given(name: str) -> ColumnElement[int]:
    return bindparam(name, type_=BigInteger)


_IN_TIME = (
    turns.c.decided_at.is_not(None),  # the words of the partial index, so that it is used
    turns.c.decided_at >= bindparam("since"),
    turns.c.decided_at < bindparam("until"),
)
_OF_FEW = (
    _number(turns.c.decided_at) + literal_column("0", Integer) >= _given("start"),
    _number(turns.c.decided_at) + literal_column("0", Integer) < _given("end"),
)
"""The same where few turns are meant: worded so that they are found by what is said of them, and not by the time."""
_SERVED = ~among(turns.c.state, NOT_SERVED)
_SHOWN = ~among(turns.c.state, NOT_SERVED - {TurnState.PLANTED})
"""In lists a planted draft stands like any that waits: what is missing there would tell that it is one."""
_AWAITS_SECOND = select(candidates.c.turn_id).where(candidates.c.second_due_at.is_not(None))
_TOLD, _UNTOLD = turns.c.id.not_in(_AWAITS_SECOND), turns.c.id.in_(_AWAITS_SECOND)


def _named(column: Any) -> ColumnElement[str]:
    return func.coalesce(type_coerce(column, Text), "")


_BUCKET = (_number(turns.c.decided_at) - _given("start")) // _given("width")
_SLICE = (_named(turns.c.topic), turns.c.channel, _named(turns.c.agent_version))
_SETTLED = case((_number(turns.c.finished_at) <= _given("settled"), 1), else_=0)
_ANSWERED = among(turns.c.state, [TurnState.ANSWERED])
_ALONE = case((among(turns.c.decision, [DecisionKind.DELIVER]), 1), else_=0)


def _has(column: Any, code: str) -> ColumnElement[bool]:
    """Whether a list of words, kept as JSON, has one."""
    return type_coerce(column, Text).like(literal_column(f"""'%"{code}"%'"""))


def _of_part() -> list[ColumnElement[bool]]:
    """Of one topic, channel, release, where one is given."""
    columns = {"topic": _SLICE[0], "channel": turns.c.channel, "release": _SLICE[2]}
    wanted = {name: cast(bindparam(f"of_{name}", type_=String), String) for name in columns}
    return [or_(wanted[name].is_(None), column == wanted[name]) for name, column in columns.items()]


def _counted(source: Any, *columns: Any, count: Any = None) -> Any:
    """Group by all columns, named by their places: their expressions hold parameters."""
    places: list[ColumnElement[Any]] = [literal_column(str(place)) for place in range(1, len(columns) + 1)]
    counted = func.count() if count is None else count
    return select(*columns, counted).select_from(source).group_by(*places).limit(TALLIES_MAX)


_TURN_COLUMNS = (_BUCKET, *_SLICE, turns.c.decision, turns.c.state, _SETTLED)
_TURNS = Statement(_counted(turns, *_TURN_COLUMNS).where(*_IN_TIME, _SERVED))
_TURNS_UNTOLD = Statement(_counted(turns, *_TURN_COLUMNS).where(_UNTOLD, *_OF_FEW, _SERVED))

_TOOK_MS = (_number(turns.c.finished_at) - _number(turns.c.created_at)) // literal_column("1000", BigInteger)
_MS = cast(case((_TOOK_MS < 0, 0), else_=_TOOK_MS), String)
_TOOK = (_ALONE, func.length(_MS), func.substr(_MS, 1, 2))
_ENDED_BY = among(turns.c.decision, set(DecisionKind) - {DecisionKind.DEGRADE})
_IS_WAIT = (_ANSWERED, _ENDED_BY)
_NO_SLICE: tuple[ColumnElement[str], ...] = (literal_column("''"), literal_column("''"), literal_column("''"))
_WAITS = Statement(_counted(turns, _BUCKET, *_NO_SLICE, *_TOOK).where(*_IN_TIME, *_IS_WAIT, *_of_part()))
_WAITS_UNTOLD = Statement(_counted(turns, _BUCKET, *_NO_SLICE, *_TOOK).where(_UNTOLD, *_OF_FEW, *_IS_WAIT, *_of_part()))
_ONE_BUCKET = literal_column("0", Integer)
_SLICE_WAITS = Statement(_counted(turns, _ONE_BUCKET, *_SLICE, *_TOOK).where(*_IN_TIME, *_IS_WAIT))
_SLICE_WAITS_UNTOLD = Statement(_counted(turns, _ONE_BUCKET, *_SLICE, *_TOOK).where(_UNTOLD, *_OF_FEW, *_IS_WAIT))

_JUDGED = verdicts.join(holds, holds.c.id == verdicts.c.hold_id).join(turns, turns.c.id == verdicts.c.turn_id)
_ON_A_DRAFT = among(holds.c.kind, [HoldKind.DRAFT, HoldKind.AUDIT])
_NEEDED = case((_has(verdicts.c.reasons, NEEDS_PERSON), 1), else_=0)
_VERDICTS = Statement(
    _counted(_JUDGED, _BUCKET, *_SLICE, holds.c.kind, verdicts.c.kind, _NEEDED).where(
        verdicts.c.at >= bindparam("since"), _ON_A_DRAFT, *_OF_FEW, _SERVED, _TOLD
    )
)


def _said(*kinds: FeedbackKind) -> ColumnElement[int]:
    return func.max(case((among(feedback.c.kind, kinds), 1), else_=0))


_SAID_OF: ColumnElement[str] = literal_column("feedback.turn_id || ''", Text)
"""No name of a column: so what was said lately is found by its time, not all of it by its turn."""
_HEARD = (
    select(
        _SAID_OF.label("turn_id"),
        _said(FeedbackKind.RECONTACT).label("recontact"),
        _said(FeedbackKind.COMPLAINT, FeedbackKind.THUMBS_DOWN).label("discontent"),
        _said(FeedbackKind.THUMBS_UP).label("up"),
        _said(FeedbackKind.THUMBS_DOWN).label("down"),
    )
    .where(feedback.c.at >= bindparam("since"))
    .group_by(_SAID_OF)
    .subquery()
)
_FEEDBACK = Statement(
    _counted(
        _HEARD.join(turns, turns.c.id == _HEARD.c.turn_id),
        *(_BUCKET, *_SLICE, turns.c.decision, _SETTLED),
        *(_HEARD.c.recontact, _HEARD.c.discontent, _HEARD.c.up, _HEARD.c.down),
    ).where(*_OF_FEW, _ANSWERED, _TOLD)
)
_LATE = Statement(
    _counted(
        holds.join(turns, turns.c.id == holds.c.turn_id), _BUCKET, *_SLICE, count=func.count(holds.c.turn_id.distinct())
    ).where(
        holds.c.raised_at.is_not(None),
        holds.c.raised_at >= bindparam("since"),
        among(holds.c.kind, [HoldKind.DRAFT, HoldKind.HAND_OFF]),
        among(turns.c.decision, [DecisionKind.HOLD, DecisionKind.HAND_OFF]),
        *_OF_FEW,
        _SERVED,
        _TOLD,
    )
)
_FOUND = turns.c.findings != literal_column("'[]'")
_HANDED_OFF = case((among(turns.c.decision, [DecisionKind.HAND_OFF]), 1), else_=0)
_ASKED = Statement(
    _counted(turns, _BUCKET, *_SLICE, _HANDED_OFF).where(
        *_IN_TIME, _FOUND, _has(turns.c.findings, WANTS_PERSON), _SERVED, _TOLD
    )
)

_TOPIC = _SLICE[0]
_DECIDED = Statement(_counted(turns, _TOPIC).where(*_IN_TIME, _SHOWN, *_of_part()))
_GIVEN_UP = among(turns.c.decision, [DecisionKind.HAND_OFF, DecisionKind.DEGRADE])
_OF_LATER_HOLD = among(holds.c.kind, [HoldKind.HAND_OFF, HoldKind.UNSURE_SEND])
_LATER = holds.join(turns, turns.c.id == holds.c.turn_id)
_MODES = {
    ModeSource.FINDING: Statement(
        _counted(turns, _TOPIC, turns.c.findings).where(*_IN_TIME, _FOUND, _SHOWN, _TOLD, *_of_part())
    ),
    ModeSource.HAND_OFF: Statement(
        _counted(turns, _TOPIC, turns.c.reasons).where(*_IN_TIME, _GIVEN_UP, _SHOWN, _TOLD, *_of_part())
    ),
    ModeSource.REVIEWER: Statement(
        _counted(_JUDGED, _TOPIC, verdicts.c.reasons, count=func.count(verdicts.c.turn_id.distinct())).where(
            verdicts.c.at >= bindparam("since"),
            verdicts.c.reasons != literal_column("'[]'"),
            _ON_A_DRAFT,
            *(*_OF_FEW, _SHOWN, _TOLD, *_of_part()),
        )
    ),
    ModeSource.SENDING: Statement(
        _counted(_LATER, _TOPIC, holds.c.reasons, count=func.count(holds.c.turn_id.distinct())).where(
            _OF_LATER_HOLD, holds.c.created_at >= bindparam("since"), *_OF_FEW, _SHOWN, _TOLD, *_of_part()
        )
    ),
}
_FINDINGS, _HAND_OFFS, _REVIEWERS_WORDS, _SENDINGS = (_MODES[source] for source in ModeSource)

_TURN = columns_of(turns, Turn)


def _like(column: Any) -> ColumnElement[bool]:
    return type_coerce(column, Text).like(bindparam("mark", type_=Text), escape="!")


def _behind(*conditions: Any) -> Statement:
    before = (
        cast(_given("before_at"), BigInteger).is_(None),
        _number(turns.c.decided_at) < _given("before_at"),
        (_number(turns.c.decided_at) == _given("before_at")) & (turns.c.position < _given("before_position")),
    )
    return Statement(
        select(*_TURN)
        .where(*_IN_TIME, *conditions, _SHOWN, _TOLD, *_of_part(), or_(*before))
        .order_by(turns.c.decided_at.desc(), turns.c.position.desc())
        .limit(bindparam("limit"))
    )


def _among_turns_of(joined: Any, table: Any, *conditions: Any) -> ColumnElement[bool]:
    return turns.c.id.in_(select(table.c.turn_id).select_from(joined).where(*conditions))


_BEHIND_FINDING = _behind(_FOUND, _like(turns.c.findings))
_BEHIND_HAND_OFF = _behind(_GIVEN_UP, _like(turns.c.reasons))
_BEHIND_REVIEWER = _behind(
    _among_turns_of(
        verdicts.join(holds, holds.c.id == verdicts.c.hold_id),
        verdicts,
        verdicts.c.at >= bindparam("since"),
        _ON_A_DRAFT,
        _like(verdicts.c.reasons),
    )
)
_BEHIND_SENDING = _behind(
    _among_turns_of(holds, holds, _OF_LATER_HOLD, holds.c.created_at >= bindparam("since"), _like(holds.c.reasons))
)
_BEHIND = dict(zip(ModeSource, (_BEHIND_FINDING, _BEHIND_HAND_OFF, _BEHIND_REVIEWER, _BEHIND_SENDING), strict=True))


class SqlFigures:
    """`ports.figures.Figures` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def tallies(self, span: Span, part: Part, *, settled_before: datetime, slices_from: int) -> Tallies:
        time = {
            "since": span.since,
            "until": span.until,
            **_ends(span.since, span.until),
            "width": span.width // timedelta(microseconds=1),
        }
        settled = {**time, "settled": _micro(settled_before)}
        since = span.since + slices_from * span.width
        of_slices = {"since": since, "until": span.until, **_ends(since, span.until)}
        rows = self._session.rows
        return Tallies(
            turns=_less(_turn_tallies(rows(_TURNS, **settled)), _turn_tallies(rows(_TURNS_UNTOLD, **settled))),
            verdicts=tuple(
                VerdictTally(**_slice(row), hold=row[4], verdict=row[5], needs_person=bool(row[6]))
                for row in rows(_VERDICTS, **time)
            ),
            feedback=tuple(_feedback_tally(row) for row in rows(_FEEDBACK, **settled)),
            late=tuple(LateTally(**_slice(row)) for row in rows(_LATE, **time)),
            asked=tuple(AskedTally(**_slice(row), handed_off=bool(row[4])) for row in rows(_ASKED, **time)),
            waits=_less(
                _wait_tallies(rows(_WAITS, **time, **_part(part))),
                _wait_tallies(rows(_WAITS_UNTOLD, **time, **_part(part))),
            ),
            slice_waits=_less(
                _wait_tallies(rows(_SLICE_WAITS, **of_slices), bucket=slices_from),
                _wait_tallies(rows(_SLICE_WAITS_UNTOLD, **of_slices), bucket=slices_from),
            ),
        )

    def decided(self, since: datetime, until: datetime, part: Part) -> dict[str, int]:
        return {
            str(row[0]): int(row[1]) for row in self._session.rows(_DECIDED, since=since, until=until, **_part(part))
        }

    def modes(self, since: datetime, until: datetime, part: Part) -> list[ModeTally]:
        time = {"since": since, "until": until, **_ends(since, until)}
        return [
            ModeTally(source=source, topic=row[0], codes=codes, turns=int(row[2]))
            for source, statement in _MODES.items()
            for row in self._session.rows(statement, **time, **_part(part))
            if (codes := _of_source(source, row[1]))
        ]

    def turns_with(self, query: ModeQuery) -> list[Turn]:
        at, position = (None, None) if query.before is None else (_micro(query.before[0]), query.before[1])
        rows = self._session.rows(
            _BEHIND[query.source],
            since=query.since,
            until=query.until,
            of_topic=query.topic,
            of_channel=query.channel,
            of_release=query.release,
            mark=f'%"{_literally(query.code)}"%',
            before_at=at,
            before_position=position,
            limit=query.limit,
        )
        return [record_of(Turn, row) for row in rows]


def _less(all_of_them: Iterable[T], some: Iterable[T]) -> tuple[T, ...]:
    """Tallies without those turns of them that nothing is to be told of."""
    taken = Counter({replace(one, turns=0): one.turns for one in some})
    left = (
        [replace(one, turns=one.turns - taken[replace(one, turns=0)]) for one in all_of_them] if taken else all_of_them
    )
    return tuple(one for one in left if one.turns)


def _of_source(source: ModeSource, codes: tuple[str, ...]) -> tuple[str, ...]:
    """Reasons of a hold that are no more than those of its turn are counted there."""
    return tuple(code for code in codes if source is not ModeSource.SENDING or code in ON_THE_WAY)


def _literally(code: str) -> str:
    for letter in "!%_":
        code = code.replace(letter, f"!{letter}")
    return code


def _micro(moment: datetime) -> int:
    return int(Instant().into(moment) or 0)


def _ends(since: datetime, until: datetime) -> dict[str, int]:
    return {"start": _micro(since), "end": _micro(until)}


def _part(part: Part) -> dict[str, str | None]:
    return {"of_topic": part.topic, "of_channel": part.channel, "of_release": part.release}


def _slice(row: Sequence[Any], bucket: int = 0) -> dict[str, Any]:
    return {
        "bucket": bucket + int(row[0]),
        "topic": row[1],
        "channel": row[2],
        "release": row[3],
        "turns": int(row[-1]),
    }


def _turn_tallies(rows: Iterable[Sequence[Any]]) -> list[TurnTally]:
    return [TurnTally(**_slice(row), decision=row[4], state=row[5], settled=bool(row[6])) for row in rows]


def _wait_tallies(rows: Iterable[Sequence[Any]], *, bucket: int = 0) -> list[WaitTally]:
    return [WaitTally(**_slice(row, bucket), alone=bool(row[4]), digits=int(row[5]), lead=int(row[6])) for row in rows]


def _feedback_tally(row: Sequence[Any]) -> FeedbackTally:
    recontact, discontent, up, down = (bool(said) for said in row[6:10])
    return FeedbackTally(
        **_slice(row),
        decision=row[4],
        settled=bool(row[5]),
        recontact=recontact,
        discontent=discontent,
        up=up,
        down=down,
    )
