"""The ledger and the rulebooks in SQL: what is only ever added."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, literal_column, select

from understudy.adapters.stores.hot import Hot
from understudy.adapters.stores.rows import Rows
from understudy.adapters.stores.session import Session, columns_of, record_of
from understudy.adapters.stores.statement import Statement, insert_into
from understudy.adapters.stores.tables import AUTONOMY_EVENTS, OF_AUTONOMY, ledger, rulebooks
from understudy.errors import NotFound
from understudy.records.codec import canonical, dump, load
from understudy.records.ledger import GENESIS, LedgerEntry, chain
from understudy.records.rulebook import Rulebook, Rules

_ENTRY = columns_of(ledger, LedgerEntry)
_HEAD = Statement(select(ledger.c.seq, ledger.c.hash).order_by(ledger.c.seq.desc()).limit(1))
_AFTER = Statement(
    select(*_ENTRY).where(ledger.c.seq > bindparam("after")).order_by(ledger.c.seq).limit(bindparam("limit"))
)

_IS_OF_AUTONOMY: ColumnElement[bool] = literal_column(OF_AUTONOMY)
"""The words of the partial index, so that it is used."""
_OF_AUTONOMY = Statement(select(*_ENTRY).where(_IS_OF_AUTONOMY).order_by(ledger.c.seq.desc()).limit(bindparam("limit")))

_ENTRIES = Rows(ledger, LedgerEntry, key=("seq",))
_ADD_RULEBOOK = insert_into(rulebooks)
_RULEBOOK_ID = Statement(select(rulebooks.c.id).where(rulebooks.c.id == bindparam("which")))
_RULES = Statement(select(rulebooks.c.rules).where(rulebooks.c.id == bindparam("which")))


class SqlLedger:
    """`ports.store.Ledger` in SQL. Entries are kept in memory and inserted together before the group's commit.

    The store gives a group of steps the sole right to append, so the head read once stays the head.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._head: tuple[int, str] | None = None
        self.pending: list[LedgerEntry] = []

    def append(
        self,
        event: str,
        *,
        at: datetime,
        turn_id: str | None = None,
        conversation_id: str | None = None,
        actor: str = "system",
        **body: Any,
    ) -> LedgerEntry:
        seq, previous = self._last()
        fields: dict[str, Any] = {
            "seq": seq + 1,
            "at": at.astimezone(UTC) if at.tzinfo is not None else at,  # The hash is over the moment as it is stored.
            "event": event,
            "turn_id": turn_id,
            "conversation_id": conversation_id,
            "actor": actor,
            "body": canonical(body),
            "previous": previous,
        }
        entry = LedgerEntry(**fields, hash=chain(**fields))
        self.pending.append(entry)
        return entry

    def begin_at(self, head: tuple[int, str] | None) -> None:
        """Take where the ledger ends, its last number and hash (None: it is empty), from whoever has read it."""
        self._head = head or (0, GENESIS)

    def _last(self) -> tuple[int, str]:
        if self.pending:
            return self.pending[-1].seq, self.pending[-1].hash
        if self._head is None:
            row = self._session.row(_HEAD)
            self._head = (0, GENESIS) if row is None else (int(row[0]), str(row[1]))
        return self._head

    def flush(self) -> list[LedgerEntry]:
        """Give what was appended to the session and return it."""
        written, self.pending = self.pending, []
        if written:
            for entry in written:
                self._session.add(_ENTRIES, _ENTRIES.of(entry))
            self._head = (written[-1].seq, written[-1].hash)
        return written

    def head_seq(self) -> int:
        return self._last()[0]

    def head(self) -> tuple[int, str]:
        """The number and hash of the last entry, what is pending included; 0 and `GENESIS` where there is none."""
        return self._last()

    def entries(self, *, after: int = 0, limit: int = 1000) -> list[LedgerEntry]:
        stored = [record_of(LedgerEntry, row) for row in self._session.rows(_AFTER, after=after, limit=limit)]
        return (stored + [entry for entry in self.pending if entry.seq > after])[:limit]

    def of_autonomy(self, *, limit: int) -> list[LedgerEntry]:
        waiting = [entry for entry in reversed(self.pending) if entry.event in AUTONOMY_EVENTS]
        stored = [record_of(LedgerEntry, row) for row in self._session.rows(_OF_AUTONOMY, limit=limit)]
        return (waiting + stored)[:limit]


class SqlRulebooks:
    """`ports.store.Rulebooks` in SQL."""

    def __init__(self, session: Session, hot: Hot) -> None:
        self._session = session
        self._hot = hot

    def put(self, rulebook: Rulebook, *, now: datetime) -> bool:
        if rulebook.id in self._hot.rulebooks:
            return False
        if self._session.scalar(_RULEBOOK_ID, which=rulebook.id) is not None:
            self._hot.rulebooks.add(rulebook.id)
            return False
        values = {"id": rulebook.id, "rules": dump(rulebook.rules), "created_at": now}
        self._session.change(_ADD_RULEBOOK, values)
        return True

    def get(self, rulebook_id: str) -> Rulebook:
        rules = self._session.scalar(_RULES, which=rulebook_id)
        if rules is None:
            raise NotFound(f"there is no rulebook {rulebook_id!r}")
        return Rulebook(id=rulebook_id, rules=load(Rules, rules))
