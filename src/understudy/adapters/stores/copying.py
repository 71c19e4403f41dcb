"""Copy a whole store into another, empty one: every row or none, and nothing in the source changes.

The source is closed to writers and read in one snapshot; the target is written, read back and compared in one
transaction, so that whatever ends the copy early (an error, Ctrl-C, a crash) leaves the target empty, to begin again.
Rows are carried as the databases hold them and never become records, so nothing is read into them on the way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Connection, Engine, Table, text
from sqlalchemy.exc import DBAPIError

from understudy.adapters.stores import migrate
from understudy.adapters.stores.engine import PG_WRITER_LOCK, is_sqlite, open_engine
from understudy.adapters.stores.journal import SqlLedger
from understudy.adapters.stores.mark_tables import metadata
from understudy.adapters.stores.session import Session
from understudy.adapters.stores.sole_process import SoleProcess
from understudy.errors import ConfigurationError, StoreError
from understudy.records.ledger import GENESIS, fault_of

BATCH = 2_000
"""How many rows are in memory at once."""

Told = Callable[[str, int, int], None]
"""Hears what is being done, how many rows of it are done, and how many there are; called after every batch."""

_OTHERS_AT_WORK = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
"""A server at work holds advisory locks for as long as it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What was copied: rows by table, and where the ledger ends."""

    rows: Mapping[str, int]
    ledger_entries: int
    ledger_head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """What a table holds, whatever the order: how many rows, and the sum of their digests."""

    rows: int = 0
    digest: int = 0

    def plus(self, rows: Sequence[tuple[Any, ...]]) -> _Content:
        digests = (int.from_bytes(hashlib.sha256(repr(row).encode()).digest()) for row in rows)
        return _Content(rows=self.rows + len(rows), digest=(self.digest + sum(digests)) % 2**256)


def copy_store(source_url: str, target_url: str, *, told: Told) -> Copied:
    """Copy every table, and compare what arrived with what was sent, row for row; check the ledger's chain.

    Raises `ConfigurationError` where one of the two cannot be used: not there, not at this program's version, in use
    by a server, or a target that holds something; and `StoreError` where a database refuses, or where what arrived is
    not what was sent. Then the target is as empty as before.
    """
    with ExitStack() as stack:
        source, target = (_opened(stack, url) for url in (source_url, target_url))
        if is_sqlite(source) and not Path(source.url.database or "").is_file():
            raise ConfigurationError(f"there is no database {source.url.database}")
        if _place(source) == _place(target):
            raise ConfigurationError("the source and the target are the same database")
        drivers = (source.dialect.loaded_dbapi.Error, target.dialect.loaded_dbapi.Error)
        refusals: tuple[type[BaseException], ...] = (DBAPIError, *drivers)
        try:
            _prepare(target)
            for engine in (source, target):
                sole = SoleProcess(engine.url, mend="Stop it, then copy")
                sole.acquire()
                stack.callback(sole.release)
            reading = stack.enter_context(_closed_to_writers(source))
            migrate.upgrade(target)
            with target.connect() as writing, writing.begin():
                _take_target(writing)
                return _copy(reading, writing, told)
        except refusals as error:
            said = str(getattr(error, "orig", error)).strip().splitlines() or [type(error).__name__]
            raise StoreError(f"nothing was copied, because a database refused: {said[0]}") from error


def _opened(stack: ExitStack, url: str) -> Engine:
    engine = open_engine(url)
    stack.callback(engine.dispose)
    return engine


def _place(engine: Engine) -> tuple[object, ...]:
    """Where a database is, in so far as that can be told from its URL."""
    url = engine.url
    if is_sqlite(engine):
        return (Path(url.database or "").resolve(),)
    return (url.host or url.query.get("host"), url.port or 5432, url.database)


def _prepare(target: Engine) -> None:
    if is_sqlite(target):
        Path(target.url.database or "").parent.mkdir(parents=True, exist_ok=True)


@contextmanager
def _closed_to_writers(source: Engine) -> Iterator[Connection]:
    """Read the source in one snapshot while nobody can write to it."""
    with ExitStack() as stack:
        if is_sqlite(source):
            reading = stack.enter_context(source.connect())
            reading.begin()  # IMMEDIATE: it keeps other writers out from the same moment on
        else:
            keeper = stack.enter_context(source.connect())
            _lock(keeper, "the source")
            reading = stack.enter_context(source.connect())
            reading.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            reading.begin()
        at, wanted = migrate.current(reading), migrate.head()
        if at != wanted:
            raise ConfigurationError(
                f"the source is at version {at or 'none'} of the schema, this program copies version {wanted}; "
                "bring it there first: understudy migrate --to head, with store.url naming the source"
            )
        yield reading


def _lock(connection: Connection, what: str) -> None:
    """Keep other writers of a PostgreSQL database out until this connection's transaction ends."""
    mine = connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": PG_WRITER_LOCK}).scalar()
    if not mine or connection.execute(_OTHERS_AT_WORK).scalar():
        raise ConfigurationError(f"a server works on {what}; stop every server and worker first")
    encoding = connection.execute(text("SHOW server_encoding")).scalar()
    if encoding != "UTF8":
        raise ConfigurationError(f"{what} has the encoding {encoding}; it has to be UTF8")


def _take_target(writing: Connection) -> None:
    if writing.dialect.name != "sqlite":
        _lock(writing, "the target")
    filled = [f"{table} ({rows})" for table, rows in _counts(writing).items() if rows]
    if filled:
        raise ConfigurationError(
            f"the target is not empty, it holds rows in {', '.join(filled)}; name an empty database"
        )


def _counts(connection: Connection) -> dict[str, int]:
    """How many rows each table has; tables others refer to come first."""
    return {
        table.name: int(connection.exec_driver_sql(f"SELECT count(*) FROM {table.name}").scalar_one())  # noqa: S608
        for table in metadata.sorted_tables
    }


def _copy(reading: Connection, writing: Connection, told: Told) -> Copied:
    counts = _counts(reading)
    progress = _Progress(told, sum(counts.values()))
    sent = {table.name: _send(reading, writing, table, progress) for table in metadata.sorted_tables}
    for table in metadata.sorted_tables:
        if table.autoincrement_column is not None:
            _go_on_counting(reading, writing, table.name, table.autoincrement_column.name)
    progress.begin("comparing")
    for table in metadata.sorted_tables:
        arrived = _Content()
        with closing(_rows(writing, table)) as batches:
            for rows in batches:
                arrived = arrived.plus(rows)
                progress.done(len(rows))
        if arrived != sent[table.name]:
            raise StoreError(
                f"nothing was copied: table {table.name} would hold {arrived.rows} rows, and not those {sent[table.name].rows}"
                " of the source; its values do not fit the target's types"
            )
    entries, head = _verified_ledger(writing)
    if writing.dialect.name != "sqlite":
        writing.exec_driver_sql("ANALYZE " + ", ".join(metadata.tables))  # else it plans for empty tables at first
    return Copied(rows=counts, ledger_entries=entries, ledger_head=head)


class _Progress:
    """Counts rows for whoever is told."""

    def __init__(self, told: Told, rows: int) -> None:
        self._told, self._rows = told, rows
        self.begin("copying")

    def begin(self, what: str) -> None:
        self._what, self._done = what, 0
        self._told(what, 0, self._rows)

    def done(self, rows: int) -> None:
        self._done += rows
        self._told(self._what, self._done, self._rows)


def _send(reading: Connection, writing: Connection, table: Table, progress: _Progress) -> _Content:
    content = _Content()
    with closing(_rows(reading, table)) as batches:
        for rows in batches:
            _write(writing, table, rows)
            content = content.plus(rows)
            progress.done(len(rows))
    return content


def _rows(connection: Connection, table: Table) -> Generator[list[tuple[Any, ...]], None, None]:
    """All rows of a table in batches, alike for every database: the same values give the same tuple."""
    truths = [place for place, column in enumerate(table.columns) if isinstance(column.type, Boolean)]
    with connection.exec_driver_sql(
        f"SELECT {_columns(connection, table)} FROM {table.name}",  # noqa: S608 - names of our own tables
        execution_options={"stream_results": True, "yield_per": BATCH},
    ) as result:
        for batch in result.partitions(BATCH):
            rows = [tuple(row) for row in batch]
            yield [_with_truths(row, truths) for row in rows] if truths else rows


def _with_truths(row: tuple[Any, ...], places: Sequence[int]) -> tuple[Any, ...]:
    """SQLite gives 0 and 1 for false and true."""
    return tuple(bool(value) if place in places and value is not None else value for place, value in enumerate(row))


def _columns(connection: Connection, table: Table) -> str:
    quote = connection.dialect.identifier_preparer.quote
    return ", ".join(quote(column.name) for column in table.columns)


def _write(writing: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    columns = _columns(writing, table)
    if writing.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.columns))
        writing.exec_driver_sql(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", list(rows))  # noqa: S608
        return
    driver: Any = writing.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _go_on_counting(reading: Connection, writing: Connection, table: str, column: str) -> None:
    """Let the target number its next row after the last that the source ever numbered, so that no number comes twice."""
    last = _last_number(reading, table, column)
    if last == 0:
        return
    if writing.dialect.name == "sqlite":
        writing.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table})
        writing.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :last)"), {"name": table, "last": last})
    else:
        counter = text("SELECT setval(pg_get_serial_sequence(:name, :column), :last)")
        writing.execute(counter, {"name": table, "column": column, "last": last})


def _last_number(reading: Connection, table: str, column: str) -> int:
    """The highest number that a table's counter has given; 0 where it has given none."""
    if reading.dialect.name == "sqlite":
        given = reading.execute(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table}).scalar()
        return int(given or 0)
    counter = reading.execute(
        text("SELECT pg_get_serial_sequence(:name, :column)"), {"name": table, "column": column}
    ).scalar_one()
    last, is_given = reading.exec_driver_sql(f"SELECT last_value, is_called FROM {counter}").one()  # noqa: S608
    return int(last) if is_given else 0


def _verified_ledger(connection: Connection) -> tuple[int, str]:
    """Compute every hash again; returns how many entries there are and the last one's hash."""
    ledger = SqlLedger(Session(connection.connection, connection.dialect))
    count, head = 0, GENESIS
    while entries := ledger.entries(after=count, limit=BATCH):
        for entry in entries:
            fault = fault_of(entry, seq=count + 1, previous=head)
            if fault is not None:
                raise StoreError(
                    f"nothing was copied: the source's ledger is broken, {fault} (understudy audit verify)"
                )
            count, head = entry.seq, entry.hash
    return count, head
