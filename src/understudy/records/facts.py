"""What systems of record said of a customer, when, and until when it may be relied on; it asks no system.

Where a system could not say, that is *unknown*, with a reason: never an empty list, which says that there is nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, get_args

About = Literal["contact", "orders", "tickets"]
"""What can be looked up of a customer: who they are, what they ordered, which of their tickets are open."""
ABOUT: Final[tuple[About, ...]] = get_args(About)

Unknown = Literal[
    "not_verified", "no_contact", "ambiguous", "timed_out", "unreachable", "left_alone", "rate_limited", "refused",
    "nonsense", "changed", "stale",
]  # fmt: skip
"""Why a fact is unknown."""

WHY: Final[Mapping[Unknown, str]] = {
    "not_verified": "nobody vouches that the customer is who the system knows",
    "no_contact": "the system knows nobody by what is vouched for",
    "ambiguous": "the system knows several people by what is vouched for",
    "timed_out": "the system did not answer in time",
    "unreachable": "the system could not be reached, or failed",
    "left_alone": "the system failed so often that it is left alone for a while",
    "rate_limited": "the system was asked as often as it may be",
    "refused": "the system refused to say",
    "nonsense": "the system's answer could not be read",
    "changed": "the system's answer lacks what the configuration reads",
    "stale": "it was read too long ago",
}
"""The same in words, for people and agents."""

Proof = Literal["letter", "address", "contact", "none"]
"""What a channel vouches for: *letter*: the sender, where the letter is proven; *address*: the address that it is reached at;
*contact*: all that it tells of the customer, since the business's own software writes it; *none*: nothing."""

ITEMS_MAX: Final = 20
"""No more things of one kind are kept; `has_more` says that there were."""
VALUE_CHARS_MAX: Final = 500
"""So much of one value is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactItem:
    """One thing that a system knows: a person, an order, a ticket. `id` is the system's name for it, `link` where people see it."""

    id: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one `system` said when it was asked for one kind of thing.

    `taken_at`: when it was read, or as of when the system says it holds. `unknown` None: `items` are all there are, or
    the first of more. `says` is for people and never holds what the customer wrote.
    """

    system: str
    about: About
    taken_at: datetime
    fresh_until: datetime
    items: tuple[FactItem, ...] = ()
    has_more: bool = False
    unknown: Unknown | None = None
    says: str = ""
    took_ms: float | None = None

    @property
    def name(self) -> str:
        """How findings and people call it."""
        return f"systems.{self.system}.{self.about}"

    def unknown_at(self, at: datetime) -> Unknown | None:
        """Why it is unknown at a moment; what was read too long before is, too."""
        return self.unknown or ("stale" if at > self.fresh_until else None)


def facts_form(facts: Facts, *, at: datetime) -> dict[str, object]:
    """Facts as agents and callers of the API read them: either `items` or why they are unknown."""
    unknown = facts.unknown_at(at)
    form: dict[str, object] = {
        "system": facts.system,
        "about": facts.about,
        "taken_at": facts.taken_at.isoformat(),
        "fresh_until": facts.fresh_until.isoformat(),
    }
    if unknown is not None:
        return {**form, "unknown": unknown, "why": WHY[unknown]}
    items = [{**({"id": one.id} if one.id is not None else {}), **one.values} for one in facts.items]
    return {**form, "items": items, "has_more": facts.has_more}
