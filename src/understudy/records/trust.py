"""Customers who get people, because their last contact with the agent went badly or because they asked to; no rule is here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class CapCause(StrEnum):
    """What happened: a reply was rejected after it was sent, the customer complained or gave a thumbs down, a person had
    to take over, the customer came back for what a reply should have settled (*recontact*); or they asked for people.
    *unproven*: nobody vouches that the address is theirs."""

    REJECTED = "rejected"
    COMPLAINT = "complaint"
    THUMBS_DOWN = "thumbs_down"
    TAKEN_OVER = "taken_over"
    RECONTACT = "recontact"
    WANTS_PEOPLE = "wants_people"
    UNPROVEN = "unproven"


class WhyLifted(StrEnum):
    """Why a person lifts a cap: it is *settled* with the customer, it was a *mistake*, the customer *asked* for the agent again, or
    something *other*."""

    SETTLED = "settled"
    MISTAKE = "mistake"
    ASKED = "asked"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRules:
    """When a cap ends by itself: after `days` days, or after `good_contacts` drafts that a reviewer approved as they
    were or a customer gave a thumbs up; 0 = never. `is_on` False: nobody is capped."""

    is_on: bool = True
    days: float = 30.0
    good_contacts: int = 3


USUAL_TRUST = TrustRules()
"""Where the configuration says nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapOf:
    """What a cap goes back to: in which turn it happened, or of whose reply it is, and when."""

    turn_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """A contact gets people since `at`, because of what happened in `turn_id`; `good`: contacts since that went well.

    A wish for people goes before all else. What else happened, before or since, is kept beside it (`beside_…`), and outlasts it.
    """

    contact_id: str
    cause: CapCause
    turn_id: str | None
    at: datetime
    good: int = 0
    beside: CapCause | None = None
    beside_turn_id: str | None = None
    beside_at: datetime | None = None

    @property
    def is_wish(self) -> bool:
        """Whether they asked for people."""
        return self.cause is CapCause.WANTS_PEOPLE

    @property
    def is_unproven(self) -> bool:
        """Whether nobody vouches for their address, whatever else there is."""
        return CapCause.UNPROVEN in (self.cause, self.beside)

    def without_wish(self) -> Cap | None:
        """What is left of it when a wish for people ends."""
        if not self.is_wish:
            return self
        if self.beside is None or self.beside_at is None:
            return None
        return Cap(
            contact_id=self.contact_id,
            cause=self.beside,
            turn_id=self.beside_turn_id,
            at=self.beside_at,
            good=self.good,
        )

    def ends_at(self, rules: TrustRules) -> datetime | None:
        """When it ends if nothing happens; None = not by time."""
        if self.cause is CapCause.UNPROVEN:
            return None
        return self.at + timedelta(days=rules.days) if rules.days else None

    def holds(self, rules: TrustRules, now: datetime) -> bool:
        """Whether it still holds."""
        ends_at = self.ends_at(rules)
        if self.cause is CapCause.UNPROVEN:  # Good replies prove nothing of who got them; a person may lift it.
            return rules.is_on
        is_over = (ends_at is not None and ends_at <= now) or 0 < rules.good_contacts <= self.good
        return rules.is_on and not is_over


def joined(before: Cap | None, new: Cap) -> Cap:
    """One cap of two: a later cause stands in place of an earlier one and begins the time anew, but for an address that nobody vouches
    for, which is no more proven by it; and a wish for people is kept beside what else there is."""
    if before is None:
        return new
    others = [cap for cap in (new, before.without_wish()) if cap is not None and not cap.is_wish]
    other = next((cap for cap in others if cap.cause is CapCause.UNPROVEN), next(iter(others), None))
    wish = new if new.is_wish else before
    if not wish.is_wish:
        return replace(other or new, good=0)
    beside = (None, None, None) if other is None else (other.cause, other.turn_id, other.at)
    return replace(wish, good=0, beside=beside[0], beside_turn_id=beside[1], beside_at=beside[2])
