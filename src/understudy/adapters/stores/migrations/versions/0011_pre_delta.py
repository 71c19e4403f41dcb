"""Redrafts: which turns of the past a release drafts for once more, and of which draft each of them is one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

NAME, RELEASE = sa.String(length=200), sa.String(length=64)


def upgrade() -> None:
    op.add_column("candidates", sa.Column("redraft_of", sa.BigInteger(), nullable=True))
    awaited = sa.text("redraft_of IS NOT NULL AND label IS NULL")
    op.create_index(
        "ix_candidates_redrafts",
        "candidates",
        ["topic", "release", "channel", "seq"],
        unique=False,
        sqlite_where=awaited,
        postgresql_where=awaited,
    )
    op.create_table(
        "redrafts",
        sa.Column("release_id", RELEASE, nullable=False),
        sa.Column("topic", NAME, nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("release_id", "topic", "channel", name=op.f("pk_redrafts")),
    )
    op.create_index("ix_redrafts_slice", "redrafts", ["topic", "channel"], unique=False)


def downgrade() -> None:
    op.drop_table("redrafts")
    op.drop_index("ix_candidates_redrafts", table_name="candidates")
    op.drop_column("candidates", "redraft_of")
