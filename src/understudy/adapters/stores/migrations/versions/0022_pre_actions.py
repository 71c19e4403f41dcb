"""Actions that agents propose, and what reviewers make of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

NAME, MOMENT = sa.String(length=200), sa.BigInteger()
OPEN = sa.text("state IN ('approved', 'executing', 'unknown')")
DUE = sa.text("state IN ('approved', 'executing')")


def upgrade() -> None:
    op.add_column("verdicts", sa.Column("actions", sa.Text(), nullable=True))
    op.create_table(
        "actions",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=250), nullable=False),
        sa.Column("turn_id", NAME, nullable=False),
        sa.Column("conversation_id", NAME, nullable=False),
        sa.Column("contact_id", NAME, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("is_unsure", sa.Boolean(), nullable=False),
        sa.Column("is_edited", sa.Boolean(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("called_at", MOMENT, nullable=True),
        sa.Column("approved_by", NAME, nullable=True),
        sa.Column("approved_at", MOMENT, nullable=True),
        sa.Column("provider_id", sa.String(length=500), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_actions")),
        sa.UniqueConstraint("id", name=op.f("uq_actions_id")),
    )
    op.create_index(op.f("ix_actions_turn_id"), "actions", ["turn_id"], unique=False)
    op.create_index("ix_actions_conversation", "actions", ["conversation_id", "seq"], unique=False)
    op.create_index(
        "ix_actions_open", "actions", ["conversation_id", "seq"], unique=False, sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_index("ix_actions_due", "actions", ["due_at"], unique=False, sqlite_where=DUE, postgresql_where=DUE)
    op.create_index("ix_actions_used", "actions", ["name", "approved_at"], unique=False)


def downgrade() -> None:
    op.drop_table("actions")
    op.drop_column("verdicts", "actions")
