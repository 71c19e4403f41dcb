"""Tickets that are opened in systems of record for hand-offs, and what those systems answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "tickets",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("system", sa.String(length=100), nullable=False),
        sa.Column("hold_id", sa.String(length=200), nullable=False),
        sa.Column("turn_id", sa.String(length=200), nullable=False),
        sa.Column("conversation_id", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("tried_at", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.String(length=500), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("ordered", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
    )
    waits = sa.text("state IN ('pending', 'sending')")
    op.create_index(op.f("ix_tickets_conversation_id"), "tickets", ["conversation_id"])
    op.create_index("ix_tickets_hold_id", "tickets", ["hold_id", "system"], unique=True)
    op.create_index("ix_tickets_due", "tickets", ["due_at"], sqlite_where=waits, postgresql_where=waits)
    op.create_index("ix_tickets_state", "tickets", ["state", "created_at"])
    op.create_table(
        "contracts",
        sa.Column("system", sa.String(length=100), nullable=False),
        sa.Column("about", sa.String(length=40), nullable=False),
        sa.Column("shape", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("system", "about", name=op.f("pk_contracts")),
    )


def downgrade() -> None:
    op.drop_table("contracts")
    op.drop_table("tickets")
