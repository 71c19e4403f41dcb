"""Whether a conversation is evidence already; a conversation counts once for a slice and release."""

from __future__ import annotations

from understudy.ports.store import Transaction
from understudy.records.autonomy import NOTHING_SAID


def is_evidence(tx: Transaction, conversation_id: str, of_slice: tuple[str, str, str]) -> bool:
    """Whether an earlier draft of the conversation is evidence for this topic, channel and release, or may become it."""
    return any(
        one.is_sampled
        and (one.topic, one.channel, one.release) == of_slice
        and (one.label is None or one.label.outcome not in NOTHING_SAID)
        for one in tx.candidates.of_conversation(conversation_id)
    )
