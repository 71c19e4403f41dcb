"""The part of the store that says who may call; whether a presented key is right is not asked here."""

from __future__ import annotations

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
