"""A reply that waits in the outbox, for tests of what sends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from understudy.records.conversation import Author
from understudy.records.outbox import OutboxEntry, OutboxState

REPLY = OutboxEntry(
    id="out-1",
    seq=1,
    turn_id="turn-1",
    conversation_id="conv-1",
    channel="shop",
    address="+4915100",
    external_id="thread-1",
    text="Your card is on its way.",
    author=Author.AGENT,
    author_name=None,
    ai_generated=True,
    state=OutboxState.SENDING,
    attempts=1,
    due_at=None,
    last_error=None,
    created_at=datetime(2026, 1, 1, 12, 0, tzinfo=UTC),
)


def reply(**more: Any) -> OutboxEntry:
    return replace(REPLY, **more)
