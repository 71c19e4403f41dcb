"""API keys: made, read and compared. A key is `us_<id>_<secret>`; only the SHA-256 of the random secret is stored."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import datetime

from understudy.errors import Unauthenticated
from understudy.ports.store import Store, Transaction
from understudy.records.access import ApiKey, Scope

_FORM = re.compile(r"us_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


def make_key(
    name: str, scopes: tuple[Scope, ...], *, now: datetime, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """Make a key: the record to store, and the text to show once."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    record = ApiKey(
        id=key_id,
        name=name,
        scopes=scopes,
        secret_hash=_hash(secret),
        created_at=now,
        expires_at=expires_at,
        revoked_at=None,
    )
    return record, f"us_{key_id}_{secret}"


def add_key(tx: Transaction, key: ApiKey, *, actor: str) -> None:
    """Store a key and write down who made it."""
    tx.keys.add(key)
    tx.ledger.append(
        "key.created", at=key.created_at, actor=actor, key=key.id, name=key.name, scopes=[str(s) for s in key.scopes]
    )


def revoke_key(tx: Transaction, key_id: str, *, now: datetime, actor: str) -> None:
    """Make a key void from now on; raises `NotFound`."""
    tx.keys.revoke(key_id, now=now)
    tx.ledger.append("key.revoked", at=now, actor=actor, key=key_id)


async def find_key(store: Store, presented: str, *, now: datetime) -> ApiKey:
    """Find the key that was presented; raises `Unauthenticated`, without saying which part was wrong."""
    form = _FORM.fullmatch(presented)
    if form is None:
        raise Unauthenticated("the API key is not of the form us_<id>_<secret>")
    key_id, secret = form.groups()
    key = await store.read(lambda tx: tx.keys.get(key_id))
    known = key.secret_hash if key is not None else _hash("")
    if not hmac.compare_digest(known, _hash(secret)) or key is None:
        raise Unauthenticated("the API key is not known here")
    if key.revoked_at is not None:
        raise Unauthenticated(f"the API key {key_id} was revoked")
    if key.expires_at is not None and key.expires_at <= now:
        raise Unauthenticated(f"the API key {key_id} expired at {key.expires_at.isoformat()}")
    return key


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
