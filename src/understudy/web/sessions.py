"""Signing in and out, and who a session's cookie speaks for; endpoints stand in `signing_in.py`.

The cookie holds a random token of which only the SHA-256 is stored; it is HttpOnly and SameSite=Strict. A request that
changes something and comes by cookie must say that it comes from this site: browsers do, and no page elsewhere can.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request, Response

from understudy.app import App
from understudy.errors import CrossSite, SignInRefused, TooManyTries, Unauthenticated
from understudy.ports.identity import Identity
from understudy.ports.store import Transaction
from understudy.records.access import SCOPES_OF, Caller, Role, Tries, User, UserSession, caller_id, subject_of, user_id
from understudy.records.admission import Admitted, Refusal, admit
from understudy.web.passwords import is_password
from understudy.web.users import add_user, change_user, leave, make_user_of

COOKIE = "understudy_session"
LASTS = timedelta(hours=12)
"""A working day; then one signs in again."""
WINDOW = timedelta(minutes=5)
BY_PROVIDER: Final = "provider and address"
TRIES_MAX = {"user and address": 5, "user": 30, "address": 50, BY_PROVIDER: 200}
"""Tries to sign in within a window, by what they have in common; those at the provider count when they begin and end."""
NOBODYS: Final = frozenset({"system", "channel", "customer", "command line", "demo"})
"""Names by which the ledger means the product itself, or a customer."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_name(request: Request, *, cookie: str = COOKIE) -> str:
    """What a cookie is called; over HTTPS its name makes browsers refuse one that another host or path has set."""
    return f"__Host-{cookie}" if is_secure(request) else cookie


def is_secure(request: Request) -> bool:
    """Whether the browser came by HTTPS, as it or a proxy that is trusted says."""
    return request.url.scheme == "https"


def address_of(request: Request) -> str:
    """Where a request comes from, for counting."""
    return request.client.host if request.client is not None else "unknown"


def put_cookie(response: Response, request: Request, session: UserSession, token: str) -> None:
    """Give a session to the browser that opened it."""
    response.set_cookie(
        cookie_name(request),
        token,
        max_age=int((session.expires_at - session.created_at).total_seconds()),
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="strict",
    )


async def sign_in(app: App, name: str, password: str, *, address: str) -> tuple[User, UserSession, str]:
    """Open a session for who knows the password; returns the token for the cookie too.

    Raises `Unauthenticated`, without saying which of the two was wrong, and `TooManyTries`.
    """
    whose = app.settings.sign_in.password
    if whose == "none":
        raise Unauthenticated("passwords are not taken here (sign_in.password); sign in by the identity provider")
    now, who = app.clock.now(), user_id(name)
    buckets = {"user and address": f"{who[:200]} {address}", "user": who[:200], "address": address}
    await count_try(app, buckets)
    user = await app.store.read(lambda tx: tx.users.get(who))
    is_known = await is_password(None if user is None else user.password_hash, password)
    session, token = _new_session(who, now)

    def step(tx: Transaction) -> User | None:
        user = tx.users.get(who)
        is_shut_out = user is not None and user.disabled_at is not None
        if user is None or not is_known or is_shut_out or (whose == "admins" and user.role is not Role.ADMIN):
            why = "wrong" if not is_known else Refusal.SHUT_OUT.value if is_shut_out else "admins-only"
            named = None if user is None else user.name
            tx.ledger.append("session.refused", at=now, user=named, way="password", why=why)
            return None
        _open(tx, user, session, way="password")
        tx.users.note_tries(Tries(bucket=_key("user and address", buckets), count=0, since=now))
        return user

    signed_in = await app.store.write(step)
    if signed_in is None:
        raise Unauthenticated("name or password is wrong, or this user was shut out")
    return signed_in, session, token


async def sign_in_as(app: App, identity: Identity) -> tuple[UserSession, str] | Refusal:
    """Open a session for whom the identity provider vouches for; returns the token for the cookie too, or why not.

    Whoever comes for the first time becomes a user. Their role follows the claims each time; without one, their
    sessions end. Raises `SignInRefused` where no name is left for them.
    """
    now, subject = app.clock.now(), subject_of(identity.issuer, identity.subject)
    assert app.settings.sign_in.oidc is not None
    admitted = admit(identity.claims, app.settings.sign_in.oidc.terms)

    def step(tx: Transaction) -> tuple[UserSession, str] | Refusal:
        known = tx.users.of_subject(subject)
        if isinstance(admitted, Refusal) or (known is not None and known.disabled_at is not None):
            why = admitted if isinstance(admitted, Refusal) else Refusal.SHUT_OUT
            if known is not None:
                leave(tx, known)
            named = None if known is None else known.name
            tx.ledger.append("session.refused", at=now, user=named, way="oidc", why=why.value)
            return why
        if known is None:
            user = make_user_of(subject, _free_name(tx, admitted), admitted.role, now=now)
            add_user(tx, user, actor=identity.issuer)
        else:
            user = change_user(tx, known.name, now=now, actor=identity.issuer, role=admitted.role)
        session, token = _new_session(user.id, now)
        _open(tx, user, session, way="oidc")
        return session, token

    return await app.store.write(step)


async def note_refusal(app: App, refused: SignInRefused) -> None:
    """Write down that somebody came back from the provider and it is not known who."""
    now = app.clock.now()
    await app.store.write(
        lambda tx: tx.ledger.append("session.refused", at=now, user=None, way="oidc", why=refused.why)
    )


def _free_name(tx: Transaction, admitted: Admitted) -> str:
    """A name that nobody else has here, no program either: verdicts, second reviews and the ledger go by it."""
    taken = NOBODYS | {user_id(key.name) for key in tx.keys.all()}
    free = (name for name in admitted.names() if user_id(name) not in taken and tx.users.get(user_id(name)) is None)
    name = next(free, None)
    if name is None:
        raise SignInRefused("a hundred others have that name already", why=Refusal.NO_NAME)
    return name


def _new_session(who: str, now: datetime) -> tuple[UserSession, str]:
    token = secrets.token_urlsafe(32)
    return UserSession(token_hash=_hash(token), user_id=who, created_at=now, expires_at=now + LASTS), token


def _open(tx: Transaction, user: User, session: UserSession, *, way: str) -> None:
    tx.users.open_session(session)
    tx.ledger.append(
        "session.opened", at=session.created_at, actor=user.name, expires=session.expires_at.isoformat(), way=way
    )


async def sign_out(app: App, token: str) -> None:
    """End a session; does nothing where there is none."""

    def step(tx: Transaction) -> None:
        session = tx.users.session(_hash(token))
        user = None if session is None else tx.users.get(session.user_id)
        if user is not None:
            tx.users.close_session(_hash(token))
            tx.desk.leave(caller_id(user))
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
    return Caller(id=caller_id(user), name=user.name, scopes=SCOPES_OF[user.role])


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


async def count_try(app: App, buckets: dict[str, str]) -> None:
    """Count one more try in each bucket; raises `TooManyTries`."""
    now = app.clock.now()
    wait_s = await app.store.write(lambda tx: _count(tx, buckets, now))
    if wait_s is not None:
        raise TooManyTries(f"too many tries to sign in; wait {wait_s} s", retry_after_s=wait_s)


def _count(tx: Transaction, buckets: dict[str, str], now: datetime) -> int | None:
    """Count one more try; returns for how many seconds there may be none, where there were too many."""
    tx.users.forget(tries_before=now - WINDOW, sessions_before=now)
    for kind in buckets:
        most, key = TRIES_MAX[kind], _key(kind, buckets)
        known = tx.users.tries(key) or Tries(bucket=key, count=0, since=now)
        if known.count >= most:
            return max(1, int((known.since + WINDOW - now).total_seconds()))
        tx.users.note_tries(replace(known, count=known.count + 1))
    return None


def _key(kind: str, buckets: dict[str, str]) -> str:
    return f"{kind}: {buckets[kind]}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
