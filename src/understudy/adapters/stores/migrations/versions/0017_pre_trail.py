"""A turn's ledger entries are found by an index, and so are messages that were given up; processes say that they are at work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015"

HAS_TURN, IS_DEAD = sa.text("turn_id IS NOT NULL"), sa.text("state IN ('dead')")
MOMENT = sa.BigInteger()


def upgrade() -> None:
    op.create_index(
        "ix_ledger_turn", "ledger", ["turn_id", "seq"], sqlite_where=HAS_TURN, postgresql_where=HAS_TURN, unique=False
    )
    op.create_index("ix_outbox_dead", "outbox", ["seq"], sqlite_where=IS_DEAD, postgresql_where=IS_DEAD, unique=False)
    op.create_table(
        "processes",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("host", sa.String(length=200), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("does", sa.String(length=40), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("knows", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_processes")),
    )


def downgrade() -> None:
    op.drop_table("processes")
    op.drop_index("ix_outbox_dead", table_name="outbox")
    op.drop_index("ix_ledger_turn", table_name="ledger")
