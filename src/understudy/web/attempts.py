"""One attempt to sign in at the identity provider, carried by the browser that began it; nothing of it is stored here.

The cookie says when it began and where to go afterwards, beside a random secret. State, nonce and verifier are digests of
all that, so that they fit this browser's cookie alone, and any process of the server can tell. The cookie is SameSite=Lax:
the browser comes back from another site.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from understudy.ports.identity import Attempt
from understudy.records.admission import Refusal

COOKIE: Final = "understudy_sign_in"
LASTS: Final = timedelta(minutes=10)
"""Long enough to find one's second factor."""
HOME: Final = "#/"
_PLACE = re.compile(r"#/[A-Za-z0-9/_.~!*'()%?=&+:,@-]{0,600}")
_COOKIE = re.compile(r"(\d{1,12})\.[\w-]{43}\.([\w-]{0,900})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An attempt under way: what the browser keeps of it, and the place in the console to go to afterwards."""

    cookie: str
    attempt: Attempt
    place: str


def begin(to: str, *, now: datetime) -> Begun:
    """Begin an attempt; `to` is a place behind the console's `#`, and anything else is the queue."""
    place = base64.urlsafe_b64encode(place_in_the_console(to).encode()).rstrip(b"=").decode()
    return _begun(f"{int(now.timestamp())}.{secrets.token_urlsafe(32)}.{place}", place_in_the_console(to))


def taken_up(cookie: str | None, *, state: str | None, now: datetime) -> Begun | Refusal:
    """The attempt that a browser comes back with, if it is the one it began, and not too long ago."""
    known = _COOKIE.fullmatch(cookie or "")
    if cookie is None or known is None:
        return Refusal.NOT_BEGUN_HERE
    begun = _begun(cookie, _place_of(known[2]))
    if state is None or not secrets.compare_digest(state.encode(errors="replace"), begun.attempt.state.encode()):
        return Refusal.NOT_BEGUN_HERE
    began_s = int(known[1])
    return begun if 0 <= now.timestamp() - began_s <= LASTS.total_seconds() else Refusal.TOO_LATE


def place_in_the_console(to: str) -> str:
    """Where somebody may be sent afterwards: behind the `#` of our own page, whatever was asked for."""
    return to if _PLACE.fullmatch(to) else HOME


def _begun(cookie: str, place: str) -> Begun:
    attempt = Attempt(**{part: _derived(cookie, part) for part in ("state", "nonce", "verifier")})
    return Begun(cookie=cookie, attempt=attempt, place=place)


def _derived(cookie: str, part: str) -> str:
    digest = hashlib.sha256(f"understudy sign-in {part} {cookie}".encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _place_of(coded: str) -> str:
    try:
        return place_in_the_console(base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode())
    except ValueError:
        return HOME
