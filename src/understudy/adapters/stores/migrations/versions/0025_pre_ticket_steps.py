"""What open tickets are told once their hand-off is over, and whether it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("tickets", sa.Column("is_over", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("tickets", sa.Column("given_to", sa.String(length=200), nullable=True))
    is_open = sa.text("state = 'opened' AND NOT is_over")
    op.execute("UPDATE tickets SET is_over = true")  # of what was opened before, nobody is told afterwards
    op.create_index("ix_tickets_open", "tickets", ["created_at"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_table(
        "ticket_steps",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("ticket_id", sa.String(length=200), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("system", sa.String(length=100), nullable=False),
        sa.Column("turn_id", sa.String(length=200), nullable=False),
        sa.Column("conversation_id", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("tried_at", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("ordered", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_steps")),
        sa.UniqueConstraint("ticket_id", "place", name=op.f("uq_ticket_steps_ticket_id_place")),
    )
    waits = sa.text("state IN ('pending', 'sending')")
    op.create_index("ix_ticket_steps_due", "ticket_steps", ["due_at"], sqlite_where=waits, postgresql_where=waits)
    op.create_index("ix_ticket_steps_state", "ticket_steps", ["state", "created_at"])


def downgrade() -> None:
    op.drop_table("ticket_steps")
    op.drop_index("ix_tickets_open", "tickets")
    op.drop_column("tickets", "given_to")
    op.drop_column("tickets", "is_over")
