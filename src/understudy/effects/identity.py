"""Say who a customer is: keep what was verified, link contacts by rule or by a person, and take links away; no row of theirs changes.

A link by rule needs a handle that was proven on both sides. What people say links contacts for people; replies and
history never follow that alone, so a mistake of a lead sends nothing to anybody else.
"""

from __future__ import annotations

from understudy.errors import Conflict
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.conversation import Conversation
from understudy.records.facts import Proof
from understudy.records.identity import (
    GROUP_MAX,
    PROVEN_BY,
    Handle,
    HandleKind,
    Link,
    LinkCause,
    LinkState,
    Vouched,
    handle_in,
    handle_value,
)

STATES = {
    "contact.linked": LinkState.LINKED,
    "contact.proposed": LinkState.PROPOSED,
    "contact.unlinked": LinkState.APART,
}
"""How two contacts stand after each entry of the ledger."""
Told = tuple[HandleKind, str, Vouched]
"""A handle that somebody vouches for, and who does."""


def group_of(tx: Transaction, contact_id: str, *, is_verified: bool = False) -> tuple[str, ...]:
    """All contacts that are one person with this one now, this one first; `is_verified`: only over proven handles."""
    if not tx.identities.has_links():
        return (contact_id,)
    found, look = {contact_id: None}, [contact_id]
    while look and len(found) <= 2 * GROUP_MAX:
        one = look.pop()
        for link in tx.identities.links_of(one):
            other = link.beyond(one)
            is_one = link.is_verified if is_verified else link.state is LinkState.LINKED
            if is_one and other not in found:
                found[other] = None
                look.append(other)
    return (contact_id, *sorted(set(found) - {contact_id}))


def told_by(
    proof: Proof,
    *,
    address: str,
    email: str | None = None,
    phone: str | None = None,
    external_id: str | None = None,
    is_proven: bool = False,
) -> tuple[Told, ...]:
    """The handles that a channel vouches for, of all that it tells; `is_proven`: of a letter's sender."""
    match proof:
        case "none":
            return ()
        case "letter" if not is_proven:
            return ()
        case "letter" | "address":
            at = handle_in(address)
            return () if at is None else ((*at, Vouched.CHANNEL),)
        case "contact":
            at = handle_in(address)
            given = ((HandleKind.EMAIL, email), (HandleKind.PHONE, phone), (HandleKind.EXTERNAL, external_id))
            told = [(kind, value) for kind, text in given if (value := handle_value(kind, text)) is not None]
            return tuple((*one, Vouched.SOFTWARE) for one in dict.fromkeys([*([at] if at else []), *told]))


def learn(tx: Transaction, clock: Clock, conversation: Conversation, told: tuple[Told, ...]) -> None:
    """Keep what a channel vouches for of who writes in a conversation; what is known already costs nothing."""
    for kind, value, how in told:
        if tx.identities.is_known(conversation.contact_id, kind, value):
            continue
        holders = tx.identities.holders(kind, value)
        if all(one.contact_id != conversation.contact_id for one in holders):
            _keep_proof(tx, clock, conversation, kind, value, how, by="system", holders=holders)


def verify(
    tx: Transaction,
    clock: Clock,
    conversation: Conversation,
    kind: HandleKind,
    value: str,
    how: Vouched,
    *,
    by: str,
) -> None:
    """Keep that a handle is a contact's, and link those who were proven to have the same."""
    holders = tx.identities.holders(kind, value)
    _keep_proof(tx, clock, conversation, kind, value, how, by=by, holders=holders)


def _keep_proof(
    tx: Transaction,
    clock: Clock,
    conversation: Conversation,
    kind: HandleKind,
    value: str,
    how: Vouched,
    *,
    by: str,
    holders: list[Handle],
) -> None:
    """The same, where it was looked already whose it is."""
    contact_id, now = conversation.contact_id, clock.now()
    tx.identities.put_handle(
        Handle(
            contact_id=contact_id,
            kind=kind,
            value=value,
            how=how,
            channel=conversation.channel,
            verified_at=now,
            verified_by=by,
        )
    )
    tx.ledger.append(
        "contact.verified",
        at=now,
        conversation_id=conversation.id,
        actor=by,
        contact=contact_id,
        kind=kind.value,
        how=how.value,
    )
    others = [one for one in holders if one.contact_id != contact_id]
    for holder in others[: 2 * GROUP_MAX]:
        if how in PROVEN_BY and holder.how in PROVEN_BY:
            _link_by_rule(tx, clock, contact_id, holder.contact_id, kind)
        else:
            propose(tx, clock, contact_id, holder.contact_id, kind, cause=LinkCause.CLAIM)


def _link_by_rule(tx: Transaction, clock: Clock, one: str, other: str, kind: HandleKind) -> None:
    """Link two who were proven to have the same handle, unless a person said of anybody on the two sides that they are apart."""
    here = group_of(tx, one, is_verified=True)
    if other in here:
        return
    there = group_of(tx, other, is_verified=True)
    if len(here) + len(there) > GROUP_MAX or _are_apart(tx, here, there):
        propose(tx, clock, one, other, kind, cause=LinkCause.HANDLE)
        return
    _put(tx, clock, "contact.linked", one, other, LinkCause.HANDLE, kind, by="system")


def _are_apart(tx: Transaction, here: tuple[str, ...], there: tuple[str, ...]) -> bool:
    """Whether a person said that anybody here is not somebody there."""
    if not tx.identities.has_links():
        return False
    across = (link for one in here for link in tx.identities.links_of(one) if link.beyond(one) in there)
    return any(link.state is LinkState.APART for link in across)


def propose(
    tx: Transaction, clock: Clock, one: str, other: str, kind: HandleKind | None, *, cause: LinkCause
) -> Link | None:
    """Put before a lead that two contacts may be one person; None where anything is held of the two already."""
    if one == other or tx.identities.link(one, other) is not None:
        return None
    return _put(tx, clock, "contact.proposed", one, other, cause, kind, by="system")


def link_contacts(tx: Transaction, clock: Clock, one: str, other: str, *, by: str) -> Link:
    """Say as a person that two contacts are one; raises `NotFound`, or `Conflict` where that is so already or cannot be."""
    for contact_id in (one, other):
        tx.contacts.get(contact_id)
    if one == other:
        raise Conflict(f"{one} is one contact already; name two")
    here = group_of(tx, one)
    if other in here:
        raise Conflict(f"{one} and {other} are linked already")
    there = group_of(tx, other)
    if len(here) + len(there) > GROUP_MAX:
        raise Conflict(f"together they would be {len(here) + len(there)} contacts; at most {GROUP_MAX} are one person")
    known = tx.identities.link(one, other)
    kind = _shared(tx, one, other)
    cause = LinkCause.PERSON if kind is None else LinkCause.HANDLE
    shown = kind if known is None or kind is not None else known.kind
    return _put(tx, clock, "contact.linked", one, other, cause, shown, by=by)


def _shared(tx: Transaction, one: str, other: str) -> HandleKind | None:
    """The kind of a handle that both were proven to have: what a person links then is a link by proof."""
    proven = [
        {(handle.kind, handle.value) for handle in tx.identities.handles_of([of]) if handle.how in PROVEN_BY}
        for of in (one, other)
    ]
    return min((kind for kind, _ in proven[0] & proven[1]), default=None)


def unlink_contacts(tx: Transaction, clock: Clock, one: str, other: str, *, by: str) -> Link:
    """Take the link of two contacts away, or refuse a proposed one: both are as they were before it, and no rule links them
    again. Raises `Conflict` where nothing is held of the two."""
    known = tx.identities.link(one, other)
    if known is None or known.state is LinkState.APART:
        raise Conflict(f"{one} and {other} are not linked themselves; see who is with whom in their group")
    return _put(tx, clock, "contact.unlinked", one, other, known.cause, known.kind, by=by)


def _put(
    tx: Transaction,
    clock: Clock,
    event: str,
    one: str,
    other: str,
    cause: LinkCause,
    kind: HandleKind | None,
    *,
    by: str,
) -> Link:
    first, second = sorted((one, other))
    now, known = clock.now(), tx.identities.link(one, other)
    link = Link(
        id=clock.new_id("link") if known is None else known.id,
        one=first,
        other=second,
        state=STATES[event],
        cause=cause,
        kind=kind,
        at=now,
        said_by=by,
    )
    tx.identities.put_link(link)
    tx.ledger.append(
        event,
        at=now,
        actor=by,
        one=first,
        other=second,
        link=link.id,
        cause=cause.value,
        kind=None if kind is None else kind.value,
    )
    return link
