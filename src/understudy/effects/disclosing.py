"""Say what a message has to tell of the AI that wrote it, as the conversation stands now; it neither sends nor stores it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from understudy.assessment.language import language_of
from understudy.ports.store import Transaction
from understudy.records.conversation import Author, Message
from understudy.records.disclosure import SEPARATOR_CHARS, ChannelDisclosure, Disclosure, Why
from understudy.records.outbox import OutboxEntry

Discloses = Callable[[Transaction, OutboxEntry, datetime], OutboxEntry]
"""Gives an entry whose sending begins now what it has to tell of its author."""


def nothing_to_tell(_tx: Transaction, entry: OutboxEntry, _now: datetime) -> OutboxEntry:
    """The entry as it is: where nobody is told anything."""
    return entry


class Disclosing:
    """Knows what each channel discloses, and how; one that is not in `how` discloses nothing. `chars_max` is the longest text it takes."""

    def __init__(self, how: Mapping[str, ChannelDisclosure], *, chars_max: Mapping[str, int | None]) -> None:
        self._how = how
        self._chars_max = chars_max

    def settle(self, tx: Transaction, entry: OutboxEntry, now: datetime) -> OutboxEntry:
        """Give an entry whose first send begins now what it has to tell. Every try sends the same, so later ones change nothing."""
        if entry.attempts or entry.author is not Author.AGENT:
            return entry
        due = self.due(tx, entry.conversation_id, entry.channel, entry.text, now)
        return entry if due is None else replace(entry, disclosure=due)

    def due(self, tx: Transaction, conversation_id: str, channel: str, text: str, now: datetime) -> Disclosure | None:
        """What the agent's words `text` would tell if they were the conversation's next message; None where nothing is due."""
        own = self._how.get(channel)
        if own is None:
            return None
        said = tx.messages.of_conversation(conversation_id)
        why = why_due(said, now, own.again_after)
        if why is None:
            return None
        chars_max = self._chars_max.get(channel)
        room = None if chars_max is None else max(0, chars_max - len(text) - SEPARATOR_CHARS)
        return own.said(_language(text, said), why, room=room)


def why_due(said: Sequence[Message], now: datetime, again_after: timedelta | None) -> Why | None:
    """Why the agent's next message has to disclose, after what was said so far; None where it need not."""
    ours = [message for message in said if message.is_ours]
    if not any(message.disclosure is not None for message in ours):
        return Why.FIRST
    if again_after is not None and now - ours[-1].at >= again_after:
        return Why.AFTER_PAUSE
    for message in reversed(ours):
        if not message.is_of_agent:
            return Why.AFTER_OTHERS
        if message.disclosure is not None:
            return None
    raise AssertionError("one of them disclosed")


def _language(text: str, said: Sequence[Message]) -> str | None:
    """The language of the reply, which is what the customer reads with it; else that of the customer."""
    asked = "\n".join(message.text for message in said if message.author is Author.CUSTOMER)
    return language_of(text) or language_of(asked)
