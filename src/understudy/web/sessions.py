"""Signing in and out, and who a session's cookie speaks for; endpoints stand in `signing_in.py`.

The cookie holds a random token of which only the SHA-256 is stored; it is HttpOnly and SameSite=Strict. A request that
changes something and comes by cookie must say that it comes from this site: browsers do, and no page elsewhere can.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from fastapi import Request

from understudy.app import App
from understudy.errors import CrossSite, TooManyTries, Unauthenticated
from understudy.ports.store import Transaction
from understudy.records.access import SCOPES_OF, Caller, Tries, User, UserSession, user_id
from understudy.web.passwords import is_password

COOKIE = "understudy_session"
LASTS = timedelta(hours=12)
"""A working day; then one signs in again."""
WINDOW = timedelta(minutes=5)
TRIES_MAX = {"user and address": 5, "user": 30, "address": 50}
"""Tries to sign in within a window, by what they have in common."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_name(request: Request) -> str:
    """What the cookie is called; over HTTPS its name makes browsers refuse one that another host or path has set."""
    return f"__Host-{COOKIE}" if request.url.scheme == "https" else COOKIE


async def sign_in(app: App, name: str, password: str, *, address: str) -> tuple[User, UserSession, str]:
    """Open a session for who knows the password; returns the token for the cookie too.

    Raises `Unauthenticated`, without saying which of the two was wrong, and `TooManyTries`.
    """
    now, who = app.clock.now(), user_id(name)
    buckets = {"user and address": f"{who[:200]} {address}", "user": who[:200], "address": address}
    wait_s = await app.store.write(lambda tx: _count(tx, buckets, now))
    if wait_s is not None:
        raise TooManyTries(f"too many tries to sign in; wait {wait_s} s", retry_after_s=wait_s)
    user = await app.store.read(lambda tx: tx.users.get(who))
    is_known = await is_password(None if user is None else user.password_hash, password)
    token = secrets.token_urlsafe(32)
    session = UserSession(token_hash=_hash(token), user_id=who, created_at=now, expires_at=now + LASTS)

    def step(tx: Transaction) -> User | None:
        user = tx.users.get(who)
        if user is None or not is_known or user.disabled_at is not None:
            tx.ledger.append("session.refused", at=now, user=None if user is None else user.name)
            return None
        tx.users.open_session(session)
        tx.users.note_tries(Tries(bucket=_key("user and address", buckets), count=0, since=now))
        tx.ledger.append("session.opened", at=now, actor=user.name, expires=session.expires_at.isoformat())
        return user

    signed_in = await app.store.write(step)
    if signed_in is None:
        raise Unauthenticated("name or password is wrong, or this user was shut out")
    return signed_in, session, token


async def sign_out(app: App, token: str) -> None:
    """End a session; does nothing where there is none."""

    def step(tx: Transaction) -> None:
        session = tx.users.session(_hash(token))
        user = None if session is None else tx.users.get(session.user_id)
        if user is not None:
            tx.users.close_session(_hash(token))
            tx.ledger.append("session.closed", at=app.clock.now(), actor=user.name)

    await app.store.write(step)


async def signed_in(app: App, request: Request) -> tuple[User, UserSession] | None:
    """Whose session the request's cookie is, if it is one that lasts."""
    token = request.cookies.get(cookie_name(request))
    if token is None:
        return None
    now = app.clock.now()

    def query(tx: Transaction) -> tuple[User, UserSession] | None:
        session = tx.users.session(_hash(token))
        user = None if session is None or session.expires_at <= now else tx.users.get(session.user_id)
        return None if session is None or user is None or user.disabled_at is not None else (user, session)

    return await app.store.read(query)


async def caller_signed_in(app: App, request: Request) -> Caller:
    """Who asks by cookie; raises `Unauthenticated`, and `CrossSite` for a change that another site asks for."""
    found = await signed_in(app, request)
    if found is None:
        raise Unauthenticated
    demand_same_site(app, request)
    user, _ = found
    return Caller(id=f"user:{user.id}", name=user.name, scopes=SCOPES_OF[user.role])


def demand_same_site(app: App, request: Request) -> None:
    """Let a request through that changes nothing or says that this site's own page makes it; raises `CrossSite`."""
    if request.method in SAFE_METHODS:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site != "same-origin":
        raise CrossSite(f"Sec-Fetch-Site: {site[:40]!r}; only this server's own pages may do that by cookie")
    own = {request.headers.get("host", "")}
    if app.settings.server.public_url is not None:
        own.add(urlsplit(app.settings.server.public_url).netloc)
    if origin is None and site is None:
        raise CrossSite("neither Origin nor Sec-Fetch-Site says which page asks; programs use an API key")
    if origin is not None and urlsplit(origin).netloc not in own:
        raise CrossSite(f"Origin: {origin[:80]!r} is not this server; behind a proxy set server.public_url")


def _count(tx: Transaction, buckets: dict[str, str], now: datetime) -> int | None:
    """Count one more try; returns for how many seconds there may be none, where there were too many."""
    tx.users.forget(tries_before=now - WINDOW, sessions_before=now)
    for kind, most in TRIES_MAX.items():
        key = _key(kind, buckets)
        known = tx.users.tries(key) or Tries(bucket=key, count=0, since=now)
        if known.count >= most:
            return max(1, int((known.since + WINDOW - now).total_seconds()))
        tx.users.note_tries(replace(known, count=known.count + 1))
    return None


def _key(kind: str, buckets: dict[str, str]) -> str:
    return f"{kind}: {buckets[kind]}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
