"""Queue a reply that a person approved beforehand, in the customer's language; when one is due is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from understudy.assessment.language import language_of
from understudy.effects.sending import queue_message
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.conversation import Author, Conversation
from understudy.records.outbox import OutboxEntry
from understudy.records.rulebook import SafeReply

LOOKED_AT: Final = 20
"""So many of the latest messages tell in which language the customer writes."""


def wording_for(tx: Transaction, conversation: Conversation, reply: SafeReply) -> str:
    """The text of a reply for this customer; what they wrote is read only where there is a choice."""
    if not reply.translations:
        return reply.text
    said = tx.messages.of_conversation(conversation.id, limit=LOOKED_AT)
    return reply.text_in(language_of("\n".join(one.text for one in said if one.author is Author.CUSTOMER)))


def queue_safe_reply(
    tx: Transaction,
    clock: Clock,
    conversation: Conversation,
    reply: SafeReply,
    *,
    turn_id: str,
    fills: Mapping[str, str] | None = None,
) -> OutboxEntry:
    """Add it to the outbox, under its name and version; `fills` are its places and what stands in them."""
    text = wording_for(tx, conversation, reply)
    for place, filling in (fills or {}).items():
        text = text.replace(place, filling)
    return queue_message(
        tx,
        clock,
        conversation,
        turn_id=turn_id,
        text=text,
        author=Author.SAFE_REPLY,
        author_name=reply.name,
        ai_generated=False,
    )


def was_last_said(tx: Transaction, conversation: Conversation, reply: SafeReply) -> bool:
    """Whether this is the last that the customer was told, or is about to be: to say it again tells them nothing."""
    waiting = [entry for entry in tx.outbox.open_of(conversation.id) if entry.author is not Author.CUSTOMER]
    if waiting:
        return waiting[-1].author is Author.SAFE_REPLY and waiting[-1].author_name == reply.name
    for message in reversed(tx.messages.of_conversation(conversation.id)):
        if message.is_ours:
            return message.author is Author.SAFE_REPLY and message.author_name == reply.name
    return False
