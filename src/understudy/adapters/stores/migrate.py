"""Bring a database to this version's schema, or some steps down; the steps themselves are in `migrations/`.

A step is *pre* or *post*, as its file name says. A *pre* step only adds, so the version before works on as if nothing
had happened: it is taken before the programs are replaced, by the first that starts. A *post* step takes away what
only the version before needed: it is taken when all programs are replaced, by `understudy migrate --to post`, and then
the database says which versions it is too new for. What is written down is the number of the latest *post* step: a
program that does not know it must not start. It is no data and stands beside the schema: in SQLite's `user_version`,
in PostgreSQL in the comment on Alembic's table.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from understudy.adapters.stores.engine import PG_WRITER_LOCK, is_sqlite, read_options
from understudy.errors import ConfigurationError

FOLDER = Path(__file__).parent / "migrations"
_NAME = re.compile(r"(\d{4})_(pre|post)_\w+\.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One migration: its number and whether it belongs before or after the programs are replaced."""

    number: str
    is_post: bool
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaState:
    """Where a database stands. `at` None: it is empty. `is_newer`: it had steps that this version does not know.

    `oldest`: programs that do not know this step cannot work on it; None where any can.
    """

    at: str | None
    wanted: str
    is_newer: bool
    oldest: str | None
    pending: tuple[Step, ...]


class Migrations:
    """The steps of this version, applied to one database; `folders` holds them."""

    def __init__(self, engine: Engine, *, folders: Sequence[Path] = (FOLDER / "versions",)) -> None:
        self._engine = engine
        self._folders = folders
        scripts = ScriptDirectory.from_config(self._config(None)).walk_revisions()
        self.steps = tuple(_step(Path(script.path).name) for script in reversed(list(scripts)))

    def state(self) -> SchemaState:
        """Read where the database stands."""
        with self._engine.connect().execution_options(**read_options(self._engine)) as connection:
            return self._state(connection)

    def prepare(self, *, may_change: bool = True) -> SchemaState:
        """Make the database fit for this version: take its *pre* steps, or with `may_change` False only look.

        Raises `ConfigurationError` where it is too new for this version, or too old and must not be changed. Looks
        before it takes the lock: mostly nothing is to be done, and a command does not wait for a busy server.
        """
        state = self.state()
        if not self._missing(state, may_change=may_change):
            return state
        with self._locked() as connection:
            state = self._state(connection)
            if missing := self._missing(state, may_change=may_change):
                self._go(connection, missing[-1].number)
        return state

    def _missing(self, state: SchemaState, *, may_change: bool) -> list[Step]:
        """The *pre* steps that are to be taken; raises where this program and the database do not go together."""
        if state.is_newer and state.oldest is not None and state.wanted < state.oldest:
            raise ConfigurationError(
                f"the database is too new: it is at version {state.at} of its schema, this program knows versions up "
                f"to {state.wanted} and version {state.oldest} is the oldest that may work on it. Start a newer program"
            )
        missing = [step for step in state.pending if step.number <= self._last_pre()]
        if missing and not may_change:
            raise ConfigurationError(
                f"the database is too old: it is at version {state.at or 'none'} of its schema, this program needs "
                f"{missing[-1].number}. Run `understudy migrate --to pre` (store.migrate_at_start is false)"
            )
        return missing

    def upgrade(self, to: str = "head") -> None:
        """Take all steps up to the last *pre* one, or up to the end (*post*, *head*), or up to a number.

        Does nothing where the database is there already, or further on. Parallel callers wait for each other.
        """
        with self._locked() as connection:
            state = self._state(connection)
            if state.is_newer:
                raise ConfigurationError(f"the database is at version {state.at}, which this program does not know")
            wanted = {"pre": self._last_pre(), "post": state.wanted, "head": state.wanted}.get(to, to)
            if wanted not in {step.number for step in self.steps}:
                raise ConfigurationError(f"there is no version {to!r} of the schema: say pre, post, head or a number")
            if any(step.number <= wanted for step in state.pending):
                self._go(connection, wanted)

    def downgrade(self, steps: int = 1) -> None:
        """Take back the latest steps; what only they could hold is lost. Stop newer programs before."""
        with self._locked() as connection:
            state = self._state(connection)
            if state.is_newer:
                raise ConfigurationError(f"version {state.at} of the schema can only be taken back by a newer program")
            command.downgrade(self._config(connection), f"-{steps}")
            self._note_oldest(connection)

    def _state(self, connection: Connection) -> SchemaState:
        at = current(connection)
        numbers = [step.number for step in self.steps]
        is_newer = at is not None and at not in numbers
        return SchemaState(
            at=at,
            wanted=numbers[-1],
            is_newer=is_newer,
            oldest=_read_oldest(connection),
            pending=() if is_newer else tuple(step for step in self.steps if at is None or step.number > at),
        )

    def _last_pre(self) -> str:
        return max(step.number for step in self.steps if not step.is_post)

    def _go(self, connection: Connection, number: str) -> None:
        command.upgrade(self._config(connection), number)
        self._note_oldest(connection)

    def _note_oldest(self, connection: Connection) -> None:
        at = current(connection) or ""
        taken = [step.number for step in self.steps if step.is_post and step.number <= at]
        _write_oldest(connection, max(taken, default=None))

    @contextmanager
    def _locked(self) -> Iterator[Connection]:
        with self._engine.connect() as connection, connection.begin():
            if not is_sqlite(self._engine):
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PG_WRITER_LOCK + 1})
            yield connection

    def _config(self, connection: Connection | None) -> Config:
        config = Config()
        config.set_main_option("script_location", str(FOLDER))
        config.set_main_option("path_separator", "os")
        config.set_main_option("version_locations", os.pathsep.join(str(folder) for folder in self._folders))
        config.attributes["connection"] = connection
        return config


def upgrade(engine: Engine, to: str = "head") -> None:
    """Take this version's steps: `Migrations.upgrade`."""
    Migrations(engine).upgrade(to)


def downgrade(engine: Engine, steps: int = 1) -> None:
    """Take back the latest steps: `Migrations.downgrade`."""
    Migrations(engine).downgrade(steps)


def current(connection: Connection) -> str | None:
    """Read which version a database is at; None = empty."""
    return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    """Say which version this code wants."""
    names = sorted(path.name for path in (FOLDER / "versions").glob("[0-9]*.py"))
    return _step(names[-1]).number if names else None


def _step(file_name: str) -> Step:
    match = _NAME.fullmatch(file_name)
    if match is None:
        raise ValueError(f"migration {file_name}: name it NNNN_pre_words.py or NNNN_post_words.py")
    return Step(number=match[1], is_post=match[2] == "post", name=file_name.removesuffix(".py"))


def _read_oldest(connection: Connection) -> str | None:
    if connection.dialect.name == "sqlite":
        number = int(connection.execute(text("PRAGMA user_version")).scalar_one())
        return f"{number:04}" if number else None
    comment = connection.execute(
        text("SELECT obj_description(to_regclass('alembic_version'), 'pg_class')")
    ).scalar_one_or_none()
    return None if comment is None else str(comment).rsplit(" ", 1)[-1]


def _write_oldest(connection: Connection, number: str | None) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(text(f"PRAGMA user_version = {int(number or 0)}"))
    else:
        comment = "NULL" if number is None else f"'oldest version that may work here: {number}'"
        connection.execute(text(f"COMMENT ON TABLE alembic_version IS {comment}"))
