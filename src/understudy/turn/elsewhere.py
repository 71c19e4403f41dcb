"""What the same customer wrote and was told on other channels: told to the agent, kept with the turn, part of its evidence.

Only links over handles that were proven count. Who is asked in vain for proof sees nothing of anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from understudy.effects.identity import group_of
from understudy.ports.store import Transaction
from understudy.records.codec import dump, load
from understudy.records.conversation import Author, Conversation, Mode
from understudy.records.evidence import Elsewhere
from understudy.records.turn import Turn

KIND: Final = "elsewhere"
CONVERSATIONS_MAX: Final = 3
"""So many conversations of each contact are looked at, the latest begun."""
MESSAGES_MAX: Final = 20
TEXT_CHARS_MAX: Final = 600
"""So much of each message is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What was said elsewhere, and by which contacts, who are proven to be the customer."""

    group: tuple[str, ...] = ()
    said: tuple[Elsewhere, ...] = ()


NOTHING: Final = History()


def keep_elsewhere(tx: Transaction, turn: Turn, *, is_verified: bool) -> History:
    """Read it for a turn whose agent is about to be asked, and keep it with the turn. Costs nothing where nobody is linked."""
    conversation = tx.conversations.get(turn.conversation_id)
    others = group_of(tx, conversation.contact_id, is_verified=True)[1:] if is_verified else ()
    if not others:
        return NOTHING
    history = History(group=others, said=_said(tx, conversation, others))
    tx.artifacts.put(turn.id, KIND, dump(history))
    return history


def elsewhere_of(tx: Transaction, turn: Turn) -> History:
    """What the agent was told of other channels when it was asked."""
    text = tx.artifacts.get(turn.id, KIND) if tx.identities.has_links() else None
    return NOTHING if text is None else load(History, text)


def is_theirs(tx: Transaction, conversation: Conversation, group: tuple[str, ...]) -> bool:
    """Whether all of a group are still proven to be the customer of a conversation."""
    return not group or set(group) <= set(group_of(tx, conversation.contact_id, is_verified=True))


def _said(tx: Transaction, own: Conversation, others: tuple[str, ...]) -> tuple[Elsewhere, ...]:
    found: list[tuple[int, Elsewhere]] = []
    for contact_id in others:
        for one in tx.conversations.of_contact(contact_id, limit=CONVERSATIONS_MAX):
            if one.mode is Mode.REHEARSAL or one.id == own.id:
                continue
            for message in tx.messages.of_conversation(one.id, limit=MESSAGES_MAX):
                is_customer = message.author is Author.CUSTOMER
                said = Elsewhere(
                    channel=one.channel,
                    at=message.at,
                    role="user" if is_customer else "assistant",
                    text=message.text[:TEXT_CHARS_MAX],
                    person=message.author is Author.REVIEWER,
                )
                found.append((message.seq, said))
    return tuple(said for _, said in sorted(found, key=lambda one: one[0])[-MESSAGES_MAX:])
