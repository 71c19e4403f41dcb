"""Notes in other help desks, what is remarked there, and which thread is which conversation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "notes",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("conversation_id", sa.String(length=200), nullable=False),
        sa.Column("thread", sa.String(length=500), nullable=False),
        sa.Column("hold_id", sa.String(length=200), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("is_only", sa.Boolean(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("provider_id", sa.String(length=500), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    op.create_index("ix_notes_hold_id", "notes", ["hold_id"])
    op.create_index("ix_notes_conversation_id", "notes", ["conversation_id", "created_at"])
    to_write = sa.text("state IN ('pending', 'writing')")
    op.create_index("ix_notes_due", "notes", ["due_at"], sqlite_where=to_write, postgresql_where=to_write)
    op.create_table(
        "remarks",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("provider_id", sa.String(length=500), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("thread", sa.String(length=500), nullable=True),
        sa.Column("external_id", sa.String(length=500), nullable=True),
        sa.Column("author", sa.String(length=500), nullable=True),
        sa.Column("author_name", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remarks")),
        sa.UniqueConstraint("channel", "provider_id", name=op.f("uq_remarks_channel_provider_id")),
    )
    received = sa.text("state IN ('received')")
    op.create_index("ix_remarks_due", "remarks", ["due_at"], sqlite_where=received, postgresql_where=received)
    op.create_table(
        "note_threads",
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("external_id", sa.String(length=500), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "name", name=op.f("pk_note_threads")),
    )
    op.create_index("ix_note_threads_external_id", "note_threads", ["channel", "external_id"])


def downgrade() -> None:
    op.drop_table("note_threads")
    op.drop_table("remarks")
    op.drop_table("notes")
