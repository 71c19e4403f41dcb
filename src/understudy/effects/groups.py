"""All contacts that are one person, with what is known of each: read for people, changed by nothing here."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.effects.identity import group_of
from understudy.ports.store import Transaction
from understudy.records.conversation import Contact, Conversation
from understudy.records.identity import Handle, Link

CONVERSATIONS_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A contact of a group: its handles, and its conversations, the latest begun first. `is_proven`: replies and history may
    follow the way to it."""

    contact: Contact
    handles: tuple[Handle, ...]
    conversations: tuple[Conversation, ...]
    is_proven: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """All contacts that are one person, the one asked for first, and what is held of them and of others."""

    members: tuple[Member, ...]
    links: tuple[Link, ...]


def read_group(tx: Transaction, contact_id: str) -> Group:
    """Read who is one person with a contact; raises `NotFound`."""
    tx.contacts.get(contact_id)
    ids, proven = group_of(tx, contact_id), group_of(tx, contact_id, is_verified=True)
    links = {link.id: link for one in ids for link in tx.identities.links_of(one)}
    members = [
        Member(
            contact=tx.contacts.get(one),
            handles=tuple(tx.identities.handles_of([one])),
            conversations=tuple(tx.conversations.of_contact(one, limit=CONVERSATIONS_MAX)),
            is_proven=one in proven,
        )
        for one in ids
    ]
    return Group(members=tuple(members), links=tuple(sorted(links.values(), key=lambda link: (link.at, link.id))))
