"""Turns by when they were decided: the conditions and columns that all counts of them share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    String,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from understudy.adapters.stores.columns import Instant
from understudy.adapters.stores.learned_tables import candidates
from understudy.adapters.stores.statement import among
from understudy.adapters.stores.tables import holds, turns, verdicts
from understudy.ports.figures import TALLIES_MAX
from understudy.records.quality import NOT_SERVED, Part
from understudy.records.review import HoldKind
from understudy.records.turn import TurnState


def number_of(column: Any) -> ColumnElement[int]:
    """A moment as the number that is kept, to reckon with."""
    return type_coerce(column, BigInteger)


def given(name: str) -> ColumnElement[int]:
    """A parameter that is such a number."""
    return bindparam(name, type_=BigInteger)


IN_TIME = (
    turns.c.decided_at.is_not(None),  # the words of the partial index, so that it is used
    turns.c.decided_at >= bindparam("since"),
    turns.c.decided_at < bindparam("until"),
)


class _Unsought(FunctionElement[int]):
    """A column as it is, by which SQLite does not look for rows; PostgreSQL knows by its statistics what to look for by."""

    type = BigInteger()
    inherit_cache = True


@compiles(_Unsought)
def _as_it_is(element: Any, compiler: Any, **more: Any) -> str:
    return str(compiler.process(element.clauses, **more))


@compiles(_Unsought, "sqlite")
def _with_a_plus(element: Any, compiler: Any, **more: Any) -> str:
    return f"+{compiler.process(element.clauses, **more)}"


_DECIDED_AT = _Unsought(number_of(turns.c.decided_at))
OF_FEW = (given("start") <= _DECIDED_AT, given("end") > _DECIDED_AT)
"""The same where few turns are meant: they are found by what is said of them, and not by the time."""
SERVED = ~among(turns.c.state, NOT_SERVED)
SHOWN = ~among(turns.c.state, NOT_SERVED - {TurnState.PLANTED})
"""In lists a planted draft stands like any that waits: what is missing there would tell that it is one."""
_AWAITS_SECOND = select(candidates.c.turn_id).where(candidates.c.second_due_at.is_not(None))
TOLD, UNTOLD = turns.c.id.not_in(_AWAITS_SECOND), turns.c.id.in_(_AWAITS_SECOND)


def _named(column: Any) -> ColumnElement[str]:
    return func.coalesce(type_coerce(column, Text), "")


SLICE = (_named(turns.c.topic), turns.c.channel, _named(turns.c.agent_version))


def of_part() -> list[ColumnElement[bool]]:
    """Of one topic, channel, release, where one is given."""
    columns = {"topic": SLICE[0], "channel": turns.c.channel, "release": SLICE[2]}
    wanted = {name: cast(bindparam(f"of_{name}", type_=String), String) for name in columns}
    return [or_(wanted[name].is_(None), column == wanted[name]) for name, column in columns.items()]


NO_NAME: ColumnElement[str] = literal_column("''", Text)
ONE_BUCKET: ColumnElement[int] = literal_column("0", Integer)
"""What stands in the place of a column by which nothing is grouped."""


def counted_by(source: Any, *columns: Any, count: Any = None) -> Any:
    """Group by all columns, named by their places: their expressions hold parameters."""
    places: list[ColumnElement[Any]] = [
        literal_column(str(place))
        for place, column in enumerate(columns, start=1)
        if column is not NO_NAME and column is not ONE_BUCKET
    ]
    counted = func.count() if count is None else count
    return select(*columns, counted).select_from(source).group_by(*places).limit(TALLIES_MAX)


JUDGED = verdicts.join(holds, holds.c.id == verdicts.c.hold_id).join(turns, turns.c.id == verdicts.c.turn_id)
ON_A_DRAFT = among(holds.c.kind, [HoldKind.DRAFT, HoldKind.AUDIT])
FOUND = turns.c.findings != literal_column("'[]'")


def micro(moment: datetime) -> int:
    """A moment as such a number."""
    return int(Instant().into(moment) or 0)


def ends(since: datetime, until: datetime) -> dict[str, int]:
    """What `OF_FEW` asks for."""
    return {"start": micro(since), "end": micro(until)}


def values_of_part(part: Part) -> dict[str, str | None]:
    """What `of_part` asks for."""
    return {"of_topic": part.topic, "of_channel": part.channel, "of_release": part.release}
