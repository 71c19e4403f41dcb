"""Numbers for new rows, given by the writer: taken from the database's counters ahead, in the order of the commits.

Only one process writes at a time, and what is left over is dropped once somebody else wrote (`hot.py`); so a higher
number always means a later commit, and only numbers that nobody used are left out.
"""

from __future__ import annotations

from itertools import count

from sqlalchemy import Integer, bindparam, text

from understudy.adapters.stores.hot import Hot
from understudy.adapters.stores.session import Session
from understudy.adapters.stores.statement import Statement

AHEAD = 64
"""How many numbers of each kind are taken from PostgreSQL's counters at once."""

_COUNTED = {"messages": "seq", "turns": "position", "outbox": "seq"}
_LAST = Statement(
    text(
        " UNION ALL ".join(
            f"SELECT '{table}', max(coalesce((SELECT max({column}) FROM {table}), 0), "  # noqa: S608 - names of ours
            f"coalesce((SELECT seq FROM sqlite_sequence WHERE name = '{table}'), 0))"
            for table, column in _COUNTED.items()
        )
    )
)
_NEXT = Statement(
    text(
        "SELECT "
        + ", ".join(
            f"setval(pg_get_serial_sequence('{table}', '{column}'),"
            f" nextval(pg_get_serial_sequence('{table}', '{column}')) + :more)"
            for table, column in _COUNTED.items()
        )
    ).bindparams(bindparam("more", type_=Integer))
)
"""The last numbers of those taken. Whoever writes stands alone behind the writers' lock, so nobody's come between the two calls."""


class Numbers:
    """Gives the numbers of one group of steps."""

    def __init__(self, session: Session, hot: Hot) -> None:
        self._session = session
        self._hot = hot

    def next(self, table: str) -> int:
        """The number of the next row of a table."""
        left = self._hot.numbers.get(table)
        number = None if left is None else next(left, None)
        if number is None:
            self._take()
            number = next(self._hot.numbers[table])
        return number

    def _take(self) -> None:
        if self._session.dialect.name == "sqlite":
            self._hot.numbers = {str(table): count(int(last) + 1) for table, last in self._session.stored_rows(_LAST)}
        else:
            (lasts,) = self._session.stored_rows(_NEXT, more=AHEAD - 1)
            self._hot.numbers = {
                table: iter(range(int(last) - AHEAD + 1, int(last) + 1))
                for table, last in zip(_COUNTED, lasts, strict=True)
            }
