"""Requests to agents, counted for all processes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "agent_calls",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_calls")),
    )
    op.create_index("ix_agent_calls_agent_began_at", "agent_calls", ["agent", "began_at"], unique=False)
    op.create_index("ix_agent_calls_agent_until", "agent_calls", ["agent", "until"], unique=False)


def downgrade() -> None:
    op.drop_table("agent_calls")
