"""Drafts with a label are found by their place, however many have none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_index(
        "ix_candidates_judged",
        "candidates",
        ["seq"],
        unique=False,
        sqlite_where=sa.text("label IS NOT NULL AND is_sampled"),
        postgresql_where=sa.text("label IS NOT NULL AND is_sampled"),
    )


def downgrade() -> None:
    op.drop_index("ix_candidates_judged", table_name="candidates")
