"""What was made of what reached customers badly: a correction that a person may send."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

LONG = ("id", "contact_id", "conversation_id", "turn_id")


def upgrade() -> None:
    op.create_table(
        "win_backs",
        *(sa.Column(name, sa.String(length=200), nullable=False) for name in LONG),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("hold_id", sa.String(length=200), nullable=True),
        sa.Column("text_id", sa.String(length=200), nullable=True),
        sa.Column("language", sa.String(length=40), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("facts", sa.Text(), nullable=True),
        sa.Column("shut_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("by", sa.String(length=200), nullable=True),
        sa.Column("why", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_win_backs")),
        sa.UniqueConstraint("contact_id", "turn_id", name=op.f("uq_win_backs_contact_id_turn_id")),
    )
    op.create_index(op.f("ix_win_backs_at"), "win_backs", ["at"])
    op.create_index(op.f("ix_win_backs_hold_id"), "win_backs", ["hold_id"])
    is_open = sa.text("state IN ('noticed', 'proposed')")
    op.create_index("ix_win_backs_open", "win_backs", ["at"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_index(op.f("ix_caps_at"), "caps", ["at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_caps_at"), "caps")
    op.drop_table("win_backs")
