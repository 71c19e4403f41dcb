"""Where an entry goes, looked at again each time it is about to be sent: to the conversation it answers, or, over proven
links alone, to the channel that the same person used last. It sends nothing.

Promise: nothing goes to an address of somebody who is not, at this moment, proven to be the same person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from understudy.effects.identity import group_of
from understudy.effects.sending import readdress
from understudy.effects.unsent import tries_of
from understudy.ports.channel import Channel
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.codec import load
from understudy.records.conversation import Author, Conversation, Mode
from understudy.records.evidence import NO_MOMENT, Evidence
from understudy.records.outbox import OutboxEntry, OutboxState, Rejected, SendResult, Unknown

CONVERSATIONS_MAX: Final = 5
"""So many conversations of each contact are looked at, the latest begun."""
MESSAGES_MAX: Final = 50
NOT_LINKED: Final = "the address it was to go to is no longer proven to be this customer's"
NOT_THEIRS: Final = "it rests on what somebody wrote who is no longer proven to be this customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A conversation that an answer could go to. `last_at`: when the customer last wrote in it; `shut`: why it takes none now."""

    conversation: Conversation
    last_at: datetime | None
    shut: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Directed:
    """An entry with the address it goes to now. `astray`: why nobody can send it, whatever its address."""

    entry: OutboxEntry
    astray: str | None = None
    may_have_arrived: bool = False


def barred_by(directed: Directed, text: str | None) -> SendResult | None:
    """What is recorded of an entry that nobody may send now; None where it may be sent. `text` None: it came too late."""
    if directed.astray is not None:
        kind = Unknown if directed.may_have_arrived else Rejected
        return kind(reason=directed.astray)
    return Rejected(reason="the code it carries is no longer good") if text is None else None


def choose(own: Way, others: Sequence[Way]) -> tuple[Way, str]:
    """The way an answer takes, and why: where the customer wrote last, else the one before; its own where none is open.

    Pure. Ways of equal age: its own first, then by the conversation's id.
    """

    def age(way: Way) -> tuple[datetime, bool, str]:
        return way.last_at or NO_MOMENT, way is own, way.conversation.id

    ways = sorted((own, *others), key=age, reverse=True)
    is_open = [way for way in ways if way.shut is None and way.last_at is not None]
    chosen = is_open[0] if is_open else own
    if chosen is own:
        return own, "own"
    return chosen, "used_last" if chosen is ways[0] else (ways[0].shut or "used_last")


def direct(tx: Transaction, clock: Clock, channels: Mapping[str, Channel], entry: OutboxEntry) -> Directed:
    """Look at where an entry goes. Costs nothing where no two contacts were ever linked."""
    if not tx.identities.has_links():
        return Directed(entry=entry)
    own = tx.conversations.get(entry.conversation_id)
    if not tx.identities.links_of(own.contact_id):
        return Directed(entry=entry)
    group = group_of(tx, own.contact_id, is_verified=True)
    unsure = entry.state is OutboxState.SENDING or (entry.attempts > 0 and tries_of(tx, entry)[1])
    if not _is_theirs(tx, entry, group):
        return Directed(entry=entry, astray=NOT_THEIRS, may_have_arrived=unsure)
    if is_away(entry, own):
        if _is_linked(tx, entry, group):
            return Directed(entry=entry)
        if unsure:
            return Directed(entry=entry, astray=NOT_LINKED, may_have_arrived=True)
        return Directed(entry=readdress(tx, clock, entry, own, why="not_linked"))
    if entry.attempts or entry.turn_id is None or len(group) == 1:
        return Directed(entry=entry)
    way, why = choose(*_ways(tx, clock, channels, own, group))
    if way.conversation.id == own.id:
        return Directed(entry=entry)
    return Directed(entry=readdress(tx, clock, entry, way.conversation, why=why))


def is_away(entry: OutboxEntry, own: Conversation) -> bool:
    """Whether an entry goes elsewhere than to the conversation it answers."""
    return (entry.channel, entry.external_id) != (own.channel, own.external_id)


def _is_linked(tx: Transaction, entry: OutboxEntry, group: tuple[str, ...]) -> bool:
    target = tx.conversations.find(entry.channel, entry.external_id)
    return target is not None and target.address == entry.address and target.contact_id in group


def _is_theirs(tx: Transaction, entry: OutboxEntry, group: tuple[str, ...]) -> bool:
    """Whether all on whose words a draft rests are still proven to be this customer."""
    if entry.turn_id is None or entry.author is not Author.AGENT:
        return True
    text = tx.artifacts.get(entry.turn_id, "evidence")
    return text is None or set(load(Evidence, text).group) <= set(group)


def _ways(
    tx: Transaction, clock: Clock, channels: Mapping[str, Channel], own: Conversation, group: tuple[str, ...]
) -> tuple[Way, list[Way]]:
    found = [
        one
        for contact_id in group
        for one in tx.conversations.of_contact(contact_id, limit=CONVERSATIONS_MAX)
        if one.channel != own.channel and one.mode is not Mode.REHEARSAL
    ]
    ways = [_way(tx, clock, channels, one) for one in found]
    own_way = _way(tx, clock, channels, own)
    if own.channel in channels and channels[own.channel].capabilities.asker_fetches:
        return own_way, []
    return own_way, [way for way in ways if way.shut != "collected"]


def _way(tx: Transaction, clock: Clock, channels: Mapping[str, Channel], conversation: Conversation) -> Way:
    said = tx.messages.of_conversation(conversation.id, limit=MESSAGES_MAX)
    last_at = max((one.at for one in said if one.author is Author.CUSTOMER), default=None)
    channel = channels.get(conversation.channel)
    shut: str | None = None
    if channel is None:
        shut = "not_configured"
    elif any(out.channel == conversation.channel for out in tx.opt_outs.of_contacts((conversation.contact_id,))):
        shut = "opted_out"
    elif channel.capabilities.asker_fetches:
        shut = "collected"
    elif (window_s := channel.capabilities.window_s) is not None:
        is_over = last_at is None or clock.now() - last_at > timedelta(seconds=window_s)
        shut = "window_closed" if is_over else None
    return Way(conversation=conversation, last_at=last_at, shut=shut)
