"""Who may call the API: keys, users with their roles and sessions, and scopes; checking who calls is the web face's work."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """What an API key may do."""

    TURNS_WRITE = "turns:write"
    TURNS_READ = "turns:read"
    HOLDS_READ = "holds:read"
    HOLDS_WRITE = "holds:write"
    ACTIONS_APPROVE = "actions:approve"
    AUTONOMY_READ = "autonomy:read"
    AUTONOMY_WRITE = "autonomy:write"
    RELEASES_READ = "releases:read"
    RELEASES_WRITE = "releases:write"
    LEDGER_READ = "ledger:read"
    LEDGER_UNMASKED = "ledger:unmasked"
    METRICS_READ = "metrics:read"
    UPKEEP_WRITE = "upkeep:write"
    CONTACTS_ERASE = "contacts:erase"
    USERS_WRITE = "users:write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whoever asks, by key or signed in: `name` is the person or service that verdicts and the ledger name."""

    id: str
    name: str
    scopes: tuple[Scope, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as stored: `name` is the person or service it speaks for, `secret_hash` the SHA-256 of its random secret."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    secret_hash: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class Role(StrEnum):
    """What a user is there for; it says which scopes they have."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    LEAD = "lead"
    RELEASER = "releaser"
    AUDITOR = "auditor"
    ADMIN = "admin"


_LOOKS: Final = (Scope.HOLDS_READ, Scope.TURNS_READ, Scope.AUTONOMY_READ, Scope.RELEASES_READ, Scope.METRICS_READ)

SCOPES_OF: Final[Mapping[Role, tuple[Scope, ...]]] = {
    Role.VIEWER: _LOOKS,
    Role.REVIEWER: (Scope.HOLDS_READ, Scope.HOLDS_WRITE, Scope.TURNS_READ),
    Role.LEAD: (
        *(*_LOOKS, Scope.HOLDS_WRITE, Scope.ACTIONS_APPROVE),
        *(Scope.AUTONOMY_WRITE, Scope.UPKEEP_WRITE, Scope.CONTACTS_ERASE),
    ),
    Role.RELEASER: (*_LOOKS, Scope.RELEASES_WRITE),
    Role.AUDITOR: (*_LOOKS, Scope.LEDGER_READ),
    Role.ADMIN: tuple(Scope),
}
"""What each role may do. A lead gives verdicts too, so what a second review must not know is kept from them as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who signs in. `id` is their name as `user_id` folds it; `password_hash` is argon2id's own text form.

    `subject` is who they are at an identity provider, as `subject_of` writes it; such a user has no password (an empty hash).
    """

    id: str
    name: str
    role: Role
    password_hash: str
    created_at: datetime
    disabled_at: datetime | None
    subject: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSession:
    """Somebody signed in, until `expires_at`; only the SHA-256 of the random token in their cookie is kept."""

    token_hash: str
    user_id: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """How often somebody tried to sign in as this user, from this address, or both, since a moment."""

    bucket: str
    count: int
    since: datetime


def subject_of(issuer: str, subject: str) -> str:
    """Name somebody as their identity provider does; an issuer is an address and so holds no white space."""
    return f"{issuer} {subject}"


def caller_id(user: User) -> str:
    """As whom a user who is signed in asks the API; keys have ids of another form."""
    return f"user:{user.id}"


def user_id(name: str) -> str:
    """Fold a name, so that no two users differ in nothing but capitals, white space or how an accent is written."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
