"""Make a store old: copy the finished turns in it, row by row in SQL, until there are so many; it runs no product code.

Every table is copied alike, whatever the schema: a copy's ids get a suffix, its running numbers an offset, its moments
lie so much further in the past that all copies together spread over a year. So the rows are as long, the indexes as
full and the values as varied as after a year of service, without waiting for one. Ledger hashes are copied and chain
no more: nothing here reads the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import BigInteger, Engine, Integer, String, Text, create_engine, inspect, text
from sqlalchemy.engine import Connection, make_url

YEAR_US = 365 * 86_400 * 1_000_000
COPIES_AT_ONCE = 10
NOT_COPIED = frozenset(
    {"alembic_version", "api_keys", "rulebooks", "idempotency_keys", "epochs", "calibrators", "frequencies", "releases"}
)
"""What there is once, or once a slice, however many turns there were."""
NAMES_KEPT = frozenset({"channel", "kind", "rulebook_id", "state", "event", "actor"})


def fill(url: str, *, finished: int) -> int:
    """Copy all that is in the store at `url` until some `finished` turns are in it; returns how many there are."""
    parsed = make_url(url)
    engine = create_engine(parsed.set(drivername="postgresql+psycopg") if "postgres" in parsed.drivername else parsed)
    try:
        have = _count(engine)
        copies = max(0, round(finished / have) - 1)
        columns = dict(_tables(engine))
        with engine.connect() as connection:
            _hurry(connection)
            sources = {name: _bounds(connection, name, number) for name, (number, _) in columns.items()}
            for first in range(1, copies + 1, COPIES_AT_ONCE):
                last = min(first + COPIES_AT_ONCE - 1, copies)
                for name, (_, values) in columns.items():
                    _copy(connection, name, values, sources[name], first, last, copies)
                connection.commit()
            _counted(connection)
            _settle(connection, columns)
        return _count(engine)
    finally:
        engine.dispose()


def _count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM turns")).scalar_one())


def _tables(engine: Engine) -> Iterator[tuple[str, tuple[str | None, dict[str, str]]]]:
    """Each table, parents first: its running number, and per column the SQL of a copy's value."""
    schema = inspect(engine)
    for name, _ in schema.get_sorted_table_and_fkc_names():
        if name is None or name in NOT_COPIED or name.startswith("pgqueuer"):
            continue
        key = schema.get_pk_constraint(name)["constrained_columns"]
        unique = {column for one in schema.get_unique_constraints(name) for column in one["column_names"]}
        number, values = None, {}
        for column in schema.get_columns(name):
            label, kind = column["name"], column["type"]
            quoted = f'"{label}"'
            values[label] = quoted
            if isinstance(kind, (String, Text)):
                is_name = (
                    label in key or label in unique or label.endswith("_id") or label in {"superseded_by", "address"}
                )
                if is_name and label not in NAMES_KEPT:
                    values[label] = f"{quoted} || '-' || copy.k"
            elif key == [label] and isinstance(kind, (Integer, BigInteger)):
                number, values[label] = label, f"{quoted} + copy.k * :span"
            elif isinstance(kind, BigInteger) and (label == "at" or label.endswith(("_at", "_until"))):
                values[label] = f"{quoted} - copy.k * :step"
        yield name, (number, values)


def _bounds(connection: Connection, name: str, number: str | None) -> dict[str, Any]:
    """Which rows are copied: all that are there before the first copy is made."""
    rowid = number or ("rowid" if connection.dialect.name == "sqlite" else "ctid")
    highest = connection.execute(text(f'SELECT max({rowid}) FROM "{name}"')).scalar_one()
    return {"rowid": rowid, "highest": highest}


def _copy(
    connection: Connection,
    name: str,
    values: dict[str, str],
    source: dict[str, Any],
    first: int,
    last: int,
    copies: int,
) -> None:
    highest = source["highest"]
    if highest is None:
        return  # the table is empty
    into = ", ".join(f'"{column}"' for column in values)
    series = "WITH RECURSIVE copy (k) AS (SELECT :first UNION ALL SELECT k + 1 FROM copy WHERE k < :last)"
    bound = ":highest" if source["rowid"] != "ctid" else "CAST(:highest AS tid)"
    if connection.dialect.name != "sqlite":
        series = "WITH copy AS (SELECT * FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS k)"
    statement = (
        f'INSERT INTO "{name}" ({into}) {series} SELECT {", ".join(values.values())} '
        f'FROM copy CROSS JOIN "{name}" AS source WHERE source.{source["rowid"]} <= {bound}'
    )
    given = {"first": first, "last": last, "highest": highest, "span": highest, "step": YEAR_US // copies}
    connection.execute(text(statement), {key: value for key, value in given.items() if f":{key}" in statement})


def _hurry(connection: Connection) -> None:
    """What is copied may be lost by a crash; the servers that follow set their own terms."""
    if connection.dialect.name == "sqlite":
        for pragma in ("synchronous=OFF", "journal_mode=OFF", "cache_size=-400000", "foreign_keys=OFF"):
            connection.exec_driver_sql(f"PRAGMA {pragma}")
    else:
        connection.exec_driver_sql("SET synchronous_commit = off")
        connection.exec_driver_sql(
            "SET session_replication_role = replica"
        )  # the copies' foreign keys hold by themselves
    connection.commit()


def _counted(connection: Connection) -> None:
    """What was learned of the copies was learned when they were made, and not once the server starts."""
    connection.execute(text("UPDATE epochs SET consumed = (SELECT max(seq) FROM candidates)"))
    connection.execute(text("UPDATE frequencies SET seen = (SELECT max(seq) FROM candidates)"))
    connection.commit()


def _settle(connection: Connection, columns: dict[str, tuple[str | None, dict[str, str]]]) -> None:
    """PostgreSQL: go on numbering after the copies, and know by ANALYZE what autovacuum would find out soon."""
    if connection.dialect.name == "sqlite":
        return
    for name, (number, _) in columns.items():
        sequence = (
            number
            and connection.execute(
                text("SELECT pg_get_serial_sequence(:name, :number)"), {"name": name, "number": number}
            ).scalar_one()
        )
        if sequence:
            connection.execute(text(f'SELECT setval(\'{sequence}\', (SELECT max("{number}") FROM "{name}"))'))
    connection.commit()
    connection.execution_options(isolation_level="AUTOCOMMIT")
    connection.exec_driver_sql("VACUUM ANALYZE")
