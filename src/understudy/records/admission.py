"""Who somebody is here and what they may do, from what an identity provider says of them; it asks nobody and stores nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from understudy.records.access import Role, user_id

NAME_CHARS_MAX: Final = 100
"""Longest name taken over; the rest of the room is for what tells two people of one name apart."""
ID_CHARS_MAX: Final = 200


class Refusal(StrEnum):
    """Why somebody who came by way of the identity provider was not let in; the console has a sentence for each."""

    NOT_CONFIGURED = "not-configured"
    NOT_BEGUN_HERE = "not-begun-here"
    TOO_LATE = "too-late"
    TOO_MANY_TRIES = "too-many-tries"
    PROVIDER_AWAY = "provider-away"
    PROVIDER_REFUSED = "provider-refused"
    TOKEN_INVALID = "token-invalid"  # noqa: S105 - a reason, no secret
    NO_NAME = "no-name"
    NO_ROLE = "no-role"
    OTHER_DOMAIN = "other-domain"
    SHUT_OUT = "shut-out"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionTerms:
    """Whom this server lets in. `roles` are tried in their order against the values of the claim; the first counts.

    `default_role` None: who has none of them is refused. `email_domains` empty: any address, or none, will do.
    """

    name_claim: str
    role_claim: str | None
    roles: tuple[tuple[str, Role], ...]
    default_role: Role | None
    email_domains: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """Somebody who may come in; `email` only where the provider says that it was verified."""

    name: str
    role: Role
    email: str | None

    def names(self) -> tuple[str, ...]:
        """Names to be known by, best first: one that is taken by somebody else is passed over."""
        others = [] if self.email is None else [f"{self.name} ({self.email})"]
        numbered = [f"{self.name} ({number})" for number in range(2, 100)]
        return tuple(
            name for name in (self.name, *others, *numbered) if max(len(name), len(user_id(name))) <= ID_CHARS_MAX
        )


def admit(claims: Mapping[str, Any], terms: AdmissionTerms) -> Admitted | Refusal:
    """Say who somebody is here, or why they may not come in."""
    email = _verified_email(claims)
    if terms.email_domains and (email is None or email.rpartition("@")[2].casefold() not in terms.email_domains):
        return Refusal.OTHER_DOMAIN
    role = _role(claims, terms)
    if role is None:
        return Refusal.NO_ROLE
    for claim in (terms.name_claim, "name", "preferred_username", "email"):
        if name := _readable(claim_at(claims, claim)):
            return Admitted(name=name, role=role, email=email)
    return Refusal.NO_NAME


def claim_at(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its name or, where there is none, by a path with dots such as `realm_access.roles`; None if absent."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _role(claims: Mapping[str, Any], terms: AdmissionTerms) -> Role | None:
    said = None if terms.role_claim is None else claim_at(claims, terms.role_claim)
    values = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    return next((role for value, role in terms.roles if value in values), terms.default_role)


def _verified_email(claims: Mapping[str, Any]) -> str | None:
    email, is_verified = claims.get("email"), claims.get("email_verified")
    if not isinstance(email, str) or email.count("@") != 1 or is_verified not in (True, "true"):
        return None
    return _readable(email)


def _readable(said: Any) -> str | None:
    """The text as it may stand in a verdict and in the ledger, or None where nothing is left of it."""
    if not isinstance(said, str):
        return None
    name = " ".join("".join(one if one.isprintable() else " " for one in said[: 4 * NAME_CHARS_MAX]).split())
    name = name[:NAME_CHARS_MAX].strip()
    while len(user_id(name)) > NAME_CHARS_MAX + NAME_CHARS_MAX // 2:  # some characters fold into many
        name = name[:-1].strip()
    return name or None
