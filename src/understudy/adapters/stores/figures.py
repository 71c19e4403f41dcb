"""How customers were answered, counted over a span of time in SQL; what it means is worked out in `quality/`.

Each statement walks over an index by time and groups in the database: once by bucket, of the part that is looked at, and
once by slice × release. `ix_turns_decided` covers all that is counted of every turn; tables beside it hold what few have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
    select,
)
from sqlalchemy import type_coerce as typed

from understudy.adapters.stores.decided import (
    FOUND,
    IN_TIME,
    JUDGED,
    NO_NAME,
    OF_FEW,
    ON_A_DRAFT,
    ONE_BUCKET,
    SERVED,
    SLICE,
    TOLD,
    UNTOLD,
    counted_by,
    ends,
    given,
    micro,
    number_of,
    of_part,
    values_of_part,
)
from understudy.adapters.stores.oversight_tables import feedback
from understudy.adapters.stores.resolved import last_answers
from understudy.adapters.stores.session import Session
from understudy.adapters.stores.statement import Statement, among
from understudy.adapters.stores.tables import holds, turns, verdicts
from understudy.records.assessment import WANTS_PERSON, DecisionKind
from understudy.records.feedback import FeedbackKind
from understudy.records.quality import (
    LEADS,
    AskedTally,
    FeedbackTally,
    LateTally,
    Part,
    Span,
    Tallies,
    Tally,
    TurnTally,
    VerdictTally,
    WaitTally,
)
from understudy.records.resolution import ResolutionTally
from understudy.records.review import HoldKind
from understudy.records.turn import TurnState

T = TypeVar("T", bound=Tally)

NEEDS_PERSON: Final = "needs_person"

_SETTLED = case((number_of(turns.c.finished_at) <= given("settled"), 1), else_=0)
_ANSWERED = among(turns.c.state, [TurnState.ANSWERED])
_HANDED_OFF = case((among(turns.c.decision, [DecisionKind.HAND_OFF]), 1), else_=0)


def _has(column: Any, code: str) -> ColumnElement[bool]:
    """Whether a list of words, kept as JSON, has one."""
    return typed(column, Text).like(literal_column(f"""'%"{code}"%'"""))


_TOOK_MS = (number_of(turns.c.finished_at) - number_of(turns.c.created_at)) // literal_column("1000", BigInteger)
_MS = cast(case((_TOOK_MS < 0, 0), else_=_TOOK_MS), String)
_LEAD = cast(func.substr(_MS, 1, 2), Integer)
_COARSE = case(*((below > _LEAD, literal_column(str(width), Integer)) for below, width in LEADS))
_TOOK = (func.length(_MS), _LEAD - _LEAD % _COARSE)


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


def _statements(dims: Sequence[Any], part: Sequence[Any]) -> dict[str, Statement]:
    """All counts by some dimensions; what is not to be told of turns is counted once more, to be taken away."""
    on_turns = (*dims, turns.c.decision, turns.c.state, _SETTLED, *_TOOK)
    verdict = (*dims, holds.c.kind, verdicts.c.kind, case((_has(verdicts.c.reasons, NEEDS_PERSON), 1), else_=0))
    heard = (_HEARD.c.recontact, _HEARD.c.discontent, _HEARD.c.up, _HEARD.c.down)
    of_holds = holds.join(turns, turns.c.id == holds.c.turn_id)
    passed = (
        holds.c.raised_at.is_not(None),  # the words of the partial index, so that it is used
        holds.c.raised_at >= bindparam("since"),
        among(holds.c.kind, [HoldKind.DRAFT, HoldKind.HAND_OFF]),
        among(turns.c.decision, [DecisionKind.HOLD, DecisionKind.HAND_OFF]),
    )
    selects = {
        "turns": counted_by(turns, *on_turns).where(*IN_TIME, SERVED),
        "turns_untold": counted_by(turns, *on_turns).where(UNTOLD, *OF_FEW, SERVED),
        "verdicts": counted_by(JUDGED, *verdict).where(
            verdicts.c.at >= bindparam("since"), ON_A_DRAFT, *OF_FEW, SERVED, TOLD
        ),
        "feedback": counted_by(
            _HEARD.join(turns, turns.c.id == _HEARD.c.turn_id), *dims, turns.c.decision, _SETTLED, *heard
        ).where(*OF_FEW, _ANSWERED, TOLD),
        "late": counted_by(of_holds, *dims, count=func.count(holds.c.turn_id.distinct())).where(
            *passed, *OF_FEW, SERVED, TOLD
        ),
        "asked": counted_by(turns, *dims, _HANDED_OFF).where(
            *IN_TIME, FOUND, _has(turns.c.findings, WANTS_PERSON), SERVED, TOLD
        ),
    }
    return {name: Statement(one.where(*part)) for name, one in selects.items()}


_BUCKET = (number_of(turns.c.decided_at) - given("start")) // given("width")
_OVER_TIME = _statements((_BUCKET, NO_NAME, NO_NAME, NO_NAME), of_part())
_BY_SLICE = _statements((ONE_BUCKET, *SLICE), ())


class SqlFigures:
    """`ports.figures.Figures` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def over_time(self, span: Span, part: Part, *, settled_before: datetime) -> Tallies:
        width = {"width": span.width // timedelta(microseconds=1)}
        return self._tallies(_OVER_TIME, span.since, span.until, settled_before, width | values_of_part(part))

    def by_slice(self, since: datetime, until: datetime, *, settled_before: datetime) -> Tallies:
        return self._tallies(_BY_SLICE, since, until, settled_before, {})

    def last_answers(
        self, since: datetime, until: datetime, part: Part, *, within: timedelta, now: datetime
    ) -> list[ResolutionTally]:
        return last_answers(self._session, since, until, part, within=within, now=now)

    def _tallies(
        self,
        statements: Mapping[str, Statement],
        since: datetime,
        until: datetime,
        settled_before: datetime,
        more: Mapping[str, Any],
    ) -> Tallies:
        values = {"since": since, "until": until, "settled": micro(settled_before), **ends(since, until), **more}
        read = {name: self._session.rows(one, **values) for name, one in statements.items()}
        return Tallies(
            turns=_less(_turn_tallies(read["turns"]), _turn_tallies(read["turns_untold"])),
            verdicts=tuple(map(_verdict_tally, read["verdicts"])),
            feedback=tuple(map(_feedback_tally, read["feedback"])),
            late=tuple(LateTally(**_slice(row)) for row in read["late"]),
            asked=tuple(AskedTally(**_slice(row), handed_off=bool(row[4])) for row in read["asked"]),
            waits=_less(_wait_tallies(read["turns"]), _wait_tallies(read["turns_untold"])),
        )


def _less(all_of_them: Iterable[T], some: Iterable[T]) -> tuple[T, ...]:
    """Tallies without those turns of them that nothing is to be told of."""
    taken = Counter({replace(one, turns=0): one.turns for one in some})
    if not taken:
        return tuple(all_of_them)
    left = (replace(one, turns=one.turns - taken[replace(one, turns=0)]) for one in all_of_them)
    return tuple(one for one in left if one.turns)


def _slice(row: Sequence[Any]) -> dict[str, Any]:
    return {"bucket": int(row[0]), "topic": row[1], "channel": row[2], "release": row[3], "turns": int(row[-1])}


def _turn_tallies(rows: Iterable[Sequence[Any]]) -> list[TurnTally]:
    """Turns however long they took, which the rows tell apart: every turn is walked over once for both."""
    counts: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        counts[tuple(row[:7])] += int(row[-1])
    return [
        TurnTally(**_slice((*kept, count)), decision=kept[4], state=kept[5], settled=bool(kept[6]))
        for kept, count in counts.items()
    ]


def _wait_tallies(rows: Iterable[Sequence[Any]]) -> list[WaitTally]:
    """How long answers took; a safe reply is none."""
    counts: Counter[tuple[Any, ...]] = Counter()
    for *place, decision, state, _settled, digits, lead, count in rows:
        if state is TurnState.ANSWERED and decision is not DecisionKind.DEGRADE and digits is not None:
            counts[*place, decision is DecisionKind.DELIVER, int(digits), int(lead)] += int(count)
    return [
        WaitTally(**_slice((*place, count)), alone=alone, digits=digits, lead=lead)
        for (*place, alone, digits, lead), count in counts.items()
    ]


def _verdict_tally(row: Sequence[Any]) -> VerdictTally:
    return VerdictTally(**_slice(row), hold=row[4], verdict=row[5], needs_person=bool(row[6]))


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
