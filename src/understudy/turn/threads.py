"""Which conversation a letter belongs to: the one it follows, if the same person writes on about the same; pure reading."""

from __future__ import annotations

from understudy.ports.store import Transaction
from understudy.records.conversation import Conversation, Inbound, Mode

FOLLOWED_MAX = 30
"""How many of the letters it names are looked for, the latest first."""


def continued(tx: Transaction, channel: str, inbound: Inbound) -> Conversation | None:
    """The conversation of a letter that this one follows; None where it begins one.

    Ids of letters are no secret and anybody can name one: whoever writes from another address does not get into a
    conversation that way, nor does one whose address nobody vouches for get into that of somebody for whom it is. A
    changed subject begins anew (RFC 8621, section 3).
    """
    if inbound.envelope is None:
        return None
    for name in list(dict.fromkeys(reversed(inbound.envelope.chain[:-1])))[:FOLLOWED_MAX]:
        conversation = _holding(tx, channel, name)
        if conversation is None or conversation.address != inbound.address or conversation.mode is Mode.REHEARSAL:
            continue
        latest = tx.envelopes.latest(conversation.id)
        is_same = latest is None or not inbound.envelope.theme or latest.theme == inbound.envelope.theme
        return conversation if is_same else None
    return None


def _holding(tx: Transaction, channel: str, name: str) -> Conversation | None:
    """The conversation in which a letter came or went."""
    message = tx.messages.known(channel, name)
    if message is not None:
        return tx.conversations.get(message.conversation_id)
    entry = tx.outbox.taken_as(channel, name)
    return None if entry is None else tx.conversations.get(entry.conversation_id)
