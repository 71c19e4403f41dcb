"""What is left in a database that should be at rest: half-done turns, replies nobody sent, two replies for one turn.

It reads with SQL of its own, so that nothing of the product vouches for itself. It mends nothing.
"""

from __future__ import annotations

from sqlalchemy import Engine, create_engine, make_url, text

QUERIES = {
    "open turns": "SELECT count(*) FROM turns WHERE state NOT IN ('answered', 'superseded', 'handed_off')",
    "replies that were not sent": "SELECT count(*) FROM outbox WHERE state NOT IN ('sent', 'dropped')",
    "open holds": "SELECT count(*) FROM holds WHERE state = 'open'",
    "answered turns without a sent reply": "SELECT count(*) FROM turns WHERE state = 'answered' AND id NOT IN"
    " (SELECT turn_id FROM outbox WHERE state = 'sent' AND turn_id IS NOT NULL)",
    "superseded turns with a reply": "SELECT count(*) FROM turns WHERE state = 'superseded' AND id IN"
    " (SELECT turn_id FROM outbox WHERE turn_id IS NOT NULL)",
    "replies for a turn beyond its first": "SELECT coalesce(sum(n - 1), 0) FROM"
    " (SELECT count(*) AS n FROM outbox WHERE turn_id IS NOT NULL GROUP BY turn_id) AS each_turn",
    "messages of a turn that does not answer them": "SELECT count(*) FROM messages JOIN turns ON"
    " turns.id = messages.turn_id WHERE author = 'customer' AND turns.state = 'superseded'",
    "messages stored twice": "SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM messages"
    " WHERE author = 'customer' GROUP BY conversation_id, text) AS each_text",
}


def open_database(url: str) -> Engine:
    """Open the database of a cell beside its processes."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return create_engine(parsed, pool_size=1)


def remains(engine: Engine) -> list[str]:
    """What is not as it should be in a database at rest, one sentence each."""
    with engine.connect() as connection:
        found = {what: connection.execute(text(query)).scalar_one() for what, query in QUERIES.items()}
    return [f"{count} {what}" for what, count in found.items() if count]


def faults_of_file(engine: Engine) -> list[str]:
    """What SQLite finds wrong in its file; nothing for PostgreSQL, which has no such look."""
    if engine.dialect.name != "sqlite":
        return []
    with engine.connect() as connection:
        said = connection.execute(text("PRAGMA integrity_check")).scalar_one()
    return [] if said == "ok" else [f"SQLite says: {said}"]
