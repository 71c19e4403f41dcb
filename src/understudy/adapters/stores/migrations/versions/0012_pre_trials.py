"""What servers were asked to try: spread runs, who makes which trial, pending gates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

NAME, STATE, MOMENT = sa.String(length=200), sa.String(length=40), sa.BigInteger()


def upgrade() -> None:
    op.create_table(
        "spread_runs",
        sa.Column("id", NAME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("release", NAME, nullable=False),
        sa.Column("suite", NAME, nullable=False),
        sa.Column("suite_digest", sa.String(length=64), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("refused", sa.Text()),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spread_runs")),
    )
    _index("ix_spread_runs_unfinished", "spread_runs", ["asked_at"], where="state IN ('open', 'waiting')")
    op.create_index("ix_spread_runs_content", "spread_runs", ["release", "suite", "suite_digest"], unique=False)
    op.create_table(
        "spread_trials",
        sa.Column("run_id", NAME, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("case_id", NAME, nullable=False),
        sa.Column("trial", sa.Integer(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("due_at", MOMENT),
        sa.Column("is_error", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "place", name=op.f("pk_spread_trials")),
    )
    op.create_index("ix_spread_trials_due", "spread_trials", ["run_id", "due_at"], unique=False)
    op.create_table(
        "pending_gates",
        sa.Column("id", NAME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", STATE, nullable=False),
        sa.Column("candidate", NAME, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_gates")),
    )
    _index("uq_pending_gates_candidate", "pending_gates", ["candidate"], where="state = 'pending'", unique=True)
    _index("ix_pending_gates_untold", "pending_gates", ["asked_at"], where="state IN ('judged', 'pending')")
    op.create_index("ix_pending_gates_of", "pending_gates", ["candidate", "asked_at"], unique=False)


def downgrade() -> None:
    for table in ("pending_gates", "spread_trials", "spread_runs"):
        op.drop_table(table)


def _index(name: str, table: str, columns: list[str], *, where: str, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
