"""Who customers are: verified handles, links between contacts, one-time codes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "handles",
        sa.Column("contact_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=500), nullable=False),
        sa.Column("how", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("verified_at", sa.BigInteger(), nullable=False),
        sa.Column("verified_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", "kind", "value", name=op.f("pk_handles")),
    )
    op.create_index("ix_handles_kind_value", "handles", ["kind", "value"])
    op.create_table(
        "links",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("one", sa.String(length=200), nullable=False),
        sa.Column("other", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("said_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.UniqueConstraint("one", "other", name=op.f("uq_links_one_other")),
    )
    op.create_index(op.f("ix_links_other"), "links", ["other"])
    op.create_index(
        "ix_links_proposed",
        "links",
        ["at"],
        sqlite_where=sa.text("state IN ('proposed')"),
        postgresql_where=sa.text("state IN ('proposed')"),
    )
    op.create_table(
        "codes",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("conversation_id", sa.String(length=200), nullable=False),
        sa.Column("contact_id", sa.String(length=200), nullable=False),
        sa.Column("holder_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=500), nullable=False),
        sa.Column("outbox_id", sa.String(length=200), nullable=False),
        sa.Column("hashes", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_codes")),
        sa.UniqueConstraint("outbox_id", name=op.f("uq_codes_outbox_id")),
    )
    op.create_index("ix_codes_conversation_id", "codes", ["conversation_id", "created_at"])
    op.create_index("ix_codes_kind_value", "codes", ["kind", "value", "created_at"])


def downgrade() -> None:
    for table in ("codes", "links", "handles"):
        op.drop_table(table)
