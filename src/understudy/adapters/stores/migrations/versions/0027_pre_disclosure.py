"""What a message told of the AI that wrote it, and whose work it is; who wants no messages; who was asked how it was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

TABLES = ("messages", "outbox")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("origin", sa.String(length=40), nullable=True))
        op.add_column(table, sa.Column("disclosure", sa.Text(), nullable=True))
    op.create_table(
        "opt_outs",
        sa.Column("contact_id", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("conversation_id", sa.String(length=200), nullable=False),
        sa.Column("said", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("confirmation", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("contact_id", "channel", name=op.f("pk_opt_outs")),
    )
    op.create_table(
        "surveys",
        sa.Column("turn_id", sa.String(length=200), nullable=False),
        sa.Column("contact_id", sa.String(length=200), nullable=False),
        sa.Column("conversation_id", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("alone", sa.Boolean(), nullable=False),
        sa.Column("scale", sa.String(length=40), nullable=False),
        sa.Column("question", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("outbox_id", sa.String(length=200), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("turn_id", name=op.f("pk_surveys")),
    )
    for column in ("contact_id", "conversation_id", "at"):
        op.create_index(op.f(f"ix_surveys_{column}"), "surveys", [column])


def downgrade() -> None:
    op.drop_table("surveys")
    op.drop_table("opt_outs")
    for table in TABLES:
        op.drop_column(table, "disclosure")
        op.drop_column(table, "origin")
