"""Who a customer is as far as somebody vouches for it: what a system of record may be asked about them by; it asks none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from understudy.effects.identity import group_of
from understudy.ports.store import Transaction
from understudy.records.codec import build
from understudy.records.conversation import Author, Conversation
from understudy.records.evidence import NO_FACTS, ContactFacts
from understudy.records.facts import Proof
from understudy.records.identity import HandleKind, handle_in, handle_value
from understudy.records.systems import Known
from understudy.records.turn import Turn

Proofs = Callable[[str], Proof]
"""What a channel vouches for, by its name."""
NOBODY = Known()
ADDRESSES_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """The customer of a turn. `proven`: by what the channel vouches for; `told`: and by all that it tells, true or not.

    `why`: in words, why nothing is proven.
    """

    proven: Known = NOBODY
    told: Known = NOBODY
    why: str = ""


def who_of(tx: Transaction, turn: Turn, proofs: Proofs) -> Who:
    """Read who writes in a turn."""
    conversation = tx.conversations.get(turn.conversation_id)
    contact = tx.contacts.get(conversation.contact_id)
    artifact = tx.artifacts.get(turn.id, "contact")
    given = NO_FACTS if artifact is None else build(ContactFacts, json.loads(artifact))
    address = _of_address(conversation.address)
    told = Known(
        emails=_distinct(*address.emails, contact.email, *given.emails),
        phones=_distinct(*address.phones, *(_phone(one) for one in (contact.phone, *given.phones))),
        external_id=given.id,
    )
    cap = tx.caps.of_contact(contact.id)
    if cap is not None and cap.is_unproven:
        return Who(why="nobody vouches that the address is theirs")
    match proofs(turn.channel):
        case "none":
            known = _by_handles(tx, contact.id)
            return Who(proven=known, told=_both(told, known), why=f"{turn.channel} vouches for nobody")
        case "contact":
            return Who(proven=told, told=told, why=f"{turn.channel} told no address")
        case "address":
            known = _both(address, _by_handles(tx, contact.id))
            told = _both(told, known)
            return Who(proven=known, told=told, why=f"{turn.channel} vouches for no e-mail address or phone number")
        case "letter":
            if not _is_proven(tx, turn):
                return Who(why="nobody vouches for a letter's sender")
            known = _both(address, _by_handles(tx, contact.id))
            return Who(proven=known, told=known, why="the letter has no sender's address")


def is_verified(tx: Transaction, turn: Turn, conversation: Conversation, proof: Proof) -> bool:
    """Whether somebody vouches for who writes in a turn: its channel, or a handle of theirs that was verified before.

    A letter that nobody vouches for is not made better by its sender's name being known.
    """
    contact_id = conversation.contact_id
    cap = tx.caps.of_contact(contact_id)
    if cap is not None and cap.is_unproven:
        return False
    match proof:
        case "address" | "contact":
            return True
        case "letter":
            return _is_proven(tx, turn)
        case "none":
            return bool(tx.identities.handles_of(group_of(tx, contact_id)))


def _by_handles(tx: Transaction, contact_id: str) -> Known:
    """What was verified of a contact, and of those who are proven to be the same person."""
    found = tx.identities.handles_of(group_of(tx, contact_id, is_verified=True))
    values = {kind: [one.value for one in found if one.kind is kind] for kind in HandleKind}
    return Known(
        emails=_distinct(*values[HandleKind.EMAIL]),
        phones=_distinct(*values[HandleKind.PHONE]),
        external_id=next(iter(values[HandleKind.EXTERNAL]), None),
    )


def _both(one: Known, other: Known) -> Known:
    return Known(
        emails=_distinct(*one.emails, *other.emails),
        phones=_distinct(*one.phones, *other.phones),
        external_id=one.external_id or other.external_id,
    )


def _is_proven(tx: Transaction, turn: Turn) -> bool:
    """Whether somebody vouches for the sender of each letter of a turn."""
    letters = [message for message in tx.messages.of_turn(turn.id) if message.author is Author.CUSTOMER]
    envelopes = [tx.envelopes.of_message(message.id) for message in letters]
    return bool(letters) and all(envelope is not None and envelope.is_proven for envelope in envelopes)


def _of_address(address: str) -> Known:
    """What the address of a channel is, if systems know people by it."""
    match handle_in(address):
        case (HandleKind.EMAIL, _):
            return Known(emails=(address,))
        case (HandleKind.PHONE, phone):
            return Known(phones=(phone,))
        case _:
            return NOBODY


def _phone(text: str | None) -> str | None:
    return handle_value(HandleKind.PHONE, text)


def _distinct(*texts: str | None) -> tuple[str, ...]:
    given = [text.strip() for text in texts if text and text.strip()]
    by_form = {text.casefold(): text for text in reversed(given)}  # the first of each, however it is written
    return tuple(text for text in dict.fromkeys(given) if by_form[text.casefold()] == text)[:ADDRESSES_MAX]
