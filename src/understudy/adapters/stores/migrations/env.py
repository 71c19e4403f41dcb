"""What Alembic runs: the migrations over the connection that `migrate.py` opened; it opens none itself."""

from __future__ import annotations

from alembic import context

from understudy.adapters.stores.mark_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
