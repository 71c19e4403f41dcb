"""What became of a slice is found in the ledger by its kind, however long the ledger is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

OF_AUTONOMY = (
    "event IN ('autonomy.began', 'autonomy.burst', 'autonomy.declined', 'autonomy.ended', 'autonomy.promoted', "
    "'autonomy.proposed', 'autonomy.resumed', 'autonomy.stopped')"
)


def upgrade() -> None:
    op.create_index(
        "ix_ledger_autonomy",
        "ledger",
        ["seq"],
        unique=False,
        sqlite_where=sa.text(OF_AUTONOMY),
        postgresql_where=sa.text(OF_AUTONOMY),
    )


def downgrade() -> None:
    op.drop_index("ix_ledger_autonomy", table_name="ledger")
