"""What a message told of the AI that wrote it, and whose work it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0023"

TABLES = ("messages", "outbox")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("origin", sa.String(length=40), nullable=True))
        op.add_column(table, sa.Column("disclosure", sa.Text(), nullable=True))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "disclosure")
        op.drop_column(table, "origin")
