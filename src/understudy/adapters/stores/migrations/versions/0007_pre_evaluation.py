"""Runs of suites, their trials, and what gates said."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

NAME, MOMENT = sa.String(length=200), sa.BigInteger()


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", NAME, nullable=False),
        sa.Column("suite", NAME, nullable=False),
        sa.Column("suite_digest", sa.String(length=64), nullable=False),
        sa.Column("release", NAME, nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("began_at", MOMENT, nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_index("ix_runs_release", "runs", ["release", "suite", "began_at"], unique=False)
    op.create_table(
        "trials",
        sa.Column("run_id", NAME, nullable=False),
        sa.Column("case_id", NAME, nullable=False),
        sa.Column("trial", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "case_id", "trial", name=op.f("pk_trials")),
    )
    op.create_table(
        "gates",
        sa.Column("id", NAME, nullable=False),
        sa.Column("suite", NAME, nullable=False),
        sa.Column("candidate", NAME, nullable=False),
        sa.Column("verdict", sa.String(length=40), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gates")),
    )
    op.create_index("ix_gates_candidate", "gates", ["candidate", "at"], unique=False)


def downgrade() -> None:
    op.drop_table("gates")
    op.drop_table("trials")
    op.drop_table("runs")
