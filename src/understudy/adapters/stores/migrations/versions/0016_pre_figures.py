"""How customers were answered is counted over any span of time without reading every turn's documents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

DECIDED = ["decided_at", "topic", "channel", "agent_version", "decision", "state", "created_at", "finished_at"]
INDEXES = (
    ("ix_turns_decided", "turns", DECIDED, "decided_at IS NOT NULL"),
    ("ix_turns_found", "turns", ["decided_at"], "findings != '[]'"),
    ("ix_holds_raised", "holds", ["raised_at"], "raised_at IS NOT NULL"),
    ("ix_holds_given_up", "holds", ["created_at"], "kind IN ('hand_off', 'unsure_send')"),
    ("ix_feedback_at", "feedback", ["at"], None),
)


def upgrade() -> None:
    op.add_column("turns", sa.Column("findings", sa.Text(), nullable=False, server_default="[]"))
    for name, table, columns, only in INDEXES:
        where = None if only is None else sa.text(only)
        op.create_index(name, table, columns, unique=False, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, table, _, _ in reversed(INDEXES):
        op.drop_index(name, table_name=table)
    op.drop_column("turns", "findings")
