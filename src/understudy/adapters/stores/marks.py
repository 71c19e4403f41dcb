"""What a group of steps changed, left in a row for the writers of other processes, so that they forget that and no more.

The session notes it as it writes; no step has to say it. A mark names tables and whose rows they are, never what they
hold. What is forgotten because of it stands in `forgetting.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import and_, bindparam, delete, select

from understudy.adapters.stores.mark_tables import marks
from understudy.adapters.stores.rows import Row, Rows
from understudy.adapters.stores.statement import Statement, insert_into
from understudy.adapters.stores.tables import ledger

Head = tuple[int, str]
"""Where the ledger ends: the last entry's number and hash."""
NOWHERE: Final = 2**62
"""A number that no entry has."""

FAR = 2_000
"""Whoever is further behind the ledger's head forgets all: that is less work than to read so many marks."""
KEPT = 10 * FAR
TRIMMED_EVERY = FAR
"""All three in ledger entries."""

WHOSE: Final = {
    "conversations": "id",
    "messages": "conversation_id",
    "turns": "conversation_id",
    "outbox": "conversation_id",
    "contacts": "id",
    "pledges": "contact_id",
    "artifacts": "turn_id",
}
"""Tables of which single rows are remembered, and the column that says whose they are."""

ANYTHING: Final = frozenset({"?"})
"""What a statement may change that names no table: nobody knows this one, so everything is forgotten."""

_HEAD = select(ledger.c.seq, ledger.c.hash).order_by(ledger.c.seq.desc()).limit(1).subquery()
_KNOWN = select(ledger.c.hash).where(ledger.c.seq == bindparam("known")).scalar_subquery()
_LOOK_BACK = Statement(
    select(_HEAD.c.seq, _HEAD.c.hash, _KNOWN, marks.c.after, marks.c.head, marks.c.body)
    .select_from(
        _HEAD.outerjoin(marks, and_(marks.c.head > bindparam("known"), _HEAD.c.seq - bindparam("known") <= FAR))
    )
    .order_by(marks.c.head)
)
_LEAVE = insert_into(marks)
_TRIM = Statement(delete(marks).where(marks.c.head < bindparam("before")))


@dataclass(slots=True)
class Mark:
    """`tables`: in which rows were written; `loose`: those of them in which a statement wrote that names none of `whose`.

    `whose`: the table and the id in its column of `WHOSE` of all rows that were written there.
    """

    tables: set[str] = field(default_factory=set)
    loose: set[str] = field(default_factory=set)
    whose: set[tuple[str, str]] = field(default_factory=set)

    def rows(self, rows: Rows, written: Iterable[Row]) -> None:
        """Note rows of a table."""
        name = rows.table.name
        self.tables.add(name)
        if (column := WHOSE.get(name)) is not None:
            place = rows.names.index(column)
            self.whose.update([(name, row[place]) for row in written])

    def statement(self, statement: Statement, of: str | None) -> None:
        """Note what a statement of its own changes, and whose that is, where it is known (then it names one table)."""
        tables = statement.tables or ANYTHING
        self.tables |= tables
        if of is None:
            self.loose |= tables
        else:
            self.whose.update([(name, of) for name in tables])

    def text(self) -> str:
        """As it is stored."""
        return json.dumps([sorted(self.tables), sorted(self.loose), sorted(self.whose)], separators=(",", ":"))

    def add(self, text: str) -> None:
        """Take in what another mark says, given as it is stored."""
        tables, loose, whose = json.loads(text)
        self.tables.update(tables)
        self.loose.update(loose)
        self.whose.update([(table, one) for table, one in whose])


class SqlMarks:
    """The marks of all processes; only a writer asks, inside its transaction."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def look_back(self, known: Head | None) -> tuple[Head | None, Mark | None]:
        """Where the ledger ends (None: it is empty), and what others changed after the entry that is `known`.

        None where that cannot be said for every entry since: they wrote too much, or no marks (an older version does
        not); the database has another past than it had; or it is not known what was last seen here.
        """
        seq, digest = known or (NOWHERE, None)
        rows = self._session.stored_rows(_LOOK_BACK, known=seq)
        if not rows:
            return None, None
        head = (int(rows[0][0]), str(rows[0][1]))
        if rows[0][2] != digest:
            return head, None
        return head, _joined(seq, head[0], [row[3:] for row in rows if row[4] is not None])

    def leave(self, mark: Mark, *, after: int, head: int) -> None:
        """Say what the ledger's entries beyond `after`, up to `head`, tell of; the oldest marks go from time to time."""
        self._session.renew(_LEAVE, {"head": head, "after": after, "body": mark.text()})
        if head // TRIMMED_EVERY != after // TRIMMED_EVERY:
            self._session.renew(_TRIM, {"before": head - KEPT})


def _joined(known: int, head: int, rows: Sequence[Sequence[Any]]) -> Mark | None:
    """The marks as one, if each follows the other without a gap from what is known to the head."""
    at, all_of_them = known, Mark()
    for after, until, body in rows:
        if after != at:
            return None
        at = until
        all_of_them.add(body)
    return all_of_them if at == head else None
