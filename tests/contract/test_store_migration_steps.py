"""Steps before and after the programs are replaced: old and new ones work side by side, and nobody starts where it cannot.

Today's steps are the old program's; two made-up ones after them, a *pre* and a *post*, are what a new program brings.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, text

from understudy.adapters.stores.engine import open_engine
from understudy.adapters.stores.migrate import FOLDER, Migrations
from understudy.adapters.stores.sql_store import SqlStore
from understudy.errors import ConfigurationError

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
HEAD = max(path.name[:4] for path in (FOLDER / "versions").glob("[0-9]*.py"))
PRE, POST = (f"{int(HEAD) + more:04}" for more in (1, 2))

ADDS = '''
"""Add a column that may be empty."""
import sqlalchemy as sa
from alembic import op
revision, down_revision = "{PRE}", "{HEAD}"
def upgrade():
    op.add_column("turns", sa.Column("mood", sa.Text(), nullable=True))
def downgrade():
    with op.batch_alter_table("turns") as batch:
        batch.drop_column("mood")
'''
TAKES_AWAY = '''
"""Take away an index."""
from alembic import op
revision, down_revision = "{POST}", "{PRE}"
def upgrade():
    op.drop_index("ix_turns_conversation_id_position", "turns")
def downgrade():
    op.create_index("ix_turns_conversation_id_position", "turns", ["conversation_id", "position"])
'''


@pytest.fixture
def engine(empty_url: str) -> Iterator[Engine]:
    opened = open_engine(empty_url)
    yield opened
    opened.dispose()


@pytest.fixture
def old(engine: Engine) -> Migrations:
    return Migrations(engine)


@pytest.fixture
def new(engine: Engine, tmp_path: Path) -> Migrations:
    folder = tmp_path / "versions"
    folder.mkdir()
    for name, script in ((f"{PRE}_pre_mood.py", ADDS), (f"{POST}_post_index.py", TAKES_AWAY)):
        (folder / name).write_text(script.format(HEAD=HEAD, PRE=PRE, POST=POST), encoding="utf-8")
    return Migrations(engine, folders=(FOLDER / "versions", folder))


def columns(engine: Engine) -> set[str]:
    return {column["name"] for column in inspect(engine).get_columns("turns")}


def work(url: str, make: Any, *, store: SqlStore | None = None) -> list[Any]:
    """What a program of today does: write a turn, read all back. A running one is named by its `store`."""
    used = store or SqlStore(url)

    def step(tx: Any) -> None:
        hold = make.hold(tx)
        tx.verdicts.add(make.verdict(hold))
        tx.turns.touch(tx.turns.get(hold.turn_id), topic="orders")
        make.entry(tx)
        tx.ledger.append("test.worked", at=NOW)

    used.write_now(step)
    turns = used.read_now(lambda tx: tx.turns.listed(after=0, limit=100))
    if store is None:
        used.close_now()
    return turns


def test_the_first_new_program_takes_the_pre_step_and_leaves_the_post_step(new: Migrations, engine: Engine) -> None:
    new.prepare()
    assert "mood" in columns(engine)
    assert [step.number for step in new.state().pending] == [POST]


def test_a_database_that_must_not_be_changed_at_the_start_is_refused_and_not_changed(
    old: Migrations, new: Migrations, engine: Engine
) -> None:
    old.prepare()
    with pytest.raises(ConfigurationError, match=r"too old.*migrate --to pre"):
        new.prepare(may_change=False)
    assert "mood" not in columns(engine)
    old.prepare(may_change=False)


def test_an_empty_database_that_must_not_be_changed_is_refused(old: Migrations) -> None:
    with pytest.raises(ConfigurationError, match="version none"):
        old.prepare(may_change=False)


def test_old_and_new_programs_work_side_by_side_between_pre_and_post(
    old: Migrations, new: Migrations, empty_url: str, make: Any
) -> None:
    old.prepare()
    running = SqlStore(empty_url)
    work(empty_url, make, store=running)
    new.prepare()
    assert len(work(empty_url, make)) == 2, "a new program works"
    assert len(work(empty_url, make, store=running)) == 3, "an old one that ran all along goes on"
    running.close_now()
    old.prepare()
    assert len(work(empty_url, make)) == 4, "an old one starts"


def test_an_old_program_does_not_start_after_the_post_step(old: Migrations, new: Migrations) -> None:
    old.prepare()
    new.upgrade("post")
    with pytest.raises(ConfigurationError, match=rf"too new.*{POST} is the oldest"):
        old.prepare()
    new.prepare()


def test_a_filled_database_goes_down_step_by_step_and_old_programs_start_again(
    old: Migrations, new: Migrations, engine: Engine, empty_url: str, make: Any
) -> None:
    old.prepare()
    before = work(empty_url, make)
    new.upgrade("head")
    new.downgrade()
    assert [step.number for step in new.state().pending] == [POST]
    old.prepare()
    new.downgrade()
    assert "mood" not in columns(engine)
    assert old.state().at == HEAD
    after = work(empty_url, make)
    assert after[: len(before)] == before


def test_what_an_old_program_does_not_know_it_neither_takes_nor_takes_back(old: Migrations, new: Migrations) -> None:
    new.prepare()
    for change in (old.upgrade, old.downgrade):
        with pytest.raises(ConfigurationError, match=PRE):
            change()
    assert old.state().is_newer
    assert old.state().at == PRE


def test_upgrading_to_pre_never_goes_down(new: Migrations) -> None:
    new.upgrade("post")
    new.upgrade("pre")
    assert new.state().at == POST


def test_a_step_that_does_not_exist_is_named(old: Migrations) -> None:
    with pytest.raises(ConfigurationError, match="nowhere"):
        old.upgrade("nowhere")


def test_a_step_that_breaks_leaves_the_database_as_it_was(old: Migrations, new: Migrations, engine: Engine) -> None:
    old.prepare()
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_turns_conversation_id_position"))
    with pytest.raises(Exception, match="ix_turns_conversation_id_position"):
        new.upgrade("post")
    assert new.state().at == HEAD
    assert new.state().oldest is None
    assert "mood" not in columns(engine)


def test_every_step_says_in_its_name_where_it_belongs(old: Migrations) -> None:
    steps = old.steps
    assert [step.number for step in steps] == [f"{number:04}" for number in range(1, len(steps) + 1)]
    assert not steps[0].is_post
