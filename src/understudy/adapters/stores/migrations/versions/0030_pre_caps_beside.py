"""What else a contact gets people for, beside their wish."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

COLUMNS = ("beside", "beside_turn_id", "beside_at")


def upgrade() -> None:
    op.add_column("caps", sa.Column("beside", sa.String(length=40), nullable=True))
    op.add_column("caps", sa.Column("beside_turn_id", sa.String(length=200), nullable=True))
    op.add_column("caps", sa.Column("beside_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_column("caps", name)
