"""What a customer was promised and still has to be kept, as evidence: the agent is told of it, and checks look at it."""

from __future__ import annotations

from typing import Final

from understudy.ports.store import Transaction
from understudy.records.conversation import Conversation
from understudy.records.evidence import Owed

OWED_MAX: Final = 10
"""So many are told, the next due."""
WORDS_CHARS_MAX: Final = 300


def owed_to(
    tx: Transaction, conversation: Conversation, others: tuple[str, ...], *, is_verified: bool, timezone: str
) -> tuple[Owed, ...]:
    """What is owed to the contact of a conversation and to `others`, who are proven to be the same person. To whom nobody vouches
    for, only what was promised in this conversation. Costs nothing where nothing is owed to anybody."""
    owed = tx.pledges.owed_to((conversation.contact_id, *others))
    return tuple(
        Owed(
            kind=one.kind,
            words=one.words[:WORDS_CHARS_MAX],
            made_at=one.made_at,
            due_at=one.due_at,
            timezone=timezone,
        )
        for one in owed
        if is_verified or one.conversation_id == conversation.id
    )[:OWED_MAX]
