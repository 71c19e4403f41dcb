"""What each group of steps changed, for the writers of other processes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.create_table(
        "marks",
        sa.Column("head", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("head", name=op.f("pk_marks")),
    )


def downgrade() -> None:
    op.drop_table("marks")
