"""The desk of a lead who looks after who customers are: a contact's group, links, handles, one-time codes; it decides nothing by rule."""

from __future__ import annotations

from collections.abc import Callable

from understudy.effects.codes import NotSent, ask_code
from understudy.effects.groups import Group, read_group
from understudy.effects.identity import link_contacts, unlink_contacts, verify
from understudy.effects.safe_replies import wording_for
from understudy.errors import Conflict, InputError
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.records.identity import Code, HandleKind, Link, Vouched, handle_value
from understudy.records.rulebook import Rules

PROPOSED_MAX = 200


class ContactDesk:
    """What a lead may ask and order."""

    def __init__(self, store: Store, clock: Clock, *, rules: Callable[[], Rules]) -> None:
        self._store = store
        self._clock = clock
        self._rules = rules

    async def group(self, contact_id: str) -> Group:
        """Who is one person with a contact; raises `NotFound`."""
        return await self._store.read(lambda tx: read_group(tx, contact_id))

    async def proposed(self) -> list[Link]:
        """Pairs of contacts that may be one person, the oldest first."""
        return await self._store.read(lambda tx: tx.identities.proposed(limit=PROPOSED_MAX))

    async def link(self, one: str, other: str, *, by: str) -> Link:
        """Say that two contacts are one person; raises `NotFound`, or `Conflict` where that is so already or cannot be."""
        return await self._store.write(lambda tx: link_contacts(tx, self._clock, one, other, by=by))

    async def unlink(self, one: str, other: str, *, by: str) -> Link:
        """Take a link away, or refuse a proposed one; raises `Conflict` where there is none."""
        return await self._store.write(lambda tx: unlink_contacts(tx, self._clock, one, other, by=by))

    async def vouch(self, contact_id: str, kind: HandleKind, text: str, *, by: str) -> None:
        """Say that a handle is a contact's; raises `NotFound`, `InputError` for what is no such handle, and `Conflict`."""
        value = handle_value(kind, text)
        if value is None:
            raise InputError(f"{text[:80]!r} is no {kind.value}")

        def step(tx: Transaction) -> None:
            tx.contacts.get(contact_id)
            known = [one for one in tx.identities.handles_of([contact_id]) if (one.kind, one.value) == (kind, value)]
            if known:
                raise Conflict(f"that is known of {contact_id} already, vouched for by {known[0].how.value}")
            conversations = tx.conversations.of_contact(contact_id, limit=1)
            if not conversations:
                raise Conflict(f"{contact_id} never wrote, so nobody can say who they are")
            verify(tx, self._clock, conversations[0], kind, value, Vouched.PERSON, by=by)

        await self._store.write(step)

    async def ask_code(self, conversation_id: str, kind: HandleKind, text: str, *, by: str) -> Code:
        """Send a code to a handle that somebody was proven to have, for who writes in a conversation.

        Raises `NotFound`, `InputError` for what is no such handle, and `Conflict` where no text for it is approved
        (`identity.code_reply`), nobody is known by the handle, or too many were sent in this hour.
        """
        value, rules = handle_value(kind, text), self._rules()
        reply = rules.code_reply()
        if value is None:
            raise InputError(f"{text[:80]!r} is no {kind.value}")
        if reply is None:
            raise Conflict("no text for a code is approved; name a safe reply with {code} in it in identity.code_reply")

        def step(tx: Transaction) -> Code | NotSent:
            conversation = tx.conversations.get(conversation_id)
            text, minutes = wording_for(tx, conversation, reply), rules.identity.code_minutes
            return ask_code(tx, self._clock, conversation, kind, value, text=text, minutes=minutes, by=by)

        code = await self._store.write(step)
        if isinstance(code, NotSent):
            why = {
                "unknown": "nobody else is proven to have that handle, at an address that can be written to",
                "often": "three codes were sent in the last hour; wait",
            }
            raise Conflict(f"no code was sent: {why[code.why]}")
        return code
