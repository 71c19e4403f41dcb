"""Which drafts repeat a conversation that is evidence already."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("candidates", sa.Column("is_repeat", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_candidates_conversation", "candidates", ["conversation_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_candidates_conversation", table_name="candidates")
    op.drop_column("candidates", "is_repeat")
