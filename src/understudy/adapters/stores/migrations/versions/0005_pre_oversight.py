"""How well people review, what customers say, and who gets people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

NAME, CHANNEL = sa.String(length=200), sa.String(length=100)
CHOICE, MOMENT = sa.String(length=40), sa.BigInteger()


def upgrade() -> None:
    op.add_column("holds", sa.Column("claimed_at", MOMENT))
    op.create_index("ix_verdicts_at", "verdicts", ["at"], unique=False)
    _seeds()
    _reviews()
    _customers()


def downgrade() -> None:
    for table in ("caps", "frequencies", "feedback", "discounts", "second_reviews", "barred", "judgements", "seeds"):
        op.drop_table(table)
    op.drop_index("ix_verdicts_at", table_name="verdicts")
    op.drop_column("holds", "claimed_at")


def _seeds() -> None:
    op.create_table(
        "seeds",
        sa.Column("id", NAME, nullable=False),
        sa.Column("origin", CHOICE, nullable=False),
        sa.Column("source", NAME, nullable=False),
        sa.Column("topic", NAME, nullable=False),
        sa.Column("channel", CHANNEL, nullable=False),
        sa.Column("added_by", NAME, nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("body", sa.Text()),
        sa.Column("planted_at", MOMENT),
        sa.Column("turn_id", NAME),
        sa.Column("hold_id", NAME),
        sa.Column("outcome", CHOICE),
        sa.Column("verdict", CHOICE),
        sa.Column("reviewer", NAME),
        sa.Column("judged_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seeds")),
        sa.UniqueConstraint("source", name=op.f("uq_seeds_source")),
    )
    op.create_index("ix_seeds_turn_id", "seeds", ["turn_id"], unique=False)
    where = sa.text("planted_at IS NULL")
    op.create_index(
        "ix_seeds_unplanted", "seeds", ["added_at"], unique=False, sqlite_where=where, postgresql_where=where
    )


def _reviews() -> None:
    op.create_table(
        "judgements",
        sa.Column("verdict_id", NAME, nullable=False),
        sa.Column("reviewer", NAME, nullable=False),
        sa.Column("hold_kind", CHOICE, nullable=False),
        sa.Column("kind", CHOICE, nullable=False),
        sa.Column("took_s", sa.Float(), nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("verdict_id", name=op.f("pk_judgements")),
    )
    op.create_index("ix_judgements_reviewer", "judgements", ["reviewer", "at"], unique=False)
    op.create_index("ix_judgements_at", "judgements", ["at"], unique=False)
    op.create_table(
        "barred",
        sa.Column("hold_id", NAME, nullable=False),
        sa.Column("reviewer", NAME, nullable=False),
        sa.PrimaryKeyConstraint("hold_id", "reviewer", name=op.f("pk_barred")),
    )
    op.create_table(
        "second_reviews",
        sa.Column("hold_id", NAME, nullable=False),
        sa.Column("candidate", sa.BigInteger(), nullable=False),
        sa.Column("turn_id", NAME, nullable=False),
        sa.Column("first_by", NAME),
        sa.Column("second_by", NAME),
        sa.Column("first", sa.Text(), nullable=False),
        sa.Column("second", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_second_reviews")),
    )
    for column in ("first_by", "second_by", "at"):
        op.create_index(f"ix_second_reviews_{column}", "second_reviews", [column], unique=False)
    op.create_table(
        "discounts",
        sa.Column("reviewer", NAME, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("reviewer", name=op.f("pk_discounts")),
    )


def _customers() -> None:
    op.create_table(
        "feedback",
        sa.Column("turn_id", NAME, nullable=False),
        sa.Column("kind", CHOICE, nullable=False),
        sa.Column("by", NAME, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("turn_id", "kind", name=op.f("pk_feedback")),
    )
    op.create_table(
        "frequencies",
        sa.Column("topic", NAME, nullable=False),
        sa.Column("channel", CHANNEL, nullable=False),
        sa.Column("stir", CHOICE, nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("replies", sa.Integer(), nullable=False),
        sa.Column("stirs", sa.Integer(), nullable=False),
        sa.Column("usual", sa.Float()),
        sa.Column("watch", sa.Text()),
        sa.Column("rises", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "channel", "stir", name=op.f("pk_frequencies")),
    )
    op.create_table(
        "caps",
        sa.Column("contact_id", NAME, nullable=False),
        sa.Column("cause", CHOICE, nullable=False),
        sa.Column("turn_id", NAME),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("good", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_caps")),
    )
