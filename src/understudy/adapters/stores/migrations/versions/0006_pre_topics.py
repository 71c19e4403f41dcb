"""What reviewers say a turn is about, and the models learned from it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("verdicts", sa.Column("topic", sa.String(length=200), nullable=True))
    op.create_index(
        "ix_verdicts_tagged",
        "verdicts",
        ["at"],
        unique=False,
        sqlite_where=sa.text("topic IS NOT NULL"),
        postgresql_where=sa.text("topic IS NOT NULL"),
    )
    op.create_table(
        "topic_models",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("adopted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic_models")),
    )


def downgrade() -> None:
    op.drop_table("topic_models")
    op.drop_index("ix_verdicts_tagged", table_name="verdicts")
    op.drop_column("verdicts", "topic")
