"""What a message tells of who wrote it: handles that its channel vouches for, claims, codes; it answers nothing."""

from __future__ import annotations

from dataclasses import replace

from understudy.effects.codes import enter_code
from understudy.effects.identity import learn, propose, told_by
from understudy.effects.vouching import Proofs
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.conversation import Conversation, Inbound
from understudy.records.identity import PROVEN_BY, HandleKind, LinkCause, handle_value


def note_who(
    tx: Transaction,
    clock: Clock,
    proofs: Proofs,
    conversation: Conversation,
    inbound: Inbound,
    *,
    external_id: str | None = None,
) -> Inbound:
    """Keep what is vouched for of who writes, take the code they may have entered, and return what may be stored."""
    proof = proofs(conversation.channel)
    told = told_by(
        proof,
        address=inbound.address,
        email=inbound.contact_email,
        phone=inbound.contact_phone,
        external_id=external_id,
        is_proven=inbound.envelope is not None and inbound.envelope.is_proven,
    )
    if told and inbound.address == conversation.address:
        learn(tx, clock, conversation, told)
    elif proof == "none" and conversation.created_at == clock.now():
        _claim(tx, clock, conversation, inbound)
    text = enter_code(tx, clock, conversation, inbound.text)
    return inbound if text == inbound.text else replace(inbound, text=text)


def _claim(tx: Transaction, clock: Clock, conversation: Conversation, inbound: Inbound) -> None:
    """Who names another's handle may be that person: a lead is asked, and nothing else comes of it."""
    for kind, text in ((HandleKind.EMAIL, inbound.contact_email), (HandleKind.PHONE, inbound.contact_phone)):
        value = handle_value(kind, text)
        holders = [] if value is None else tx.identities.holders(kind, value)
        for holder in [one for one in holders if one.how in PROVEN_BY][:1]:
            propose(tx, clock, conversation.contact_id, holder.contact_id, kind, cause=LinkCause.CLAIM)
