"""Who was erased since the file was last written anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.create_table(
        "rewrites",
        sa.Column("contact_id", sa.String(length=200), nullable=False),
        sa.Column("ordered_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_rewrites")),
    )


def downgrade() -> None:
    op.drop_table("rewrites")
