"""Passwords: hashed by argon2id, checked, and made up; who signs in with one stands in `sessions.py`."""

from __future__ import annotations

import asyncio
import secrets
from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from understudy.errors import InputError

CHARS_MIN = 12
CHARS_MAX = 200
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
"""OWASP's least parameters: 19 MiB, two passes, one lane; a hash takes some 30 ms and says its own parameters."""
AT_ONCE = 4
"""So many passwords are checked at once in a process; each takes 19 MiB for its moment."""
_places = asyncio.Semaphore(AT_ONCE)


def hash_password(password: str) -> str:
    """Hash a new password; raises `InputError` for one that is too short or too long. There are no other rules."""
    if not CHARS_MIN <= len(password) <= CHARS_MAX:
        raise InputError(f"a password has {CHARS_MIN} to {CHARS_MAX} characters, this one has {len(password)}")
    return HASHER.hash(password)


def make_password() -> str:
    """Make one up: twenty letters and digits in groups of five, some 98 bits."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"  # none that look alike
    return "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4))


async def is_password(password_hash: str | None, password: str) -> bool:
    """Whether a password is the one that was hashed. Without a hash it takes as long, so that nobody learns who there is."""
    async with _places:
        return await asyncio.to_thread(_matches, password_hash or _nobodys(), password) and bool(password_hash)


@cache
def _nobodys() -> str:
    return HASHER.hash(secrets.token_urlsafe(32))


def _matches(password_hash: str, password: str) -> bool:
    try:
        return len(password) <= CHARS_MAX and HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
