"""Opening a database so that a commit is on disk when it returns; no query of ours stands here."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from understudy.errors import ConfigurationError

BUSY_TIMEOUT_MS = 5_000
PG_WRITER_LOCK = 7_305_118_301
"""The advisory lock that puts groups of all processes in order; any constant would do, all must use the same."""


def is_sqlite(engine: Engine) -> bool:
    """Whether this engine speaks to SQLite."""
    return engine.dialect.name == "sqlite"


def read_options(engine: Engine) -> dict[str, Any]:
    """Say how a connection is to be used so that all its queries see one snapshot."""
    if is_sqlite(engine):
        return {"understudy_reads": True}
    return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def open_engine(url: str) -> Engine:
    """Open `sqlite:///path` or `postgresql+psycopg://…`; raises `ConfigurationError` for anything else."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        elif parsed.get_backend_name() != "sqlite":
            raise ConfigurationError(f"store.url {_shown(url)!r}: use sqlite:///FILE or postgresql://…")
        elif parsed.database in (None, "", ":memory:"):
            raise ConfigurationError(f"store.url {url!r} names no file, and in memory nothing would be kept")
        engine = create_engine(parsed, pool_size=8, max_overflow=4, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigurationError(f"store.url {_shown(url)!r} is no database URL: {error}") from error
    except ModuleNotFoundError as error:
        raise ConfigurationError("PostgreSQL needs its driver: pip install 'understudy[postgres]'") from error
    if is_sqlite(engine):
        _make_sqlite_durable(engine)
    return engine


def _shown(url: str) -> str:
    """The URL without its password, also where it is none."""
    return re.sub(r"[^/]*@", "…@", url)


def _make_sqlite_durable(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # We say BEGIN ourselves; the driver would begin too late, and not for reads.
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "cache_size=-8192",  # in kB; the default of 2 MB reads the pages of a busy index again and again
            "wal_autocheckpoint=4000",  # in pages: fewer and larger checkpoints than by default
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("understudy_reads")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
