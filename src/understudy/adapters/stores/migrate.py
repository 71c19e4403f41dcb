"""Bring a database to this version's schema, or one version down; the steps themselves are in `migrations/`."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from understudy.adapters.stores.engine import PG_WRITER_LOCK, is_sqlite


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Upgrade to `revision`; does nothing where the schema is there already. Parallel callers wait for each other."""
    with engine.connect() as connection, connection.begin():
        if not is_sqlite(engine):
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PG_WRITER_LOCK + 1})
        if revision != "head" or current(connection) != head():
            command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str = "-1") -> None:
    """Go back to `revision`, one version by default."""
    with engine.connect() as connection, connection.begin():
        command.downgrade(_config(connection), revision)


def current(connection: Connection) -> str | None:
    """Read which version a database is at; None = empty."""
    return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    """Say which version this code wants."""
    return ScriptDirectory.from_config(_config(None)).get_current_head()


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
