"""What autonomy is earned with: candidates, epochs, calibrators, stops."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _candidates()
    _epochs()
    op.create_table(
        "calibrators",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("adopted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibrators")),
    )
    op.create_table(
        "stops",
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "channel", name=op.f("pk_stops")),
    )


def downgrade() -> None:
    for table in ("stops", "calibrators", "epochs", "candidates"):
        op.drop_table(table)


def _candidates() -> None:
    op.create_table(
        "candidates",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("turn_id", sa.String(length=200), nullable=False),
        sa.Column("conversation_id", sa.String(length=200), nullable=False),
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("release", sa.String(length=200), nullable=False),
        sa.Column("calibrator", sa.String(length=64), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("signals", sa.Text(), nullable=False),
        sa.Column("is_delivered", sa.Boolean(), nullable=False),
        sa.Column("is_sampled", sa.Boolean(), nullable=False),
        sa.Column("rate", sa.Float(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("second_due_at", sa.BigInteger()),
        sa.Column("label", sa.Text()),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_candidates")),
    )
    op.create_index("ix_candidates_turn_id", "candidates", ["turn_id"], unique=False)
    op.create_index("ix_candidates_slice", "candidates", ["topic", "release", "channel", "seq"], unique=False)
    _partial("ix_candidates_awaited", ["due_at"], "label IS NULL AND is_sampled")
    _partial("ix_candidates_second", ["second_due_at"], "second_due_at IS NOT NULL")


def _epochs() -> None:
    op.create_table(
        "epochs",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("release", sa.String(length=200), nullable=False),
        sa.Column("calibrator", sa.String(length=64), nullable=False),
        sa.Column("targets", sa.Text(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("consumed", sa.BigInteger(), nullable=False),
        sa.Column("progress", sa.Text(), nullable=False),
        sa.Column("earned", sa.String(length=40)),
        sa.Column("threshold", sa.Float()),
        sa.Column("audit_rate", sa.Float()),
        sa.Column("burst_left", sa.Integer(), nullable=False),
        sa.Column("has_harm", sa.Boolean(), nullable=False),
        sa.Column("certified_at", sa.BigInteger()),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("proposal", sa.Text()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("ended_why", sa.String(length=100)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_epochs")),
    )
    op.create_index("ix_epochs_slice", "epochs", ["topic", "channel", "began_at"], unique=False)
    op.create_index(
        "uq_epochs_open",
        "epochs",
        ["topic", "channel", "release"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _partial(name: str, columns: list[str], where: str) -> None:
    op.create_index(
        name, "candidates", columns, unique=False, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )
