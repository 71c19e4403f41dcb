"""Who may call the API: keys and their scopes; checking a presented key is the web face's work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Scope(StrEnum):
    """What an API key may do."""

    TURNS_WRITE = "turns:write"
    TURNS_READ = "turns:read"
    HOLDS_READ = "holds:read"
    HOLDS_WRITE = "holds:write"
    AUTONOMY_READ = "autonomy:read"
    AUTONOMY_WRITE = "autonomy:write"
    RELEASES_READ = "releases:read"
    RELEASES_WRITE = "releases:write"
    LEDGER_READ = "ledger:read"
    METRICS_READ = "metrics:read"


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
