"""Channels that are fetched from, by whom and how far; and what came around letters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "pulls",
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_pulls")),
    )
    op.create_table(
        "envelopes",
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_envelopes")),
    )


def downgrade() -> None:
    op.drop_table("envelopes")
    op.drop_table("pulls")
