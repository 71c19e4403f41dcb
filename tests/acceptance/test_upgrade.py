"""A rolling upgrade as docs/how-to/upgrade.md has it: old and new programs on one PostgreSQL, and no moment without either.

The old program is this one. The new one is a copy of its source with two more steps of the schema, a *pre* and a *post*.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import understudy as package

SERVE = ("serve", "--port", "0")
SOURCE = Path(package.__file__).parent
STEPS = "adapters/stores/migrations/versions"
HEAD = max(path.name[:4] for path in (SOURCE / STEPS).glob("[0-9]*.py"))
PRE, POST = (f"{int(HEAD) + more:04}" for more in (1, 2))

ADDS = f'''
"""Add a column that may be empty."""
import sqlalchemy as sa
from alembic import op
revision, down_revision = "{PRE}", "{HEAD}"
def upgrade():
    op.add_column("turns", sa.Column("mood", sa.Text(), nullable=True))
def downgrade():
    op.drop_column("turns", "mood")
'''
TAKES_AWAY = f'''
"""Take away an index."""
from alembic import op
revision, down_revision = "{POST}", "{PRE}"
def upgrade():
    op.drop_index("ix_turns_conversation_id_position", "turns")
def downgrade():
    op.create_index("ix_turns_conversation_id_position", "turns", ["conversation_id", "position"])
'''


@pytest.fixture
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the new program's source."""
    folder = tmp_path_factory.mktemp("newer")
    shutil.copytree(SOURCE, folder / "understudy", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "understudy" / STEPS / f"{PRE}_pre_mood.py").write_text(ADDS, encoding="utf-8")
    (folder / "understudy" / STEPS / f"{POST}_post_index.py").write_text(TAKES_AWAY, encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.postgres
def test_a_rolling_upgrade_answers_every_message(build_house: Callable[..., Any], newer: Path) -> None:
    house = build_house(more="migrate_at_start = false")
    house.must("migrate", "--to", "post")
    old = house.start(*SERVE)
    at_old = house.url
    house.write("0 seconds, before")
    house.write("until told, on its way")
    house.until(lambda: len(house.asked) == 2)

    house.must("migrate", "--to", "pre", program=newer)
    new = house.start(*SERVE, program=newer)
    for number in range(5):
        house.write(f"0 seconds, to the old one, {number}", url=at_old)
        house.write(f"0 seconds, to the new one, {number}")
    house.tell()
    house.until(lambda: len(house.sink.texts) == 12)
    old.terminate()
    assert old.wait(60) == 0

    house.must("migrate", "--to", "post", program=newer)
    house.write("0 seconds, after")
    house.until(lambda: house.answered("0 seconds, after"))
    assert {pid for pid, _ in house.asked} == {old.pid, new.pid}
    assert len(house.sink.texts) == len(set(house.sink.texts)) == 13


@pytest.mark.slow
@pytest.mark.postgres
def test_the_way_back_is_open_until_the_post_step(build_house: Callable[..., Any], newer: Path) -> None:
    house = build_house()
    new = house.start(*SERVE, program=newer)  # the first to start takes the pre step
    house.write("0 seconds, by the new one")
    house.until(lambda: house.answered("0 seconds, by the new one"))
    new.terminate()
    new.wait(60)
    old = house.start(*SERVE)
    house.write("0 seconds, by the old one again")
    house.until(lambda: house.answered("0 seconds, by the old one again"))
    old.terminate()
    old.wait(60)
    house.must("migrate", "--to", "post", program=newer)
    code, said = house.run(*SERVE)
    assert code == 3
    assert "the database is too new" in said
    assert POST in said
