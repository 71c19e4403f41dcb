"""One-time codes: ask for one to be sent to a handle that is known, and take what the customer enters; it sends nothing itself.

A code proves that who writes here also reads what is sent to a handle that was proven before. The code itself is drawn
when it is sent and kept nowhere; a wrong or a late one changes nothing of the customer.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from understudy.effects.identity import verify
from understudy.effects.safe_replies import wording_for
from understudy.effects.sending import queue_message
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.conversation import Author, Conversation, Mode
from understudy.records.identity import (
    CODE_DIGITS,
    CODE_MARK,
    PROVEN_BY,
    Code,
    CodeState,
    HandleKind,
    Vouched,
    code_hash,
    entered_code,
    handle_in,
    handle_value,
    is_code,
    without_codes,
)
from understudy.records.outbox import OutboxEntry
from understudy.records.rulebook import Rules

TRIES_MAX: Final = 5
"""So many wrong ones, and the code is worth nothing."""
PER_HOUR_MAX: Final = 3
"""So many codes an hour are sent to a handle, and asked for in a conversation."""
LOOKED_AT_MAX: Final = 20
SENDS_MAX: Final = 4
"""Of so many tries to send one the codes are good, since any of them may have arrived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """Why no code was sent; the customer is told the same in either case."""

    why: str


def ask_code(
    tx: Transaction,
    clock: Clock,
    conversation: Conversation,
    kind: HandleKind,
    value: str,
    *,
    text: str,
    minutes: float,
    by: str,
) -> Code | NotSent:
    """Send a code to a handle that somebody else was proven to have, for who writes in a conversation.

    `text` is an approved one with `{code}` in it. It goes to the conversation in which the handle was proven.
    """
    now = clock.now()
    target = _where_proven(tx, conversation, kind, value)
    asked = tx.identities.codes_since(
        conversation_id=conversation.id, kind=kind, value=value, since=now - timedelta(hours=1)
    )
    why = "unknown" if target is None else "often" if asked >= PER_HOUR_MAX else None
    if target is None or why is not None:
        tx.ledger.append("contact.code_not_sent", at=now, conversation_id=conversation.id, actor=by, why=why)
        return NotSent(why=why or "unknown")
    if (before := tx.identities.open_code(conversation.id)) is not None:
        tx.identities.put_code(replace(before, state=CodeState.LATE))
    entry = queue_message(
        tx, clock, target, turn_id=None, text=text, author=Author.SAFE_REPLY, ai_generated=False, actor=by
    )
    code = Code(
        id=clock.new_id("code"),
        conversation_id=conversation.id,
        contact_id=conversation.contact_id,
        holder_id=target.contact_id,
        kind=kind,
        value=value,
        outbox_id=entry.id,
        hashes=(),
        tries=0,
        state=CodeState.OPEN,
        asked_by=by,
        created_at=now,
        expires_at=now + timedelta(minutes=minutes),
    )
    tx.identities.put_code(code)
    tx.ledger.append(
        "contact.code_asked",
        at=now,
        conversation_id=conversation.id,
        actor=by,
        code=code.id,
        kind=kind.value,
        outbox=entry.id,
    )
    return code


def prove_by_rule(tx: Transaction, clock: Clock, conversation: Conversation, rules: Rules) -> None:
    """Send a code to the handle that who writes named, once, if the configuration wants it and somebody is known by it."""
    reply, contact = rules.code_reply(), tx.contacts.get(conversation.contact_id)
    if reply is None or not rules.identity.by_rule or tx.identities.open_code(conversation.id) is not None:
        return
    for kind, text in ((HandleKind.EMAIL, contact.email), (HandleKind.PHONE, contact.phone)):
        value = handle_value(kind, text)
        if value is not None:
            minutes = rules.identity.code_minutes
            ask_code(
                tx,
                clock,
                conversation,
                kind,
                value,
                text=wording_for(tx, conversation, reply),
                minutes=minutes,
                by="system",
            )
            return


def _where_proven(tx: Transaction, conversation: Conversation, kind: HandleKind, value: str) -> Conversation | None:
    """The latest conversation at the very address that is the handle, of somebody who was proven to have it."""
    holders = {one.contact_id for one in tx.identities.holders(kind, value) if one.how in PROVEN_BY}
    if conversation.contact_id in holders:
        return None
    found = [
        one
        for contact_id in sorted(holders)[:LOOKED_AT_MAX]
        for one in tx.conversations.of_contact(contact_id, limit=LOOKED_AT_MAX)
        if handle_in(one.address) == (kind, value) and one.mode is not Mode.REHEARSAL
    ]
    return max(found, key=lambda one: (one.created_at, one.id), default=None)


def fill_code(tx: Transaction, clock: Clock, entry: OutboxEntry) -> str | None:
    """The text to send of an entry that carries a code, with a new one in it; None where its time is over.

    Of any other entry the text as it is.
    """
    if entry.author is not Author.SAFE_REPLY or CODE_MARK not in entry.text:
        return entry.text
    code = tx.identities.code_sent_as(entry.id)
    if code is None:
        return entry.text
    if code.state is not CodeState.OPEN or clock.now() > code.expires_at:
        return None
    drawn = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    hashes = (*code.hashes[1 - SENDS_MAX :], code_hash(code.id, drawn))
    tx.identities.put_code(replace(code, hashes=hashes))
    return entry.text.replace(CODE_MARK, drawn)


def enter_code(tx: Transaction, clock: Clock, conversation: Conversation, text: str) -> str:
    """Take what a customer wrote for the code that is waited for in their conversation, if it can be one; returns what may be
    stored of it. Costs nothing where no code was ever asked for."""
    code = tx.identities.open_code(conversation.id)
    entered = None if code is None else entered_code(text)
    if code is None or entered is None:
        return text
    if clock.now() > code.expires_at:
        code, outcome = replace(code, state=CodeState.LATE), "late"
    elif is_code(code, entered):
        code, outcome = replace(code, state=CodeState.ENTERED), "right"
    else:
        tries = code.tries + 1
        state = CodeState.REFUSED if tries >= TRIES_MAX else CodeState.OPEN
        code, outcome = replace(code, tries=tries, state=state), "wrong"
    tx.identities.put_code(code)
    tx.ledger.append(
        "contact.code_entered",
        at=clock.now(),
        conversation_id=conversation.id,
        actor="customer",
        code=code.id,
        outcome=outcome,
        tries=code.tries,
    )
    if outcome == "right":
        verify(tx, clock, conversation, code.kind, code.value, Vouched.CODE, by="customer")
    return without_codes(text)
