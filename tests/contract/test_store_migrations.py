"""The schema's way up and down: it ends where the tables say, twice is harmless, and nobody gets in another's way."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect

from understudy.adapters.stores import migrate
from understudy.adapters.stores.engine import open_engine
from understudy.adapters.stores.mark_tables import metadata
from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import ConfigurationError
from understudy.ports.calls import CallLimits
from understudy.records.assessment import DecisionKind
from understudy.records.turn import TurnState

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def engine(empty_url: str) -> Iterator[Engine]:
    opened = open_engine(empty_url)
    yield opened
    opened.dispose()


def differences(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def version(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return migrate.current(connection)


def test_an_empty_database_has_no_version(engine: Engine) -> None:
    assert version(engine) is None


def test_upgrading_from_empty_gives_the_tables(engine: Engine) -> None:
    migrate.upgrade(engine)
    assert differences(engine) == []
    assert version(engine) == migrate.head()


def test_upgrading_gives_the_indexes_of_the_tables(engine: Engine) -> None:
    migrate.upgrade(engine)
    found = {index["name"] for table in metadata.tables for index in inspect(engine).get_indexes(table)}
    assert {index.name for table in metadata.tables.values() for index in table.indexes} <= found


def test_upgrading_twice_is_harmless(engine: Engine) -> None:
    migrate.upgrade(engine)
    migrate.upgrade(engine)
    assert differences(engine) == []


def test_upgrading_keeps_what_is_stored(engine: Engine, empty_url: str, make: Any) -> None:
    migrate.upgrade(engine)
    fill(empty_url, make)
    migrate.upgrade(engine)
    store = SqlStore(empty_url)
    assert len(store.read_now(lambda tx: tx.turns.listed(after=0, limit=10))) == 5
    store.close_now()


FOR_THE_MOMENT: dict[str, list[Any]] = {"marks": []}
"""What an older version does not keep, and nobody misses: a writer that finds no marks forgets what it remembers."""


def rows(engine: Engine) -> dict[str, list[Any]]:
    """Everything that is stored, by table and column, of the tables and columns that there are."""
    there = set(inspect(engine).get_table_names())
    with engine.connect() as connection:
        return {
            table: sorted(map(dict, connection.exec_driver_sql(f"SELECT * FROM {table}").mappings()), key=repr)
            for table in metadata.tables
            if table in there
        }


def with_columns_of(older: list[Any], newer: list[Any]) -> list[Any]:
    """The newer rows with the columns that the older version has; a step adds columns and tables only."""
    return sorted([{name: row[name] for name in (older or newer)[0]} for row in newer], key=repr)


def test_a_filled_database_goes_one_version_down_and_up_again(engine: Engine, empty_url: str, make: Any) -> None:
    migrate.upgrade(engine)
    fill(empty_url, make)
    before = rows(engine)
    migrate.downgrade(engine)
    assert version(engine) != migrate.head()
    older = rows(engine)
    assert older == {table: with_columns_of(older[table], before[table]) for table in older}
    migrate.upgrade(engine)
    assert differences(engine) == []
    assert rows(engine) == before | FOR_THE_MOMENT


def test_what_an_old_database_decided_counts_against_the_quota(engine: Engine, empty_url: str, make: Any) -> None:
    """The counts are younger than the turns: from the first version on, an upgrade makes them of what is there."""
    migrate.upgrade(engine)
    fill(empty_url, make)
    before = rows(engine)
    migrate.downgrade(engine, steps=len(migrate.Migrations(engine).steps) - 1)
    assert version(engine) == "0001"
    assert "slice_counts" not in rows(engine)
    migrate.upgrade(engine)
    after = rows(engine)
    assert after["slice_counts"] == before["slice_counts"]
    assert len(after["slice_counts"]) == 2
    store = SqlStore(empty_url)
    hour = NOW - timedelta(hours=1)
    assert store.read_now(lambda tx: tx.turns.decided_since("refunds", "webchat", hour)) == (2, 1)
    store.close_now()


def test_two_that_upgrade_at_once_wait_for_each_other(empty_url: str) -> None:
    engines = [open_engine(empty_url) for _ in range(4)]
    with ThreadPoolExecutor(len(engines)) as threads:
        list(threads.map(migrate.upgrade, engines))
    assert differences(engines[0]) == []
    for engine in engines:
        engine.dispose()


def fill(url: str, make: Any) -> None:
    store = SqlStore(url)

    def step(tx: Any) -> None:
        hold = make.hold(tx)
        tx.verdicts.add(make.verdict(hold))
        make.entry(tx)
        make.message(tx)
        make.turn(tx)
        for kind in (DecisionKind.DELIVER, DecisionKind.DELIVER, DecisionKind.DEGRADE):
            make.turn(tx, state=TurnState.ANSWERED, topic="refunds", decision=kind, decided_at=NOW)
        tx.artifacts.put(hold.turn_id, "draft", "{}")
        limits = CallLimits(at_once_max=1, per_minute_max=1)
        tx.calls.begin("call-1", "a", now=NOW, until=NOW, limits=limits)
        tx.ledger.append("test.filled", at=NOW)

    store.write_now(step)
    store.close_now()


@pytest.mark.parametrize("url", ["mysql://localhost/x", "no url", "sqlite+nothing:///x"])
def test_a_url_that_names_no_database_of_ours_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"store\.url"):
        open_engine(url)


def test_a_missing_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r"understudy\[postgres\]"):
        open_engine("postgresql://localhost/x")
