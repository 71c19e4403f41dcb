"""Remember which customers get people, and why; what that means for a decision stands in `assessment/decision.py`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from understudy.effects.identity import group_of
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.rulebook import Rules
from understudy.records.trust import Cap, CapCause, WhyLifted


def cap_contact(
    tx: Transaction, clock: Clock, conversation_id: str, cause: CapCause, *, turn_id: str | None, actor: str = "system"
) -> None:
    """Give the contact of a conversation people from now on; who asked for people goes on getting nobody else,
    and an address that nobody vouches for is no more proven by what happens later."""
    contact_id = tx.conversations.get(conversation_id).contact_id
    before = tx.caps.of_contact(contact_id)
    if before is not None and (
        before.cause is CapCause.WANTS_PEOPLE
        or (before.cause is CapCause.UNPROVEN and cause is not CapCause.WANTS_PEOPLE)
    ):
        cause = before.cause
    now = clock.now()
    tx.caps.put(Cap(contact_id=contact_id, cause=cause, turn_id=turn_id, at=now))
    tx.ledger.append(
        "trust.capped",
        at=now,
        turn_id=turn_id,
        conversation_id=conversation_id,
        actor=actor,
        contact=contact_id,
        cause=cause.value,
    )


def credit_contact(
    tx: Transaction, clock: Clock, conversation_id: str, *, turn_id: str | None, actor: str = "system"
) -> None:
    """Count a contact that went well for a customer who is capped."""
    caps = caps_of(tx, tx.conversations.get(conversation_id).contact_id)
    if not caps:
        return
    cap = caps[0]
    tx.caps.put(replace(cap, good=cap.good + 1))
    tx.ledger.append(
        "trust.credited",
        at=clock.now(),
        turn_id=turn_id,
        conversation_id=conversation_id,
        actor=actor,
        contact=cap.contact_id,
        good=cap.good + 1,
    )


def caps_of(tx: Transaction, contact_id: str) -> list[Cap]:
    """The caps of a contact and of all who are taken for the same person, the strongest first.

    That nobody vouches for an address says nothing of another one, so such a cap stays with its contact.
    """
    found = [cap for one in group_of(tx, contact_id) if (cap := tx.caps.of_contact(one)) is not None]
    own = [cap for cap in found if cap.contact_id == contact_id or cap.cause is not CapCause.UNPROVEN]
    is_own = {cap.contact_id: cap.contact_id != contact_id for cap in own}
    return sorted(own, key=lambda cap: (cap.cause is not CapCause.WANTS_PEOPLE, is_own[cap.contact_id], cap.contact_id))


def cap_in_force(tx: Transaction, clock: Clock, contact_id: str, rules: Rules) -> Cap | None:
    """Why a contact gets people now; a cap whose time has come, or that was made good, is lifted here."""
    for cap in caps_of(tx, contact_id) if rules.trust.is_on else []:
        if cap.holds(rules.trust, clock.now()):
            return cap
        lift_cap(tx, clock, cap.contact_id)
    return None


def cap_at(tx: Transaction, contact_id: str, rules: Rules, at: datetime) -> CapCause | None:
    """Why a contact gets people at a moment, as things stand now; nothing is lifted."""
    caps = caps_of(tx, contact_id) if rules.trust.is_on else []
    return next((cap.cause for cap in caps if cap.holds(rules.trust, at)), None)


def lift_cap(
    tx: Transaction, clock: Clock, contact_id: str, *, actor: str = "system", why: WhyLifted | None = None
) -> bool:
    """Let the agent answer a contact again as it answers everybody; False where nothing kept it from that."""
    if not tx.caps.lift(contact_id):
        return False
    said = None if why is None else why.value
    tx.ledger.append("trust.lifted", at=clock.now(), actor=actor, contact=contact_id, why=said)
    return True
