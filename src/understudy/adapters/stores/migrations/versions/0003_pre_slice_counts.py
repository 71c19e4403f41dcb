"""Decisions counted by slice, so that a quota is looked up; and indexes in the words that today's questions repeat."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Count what was decided so far, by ten seconds; what an older program decides from now on is not counted."""
    op.create_table(
        "slice_counts",
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "channel", "kind", "began_at", name=op.f("pk_slice_counts")),
    )
    op.execute(
        "INSERT INTO slice_counts (topic, channel, kind, began_at, count) "
        "SELECT coalesce(topic, ''), channel, decision, decided_at - decided_at % 10000000, count(*) FROM turns "
        "WHERE decision IN ('degrade', 'deliver') AND decided_at IS NOT NULL GROUP BY 1, 2, 3, 4"
    )
    _create_index("ix_turns_assessing", ["topic", "channel"], "state = 'assessing'")
    # SQLite takes a partial index only where the question has its words in the same order.
    op.drop_index("ix_turns_automatic", table_name="turns")
    _create_index("ix_turns_automatic", ["topic", "channel", "decided_at"], "decision IN ('degrade', 'deliver')")
    op.drop_index("ix_turns_working", table_name="turns")
    _create_index("ix_turns_working", ["due_at"], "state IN ('assessing', 'collecting', 'drafting', 'gathering')")


def downgrade() -> None:
    op.drop_index("ix_turns_working", table_name="turns")
    _create_index("ix_turns_working", ["due_at"], "state IN ('collecting', 'drafting', 'gathering', 'assessing')")
    op.drop_index("ix_turns_automatic", table_name="turns")
    _create_index("ix_turns_automatic", ["topic", "channel", "decided_at"], "decision IN ('deliver', 'degrade')")
    op.drop_index("ix_turns_assessing", table_name="turns")
    op.drop_table("slice_counts")


def _create_index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "turns", columns, unique=False, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
