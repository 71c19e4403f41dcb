"""The part of the store that says who may call and what they were answered; whether a presented key is right is not asked here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from understudy.records.access import ApiKey, Tries, User, UserSession


class Keys(Protocol):
    """API keys."""

    def add(self, key: ApiKey) -> None: ...

    def get(self, key_id: str) -> ApiKey | None: ...

    def all(self) -> list[ApiKey]: ...

    def revoke(self, key_id: str, *, now: datetime) -> None:
        """Revoke one; raises `NotFound`."""
        ...


class Users(Protocol):
    """People who sign in, their sessions, and how often somebody tried."""

    def add(self, user: User) -> None:
        """Add one; raises `Conflict` where there is one by that id."""
        ...

    def get(self, user_id: str) -> User | None: ...

    def of_subject(self, subject: str) -> User | None:
        """Whoever is called so by an identity provider (`records.access.subject_of`)."""
        ...

    def all(self) -> list[User]:
        """All of them, by id."""
        ...

    def change(self, user: User) -> None:
        """Write role, password and whether they may sign in; raises `NotFound`."""
        ...

    def open_session(self, session: UserSession) -> None: ...

    def session(self, token_hash: str) -> UserSession | None: ...

    def close_session(self, token_hash: str) -> None: ...

    def close_sessions(self, user_id: str) -> None:
        """Close all sessions of a user."""
        ...

    def tries(self, bucket: str) -> Tries | None: ...

    def note_tries(self, tries: Tries) -> None:
        """Write a count, in place of the one before. It is no news, so it needs no ledger entry."""
        ...

    def forget(self, *, tries_before: datetime, sessions_before: datetime) -> None:
        """Drop counts that began, and sessions that expired, before a moment. It is no news either."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The first answer given under an idempotency key."""

    request_digest: str
    status: int
    body: str


class IdempotencyKeys(Protocol):
    """First answers, kept so that a repeated request gets the same one."""

    def get(self, owner: str, key: str) -> Answered | None: ...

    def put(self, owner: str, key: str, answered: Answered, *, now: datetime) -> None: ...
