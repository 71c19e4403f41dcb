"""The reviewers' desk: verdicts that can be taken back, drafts that say the same, views, keys, canned replies, who is there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

NAME, MOMENT = sa.String(length=200), sa.BigInteger()


def upgrade() -> None:
    op.add_column("holds", sa.Column("undo_until", MOMENT, nullable=True))
    op.add_column("holds", sa.Column("alike", sa.String(length=64), nullable=True))
    op.add_column("verdicts", sa.Column("bulk", NAME, nullable=True))
    op.add_column("verdicts", sa.Column("is_repeat", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "waiting_verdicts",
        sa.Column("hold_id", NAME, nullable=False),
        sa.Column("reviewer", NAME, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_waiting_verdicts")),
    )
    op.create_index("ix_waiting_verdicts_due_at", "waiting_verdicts", ["due_at"], unique=False)
    op.create_table(
        "desk_views",
        sa.Column("id", NAME, nullable=False),
        sa.Column("owner", NAME, nullable=False),
        sa.Column("by", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("shows", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_views")),
    )
    op.create_index("ix_desk_views_owner", "desk_views", ["owner"], unique=False)
    op.create_table(
        "desk_preferences",
        sa.Column("owner", NAME, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_desk_preferences")),
    )
    op.create_table(
        "canned_replies",
        sa.Column("id", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("changed_by", NAME, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canned_replies")),
    )
    op.create_table(
        "presences",
        sa.Column("owner", NAME, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("hold_id", NAME, nullable=True),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_presences")),
    )


def downgrade() -> None:
    for table in ("presences", "canned_replies", "desk_preferences", "desk_views", "waiting_verdicts"):
        op.drop_table(table)
    for table, column in (("verdicts", "is_repeat"), ("verdicts", "bulk"), ("holds", "alike"), ("holds", "undo_until")):
        op.drop_column(table, column)
