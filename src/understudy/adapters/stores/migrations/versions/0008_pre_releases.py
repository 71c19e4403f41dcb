"""Releases: how far each is, which conversation got which, what live signals and rehearsals have shown."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

NAME, RELEASE, MOMENT = sa.String(length=200), sa.String(length=64), sa.BigInteger()


def upgrade() -> None:
    op.create_table(
        "releases",
        sa.Column("id", RELEASE, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("agent", NAME, nullable=False),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
    )
    _one_of("uq_releases_full", "stage = 'full'")
    _one_of("uq_releases_candidate", "stage IN ('canary', 'shadow')")
    op.create_table(
        "release_choices",
        sa.Column("conversation_id", NAME, nullable=False),
        sa.Column("agent", NAME, nullable=False),
        sa.Column("release_id", RELEASE, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "agent", name=op.f("pk_release_choices")),
    )
    op.create_index("ix_release_choices_release", "release_choices", ["release_id", "at"], unique=False)
    op.create_table(
        "release_watches",
        sa.Column("release_id", RELEASE, nullable=False),
        sa.Column("consumed", MOMENT, nullable=False),
        sa.Column("progress", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("release_id", name=op.f("pk_release_watches")),
    )
    op.create_table(
        "rehearsals",
        sa.Column("release_id", RELEASE, nullable=False),
        sa.Column("turn_id", NAME, nullable=False),
        sa.Column("seq", MOMENT, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("release_id", "turn_id", name=op.f("pk_rehearsals")),
    )
    op.create_index("ix_rehearsals_release", "rehearsals", ["release_id", "seq"], unique=False)


def downgrade() -> None:
    for table in ("rehearsals", "release_watches", "release_choices", "releases"):
        op.drop_table(table)


def _one_of(name: str, where: str) -> None:
    op.create_index(
        name, "releases", ["agent"], unique=True, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )
