"""Remember which customers get people, and why; what that means for a decision stands in `assessment/decision.py`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from understudy.effects.identity import group_of
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.rulebook import Rules
from understudy.records.trust import Cap, CapCause, WhyLifted, joined


def cap_contact(
    tx: Transaction, clock: Clock, conversation_id: str, cause: CapCause, *, turn_id: str | None, actor: str = "system"
) -> None:
    """Give the contact of a conversation people from now on; who asked for people goes on getting nobody else."""
    contact_id, now = tx.conversations.get(conversation_id).contact_id, clock.now()
    new = Cap(contact_id=contact_id, cause=cause, turn_id=turn_id, at=now)
    tx.caps.put(joined(tx.caps.of_contact(contact_id), new))
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
    """The caps of a contact and of all who are taken for the same person, the strongest first."""
    found = [cap for one in group_of(tx, contact_id) if (cap := tx.caps.of_contact(one)) is not None]
    own = [cap for cap in found if _reaches(cap, contact_id)]
    is_own = {cap.contact_id: cap.contact_id != contact_id for cap in own}
    return sorted(own, key=lambda cap: (cap.cause is not CapCause.WANTS_PEOPLE, is_own[cap.contact_id], cap.contact_id))


def cap_in_force(tx: Transaction, clock: Clock, contact_id: str, rules: Rules) -> Cap | None:
    """Why a contact gets people now; a cap whose time has come, or that was made good, is lifted here."""
    for cap in caps_of(tx, contact_id) if rules.trust.is_on else []:
        if cap.holds(rules.trust, clock.now()):
            return cap
        if lift_wish(tx, clock, cap.contact_id):
            return cap_in_force(tx, clock, contact_id, rules)  # what else there is may hold on
        lift_cap(tx, clock, cap.contact_id)
    return None


def cap_at(tx: Transaction, contact_id: str, rules: Rules, at: datetime) -> CapCause | None:
    """Why a contact gets people at a moment, as things stand now; nothing is lifted."""
    caps = caps_of(tx, contact_id) if rules.trust.is_on else []
    beside = [left for cap in caps if cap.is_wish and (left := cap.without_wish()) is not None]
    all_of = (*caps, *(left for left in beside if _reaches(left, contact_id)))
    return next((one.cause for one in all_of if one.holds(rules.trust, at)), None)


def _reaches(cap: Cap, contact_id: str) -> bool:
    """Whether a cap of the same person says something of this contact: that nobody vouches for an address says nothing of another one."""
    return cap.contact_id == contact_id or cap.cause is not CapCause.UNPROVEN


def lift_cap(
    tx: Transaction, clock: Clock, contact_id: str, *, actor: str = "system", why: WhyLifted | None = None
) -> bool:
    """Let the agent answer a contact again as it answers everybody; False where nothing kept it from that."""
    if not tx.caps.lift(contact_id):
        return False
    said = None if why is None else why.value
    tx.ledger.append("trust.lifted", at=clock.now(), actor=actor, contact=contact_id, why=said, left=None)
    return True


def lift_wish(tx: Transaction, clock: Clock, contact_id: str, *, actor: str = "system") -> bool:
    """Let a wish for people be fulfilled; what else a contact gets people for stays. False where they asked for none."""
    cap = tx.caps.of_contact(contact_id)
    if cap is None or not cap.is_wish:
        return False
    left = cap.without_wish()
    if left is None:
        return lift_cap(tx, clock, contact_id, actor=actor)
    tx.caps.put(left)
    tx.ledger.append("trust.lifted", at=clock.now(), actor=actor, contact=contact_id, why=None, left=left.cause.value)
    return True
