"""One line of the append-only audit log, and the hash that chains it to the line before; no storage here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from understudy.records.codec import canonical

GENESIS = "0" * 64
"""The `previous` of the first entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """What happened, to what, by whom. `body` is canonical JSON of ids, codes and digests, never of message text."""

    seq: int
    at: datetime
    event: str
    turn_id: str | None
    conversation_id: str | None
    actor: str
    body: str
    previous: str
    hash: str


def told_by(entry: LedgerEntry) -> dict[str, Any]:
    """An entry's body as plain data, for whoever shows or proves what there is: empty where somebody made it unreadable."""
    try:
        body = json.loads(entry.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def chain(
    *,
    seq: int,
    at: datetime,
    event: str,
    turn_id: str | None,
    conversation_id: str | None,
    actor: str,
    body: str,
    previous: str,
) -> str:
    """Compute an entry's hash: SHA-256 over the canonical JSON list of all its other fields, in this order."""
    fields = [seq, at.isoformat(), event, turn_id, conversation_id, actor, body, previous]
    return hashlib.sha256(canonical(fields).encode()).hexdigest()


def fault_of(entry: LedgerEntry, *, seq: int, previous: str) -> str | None:
    """Say what is wrong with the entry that should be number `seq` after the hash `previous`; None where it fits."""
    if entry.seq != seq:
        return f"entry {seq} is missing, {entry.seq} follows"
    if entry.previous != previous:
        return f"entry {entry.seq} does not follow the one before it"
    computed = chain(
        seq=entry.seq,
        at=entry.at,
        event=entry.event,
        turn_id=entry.turn_id,
        conversation_id=entry.conversation_id,
        actor=entry.actor,
        body=entry.body,
        previous=entry.previous,
    )
    return None if computed == entry.hash else f"entry {entry.seq} ({entry.event}) was changed"
