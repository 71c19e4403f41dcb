"""The part of the store that says who may call and what they were answered; whether a presented key is right is not asked here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from understudy.records.access import ApiKey


class Keys(Protocol):
    """API keys."""

    def add(self, key: ApiKey) -> None: ...

    def get(self, key_id: str) -> ApiKey | None: ...

    def all(self) -> list[ApiKey]: ...

    def revoke(self, key_id: str, *, now: datetime) -> None:
        """Revoke one; raises `NotFound`."""
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
