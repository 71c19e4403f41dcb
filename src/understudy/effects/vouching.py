"""Who a customer is as far as somebody vouches for it: what a system of record may be asked about them by; it asks none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from understudy.ports.store import Transaction
from understudy.records.codec import build
from understudy.records.conversation import Author
from understudy.records.evidence import NO_FACTS, ContactFacts
from understudy.records.facts import Proof
from understudy.records.systems import Known
from understudy.records.trust import CapCause
from understudy.records.turn import Turn

Proofs = Callable[[str], Proof]
"""What a channel vouches for, by its name."""
NOBODY = Known()
ADDRESSES_MAX = 5
_EMAIL = re.compile(r"[^@\s<>\"(),:;\\\[\]]+@[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z0-9-]+")
_PHONE = re.compile(r"(?:whatsapp:|sms:|tel:)?\+?([0-9]{7,15})")


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
    if cap is not None and cap.cause is CapCause.UNPROVEN:
        return Who(why="nobody vouches that the address is theirs")
    match proofs(turn.channel):
        case "none":
            return Who(told=told, why=f"{turn.channel} vouches for nobody")
        case "contact":
            return Who(proven=told, told=told, why=f"{turn.channel} told no address")
        case "address":
            return Who(proven=address, told=told, why=f"{turn.channel} vouches for no e-mail address or phone number")
        case "letter":
            if not _is_proven(tx, turn):
                return Who(why="nobody vouches for a letter's sender")
            return Who(proven=address, told=address, why="the letter has no sender's address")


def _is_proven(tx: Transaction, turn: Turn) -> bool:
    """Whether somebody vouches for the sender of each letter of a turn."""
    letters = [message for message in tx.messages.of_turn(turn.id) if message.author is Author.CUSTOMER]
    envelopes = [tx.envelopes.of_message(message.id) for message in letters]
    return bool(letters) and all(envelope is not None and envelope.is_proven for envelope in envelopes)


def _of_address(address: str) -> Known:
    """What the address of a channel is, if systems know people by it."""
    if _EMAIL.fullmatch(address):
        return Known(emails=(address,))
    phone = _phone(address)
    return NOBODY if phone is None else Known(phones=(phone,))


def _phone(text: str | None) -> str | None:
    found = _PHONE.fullmatch(re.sub(r"[\s()./-]", "", text or ""))
    return None if found is None else f"+{found[1]}"


def _distinct(*texts: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.strip() for text in texts if text and text.strip()))[:ADDRESSES_MAX]
