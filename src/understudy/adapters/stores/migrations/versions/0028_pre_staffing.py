"""Whose a hand-off is and how long it waits; who said that they are away."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.create_table(
        "assignments",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hold_id", sa.String(length=200), nullable=False),
        sa.Column("conversation_id", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("topic", sa.String(length=200), nullable=True),
        sa.Column("language", sa.String(length=20), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("waits_since", sa.BigInteger(), nullable=False),
        sa.Column("target_s", sa.Float(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("team", sa.String(length=200), nullable=True),
        sa.Column("person", sa.String(length=200), nullable=True),
        sa.Column("why", sa.String(length=40), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("assigned_at", sa.BigInteger(), nullable=True),
        sa.Column("lapses_at", sa.BigInteger(), nullable=True),
        sa.Column("is_taken", sa.Boolean(), nullable=False),
        sa.Column("keeper", sa.String(length=200), nullable=True),
        sa.Column("lost", sa.Text(), nullable=False),
        sa.Column("is_urged", sa.Boolean(), nullable=False),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("step_at", sa.BigInteger(), nullable=True),
        sa.Column("is_broken", sa.Boolean(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ending", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
    )
    for column in ("hold_id", "conversation_id"):
        op.create_index(op.f(f"ix_assignments_{column}"), "assignments", [column])
    is_live = sa.text("ended_at IS NULL")
    for name, columns in (
        ("live", ["conversation_id"]),
        ("waiting", ["priority", "waits_since"]),
        ("step_at", ["step_at"]),
        ("person", ["person"]),
    ):
        op.create_index(
            f"ix_assignments_{name}",
            "assignments",
            columns,
            unique=name == "live",
            sqlite_where=is_live,
            postgresql_where=is_live,
        )
    op.create_table(
        "availabilities",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("is_away", sa.Boolean(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
        sa.Column("said_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_availabilities")),
    )


def downgrade() -> None:
    op.drop_table("availabilities")
    op.drop_table("assignments")
