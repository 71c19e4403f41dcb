"""What one conversation's rows say, read by plain SQL; it compares nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from simulation.database import Database


class TurnRow(NamedTuple):
    """The columns of a turn that a promise is about."""

    id: str
    state: str
    token: int
    superseded_by: str | None
    decision: str | None
    due_at: int | None
    position: int


class HoldRow(NamedTuple):
    """The columns of a hold."""

    id: str
    kind: str
    state: str
    version: int
    turn_id: str
    claimed_by: str | None
    claimed_until: int | None
    undo_until: int | None


class OutboxRow(NamedTuple):
    """The columns of an outbox entry."""

    id: str
    seq: int
    state: str
    attempts: int
    turn_id: str | None
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One conversation at one moment; turns by position, outbox entries by seq."""

    id: str
    mode: str
    taken_by: str | None
    turns: dict[str, TurnRow]
    holds: dict[str, HoldRow]
    outbox: dict[str, OutboxRow]
    acting: frozenset[str] = frozenset()
    """Turns of which an action that was let through is not settled yet."""

    def open_holds(self, kind: str) -> list[HoldRow]:
        """The open holds of a kind."""
        return [hold for hold in self.holds.values() if hold.state == "open" and hold.kind == kind]


NOTHING = Seen("", "agent", None, {}, {}, {})


def see(database: Database, conversation_id: str) -> Seen:
    """Read one conversation; `NOTHING` where there is none."""
    found = database.rows("SELECT mode, taken_by FROM conversations WHERE id = ?", conversation_id)
    if not found:
        return NOTHING
    turns = database.rows(
        "SELECT id, state, token, superseded_by, decision, due_at, position FROM turns"
        " WHERE conversation_id = ? ORDER BY position",
        conversation_id,
    )
    holds = database.rows(
        "SELECT id, kind, state, version, turn_id, claimed_by, claimed_until, undo_until FROM holds WHERE conversation_id = ?",
        conversation_id,
    )
    outbox = database.rows(
        "SELECT id, seq, state, attempts, turn_id, author, text FROM outbox WHERE conversation_id = ? ORDER BY seq",
        conversation_id,
    )
    acting = database.rows(
        "SELECT turn_id FROM actions WHERE conversation_id = ? AND state IN ('approved', 'executing', 'unknown')",
        conversation_id,
    )
    mode, taken_by = found[0]
    return Seen(
        conversation_id,
        mode,
        taken_by,
        {row[0]: TurnRow._make(row) for row in turns},
        {row[0]: HoldRow._make(row) for row in holds},
        {row[0]: OutboxRow._make(row) for row in outbox},
        frozenset(row[0] for row in acting),
    )
