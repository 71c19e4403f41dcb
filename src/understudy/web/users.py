"""Users: made, changed and shut out, with an entry in the ledger each; how they sign in stands in `sessions.py`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from understudy.effects.waiting import reopen_all_of
from understudy.errors import InputError, NotFound
from understudy.ports.store import Transaction
from understudy.records.access import SCOPES_OF, Role, Scope, User, caller_id, user_id
from understudy.web.passwords import hash_password

NAME_CHARS_MAX = 200


def make_user(name: str, role: Role, password: str, *, now: datetime) -> User:
    """Make the record of a user; raises `InputError` for a name or a password that cannot be used."""
    return make_user_with(name, role, hash_password(password), now=now)


def make_user_with(name: str, role: Role, password_hash: str, *, now: datetime) -> User:
    """The same from a password that was hashed; raises `InputError` for a name that cannot be used."""
    name = " ".join(name.split())
    if not 0 < len(name) <= NAME_CHARS_MAX or len(user_id(name)) > NAME_CHARS_MAX or not name.isprintable():
        raise InputError(f"NAME must have 1 to {NAME_CHARS_MAX} characters that can be read, got {name[:40]!r}")
    return User(
        id=user_id(name),
        name=name,
        role=role,
        password_hash=password_hash,
        created_at=now,
        disabled_at=None,
    )


def make_user_of(subject: str, name: str, role: Role, *, now: datetime) -> User:
    """Make the record of somebody whom an identity provider vouches for; they have no password here."""
    return User(
        id=user_id(name), name=name, role=role, password_hash="", created_at=now, disabled_at=None, subject=subject
    )


def add_user(tx: Transaction, user: User, *, actor: str) -> None:
    """Store a user and write down who made them; raises `Conflict` where there is one by that name."""
    tx.users.add(user)
    tx.ledger.append("user.added", at=user.created_at, actor=actor, user=user.name, role=user.role.value)


def change_user(
    tx: Transaction,
    name: str,
    *,
    now: datetime,
    actor: str,
    role: Role | None = None,
    password_hash: str | None = None,
    is_disabled: bool | None = None,
) -> User:
    """Change what is given and leave the rest; a new role, a new password or being shut out ends every session.

    Verdicts of somebody who may not review any more are void where they were not carried out yet; their holds wait again.
    Raises `NotFound`, and `InputError` for a password of somebody who signs in by an identity provider.
    """
    known = tx.users.get(user_id(name))
    if known is None:
        raise NotFound(f"there is no user {name!r}; `understudy users list` shows them")
    if password_hash is not None and known.subject is not None:
        raise InputError(f"{known.name} signs in by the identity provider and has no password here")
    changed = replace(known, role=role or known.role, password_hash=password_hash or known.password_hash)
    if is_disabled is not None:
        changed = replace(changed, disabled_at=(known.disabled_at or now) if is_disabled else None)
    if changed == known:
        return known
    tx.users.change(changed)
    leave(tx, known)
    if changed.disabled_at is not None or Scope.HOLDS_WRITE not in SCOPES_OF[changed.role]:
        reopen_all_of(tx, known.name, now=now, why="may_not_review")
    tx.ledger.append(
        "user.changed",
        at=now,
        actor=actor,
        user=known.name,
        role=changed.role.value,
        password=password_hash is not None,
        disabled=changed.disabled_at is not None,
    )
    return changed


def end_sessions(tx: Transaction, user: User, *, now: datetime, actor: str) -> None:
    """Sign somebody out wherever they are signed in."""
    leave(tx, user)
    tx.ledger.append("user.signed_out", at=now, actor=actor, user=user.name)


def leave(tx: Transaction, user: User) -> None:
    """End every session of somebody; nobody sees them at the desk any more."""
    tx.users.close_sessions(user.id)
    tx.desk.leave(caller_id(user))
