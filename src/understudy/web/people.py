"""`/v1/users`: who signs in, and as what, for an admin. What a change means stands in `users.py`; a password is shown once."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from understudy.errors import Conflict, NotFound
from understudy.ports.store import Transaction
from understudy.records.access import Caller, Role, User, caller_id
from understudy.records.codec import digest
from understudy.web.auth import TheApp, UsersWriter
from understudy.web.bodies import JsonRoute
from understudy.web.passwords import hash_password_aside, make_password
from understudy.web.problems import answers
from understudy.web.users import add_user, change_user, end_sessions, make_user_with

router = APIRouter(prefix="/v1/users", tags=["users"], route_class=JsonRoute)


class UserOut(BaseModel):
    """Somebody who signs in; `id` stays theirs. `provider` is the issuer that vouches for them, null where a password does; `sessions` are open now."""

    id: str
    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None
    provider: str | None
    sessions: int


class UserIn(BaseModel):
    """Somebody new."""

    model_config = ConfigDict(strict=True, extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    role: Role = Field(strict=False)


class ChangeIn(BaseModel):
    """What is to be different; what is left out stays."""

    model_config = ConfigDict(strict=True, extra="forbid")

    role: Role | None = Field(None, strict=False)
    disabled: bool | None = None


class UserWithPassword(BaseModel):
    """Somebody, and the password that was made up for them: it is shown this once."""

    user: UserOut
    password: str


@router.get("", responses=answers(401, 403))
async def list_users(
    app: TheApp,
    key: UsersWriter,  # noqa: ARG001 - its dependency lets only admins through
) -> list[UserOut]:
    """List everybody who signs in, by name."""
    now = app.clock.now()
    return await app.store.read(lambda tx: [_shown(tx, user, now) for user in tx.users.all()])


@router.post("", responses=answers(401, 403, 409), status_code=201)
async def create_user(body: UserIn, app: TheApp, key: UsersWriter) -> UserWithPassword:
    """Let somebody in; the password in the answer is shown this once."""
    now, password = app.clock.now(), make_password()
    user = make_user_with(body.name, body.role, await hash_password_aside(password), now=now)

    def step(tx: Transaction) -> UserOut:
        add_user(tx, user, actor=key.name)
        return _shown(tx, user, now)

    return UserWithPassword(user=await app.store.write(step), password=password)


@router.post("/{which}", responses=answers(401, 403, 404, 409))
async def change(which: str, body: ChangeIn, app: TheApp, key: UsersWriter) -> UserOut:
    """Give somebody another role, shut them out, or let them in again; a change ends all their sessions."""
    now = app.clock.now()

    def step(tx: Transaction) -> UserOut:
        user = _found(tx, which)
        if (body.role not in (None, user.role) or body.disabled) and _is(key, user):
            raise Conflict("that is you; another admin can do it, so that nobody locks everybody out")
        changed = change_user(tx, user.name, now=now, actor=key.name, role=body.role, is_disabled=body.disabled)
        return _shown(tx, changed, now)

    return await app.store.write(step)


@router.post("/{which}/password", responses=answers(401, 403, 404))
async def new_password(which: str, app: TheApp, key: UsersWriter) -> UserWithPassword:
    """Give somebody a new password, shown this once; all their sessions end."""
    now, password = app.clock.now(), make_password()
    password_hash = await hash_password_aside(password)

    def step(tx: Transaction) -> UserOut:
        user = change_user(tx, _found(tx, which).name, now=now, actor=key.name, password_hash=password_hash)
        return _shown(tx, user, now)

    return UserWithPassword(user=await app.store.write(step), password=password)


@router.post("/{which}/sign_out", responses=answers(401, 403, 404))
async def sign_out_everywhere(which: str, app: TheApp, key: UsersWriter) -> UserOut:
    """End all sessions of somebody; they may sign in again."""
    now = app.clock.now()

    def step(tx: Transaction) -> UserOut:
        user = _found(tx, which)
        end_sessions(tx, user, now=now, actor=key.name)
        return _shown(tx, user, now)

    return await app.store.write(step)


def _found(tx: Transaction, which: str) -> User:
    user = next((user for user in tx.users.all() if _id(user) == which), None)
    if user is None:
        raise NotFound(f"there is no user of the id {which[:80]!r}; GET /v1/users lists them")
    return user


def _id(user: User) -> str:
    """What a user is called in an address: a name may hold what an address cannot, such as a slash."""
    return f"user-{digest(user.id)[:16]}"


def _is(key: Caller, user: User) -> bool:
    return key.id == caller_id(user)


def _shown(tx: Transaction, user: User, now: datetime) -> UserOut:
    return UserOut(
        id=_id(user),
        name=user.name,
        role=user.role,
        created_at=user.created_at,
        disabled_at=user.disabled_at,
        provider=None if user.subject is None else user.subject.partition(" ")[0],
        sessions=sum(session.expires_at > now for session in tx.users.sessions(user.id)),
    )
