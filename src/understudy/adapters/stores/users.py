"""Users, their sessions and tries to sign in, in SQL."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from understudy.adapters.stores.session import Session, columns_of, record_of, values_of
from understudy.adapters.stores.statement import Statement, insert_into
from understudy.adapters.stores.user_tables import sign_in_tries, user_sessions, users
from understudy.errors import Conflict, NotFound
from understudy.records.access import Tries, User, UserSession

_USER = columns_of(users, User)
_ADD = insert_into(users)
_BY_ID = Statement(select(*_USER).where(users.c.id == bindparam("which")))
_BY_SUBJECT = Statement(select(*_USER).where(users.c.subject == bindparam("which")))
_ALL = Statement(select(*_USER).order_by(users.c.id))
_CHANGE = Statement(
    update(users)
    .where(users.c.id == bindparam("which"))
    .values({name: bindparam(name) for name in ("role", "password_hash", "disabled_at")})
)
_OPEN = insert_into(user_sessions)
_SESSION = Statement(
    select(*columns_of(user_sessions, UserSession)).where(user_sessions.c.token_hash == bindparam("which"))
)
_CLOSE = Statement(delete(user_sessions).where(user_sessions.c.token_hash == bindparam("which")))
_CLOSE_ALL = Statement(delete(user_sessions).where(user_sessions.c.user_id == bindparam("which")))
_TRIES = Statement(select(*columns_of(sign_in_tries, Tries)).where(sign_in_tries.c.bucket == bindparam("which")))
_FIRST_TRY = insert_into(sign_in_tries)
_NEXT_TRY = Statement(
    update(sign_in_tries)
    .where(sign_in_tries.c.bucket == bindparam("which"))
    .values(count=bindparam("count"), since=bindparam("since"))
)
_FORGET_TRIES = Statement(delete(sign_in_tries).where(sign_in_tries.c.since < bindparam("before")))
_FORGET_SESSIONS = Statement(delete(user_sessions).where(user_sessions.c.expires_at < bindparam("before")))


class SqlUsers:
    """`ports.access.Users` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, user: User) -> None:
        if self.get(user.id) is not None:
            raise Conflict(f"there is a user {user.id!r} already; `understudy users change` changes one")
        self._session.change(_ADD, values_of(user))

    def get(self, user_id: str) -> User | None:
        row = self._session.row(_BY_ID, which=user_id)
        return None if row is None else record_of(User, row)

    def of_subject(self, subject: str) -> User | None:
        row = self._session.row(_BY_SUBJECT, which=subject)
        return None if row is None else record_of(User, row)

    def all(self) -> list[User]:
        return [record_of(User, row) for row in self._session.rows(_ALL)]

    def change(self, user: User) -> None:
        self._session.change_one(
            _CHANGE,
            {"which": user.id, **values_of(user, leave_out=("id", "name", "created_at", "subject"))},
            refused=lambda: NotFound(f"there is no user {user.id!r}; `understudy users list` shows them"),
        )

    def open_session(self, session: UserSession) -> None:
        self._session.change(_OPEN, values_of(session))

    def session(self, token_hash: str) -> UserSession | None:
        row = self._session.row(_SESSION, which=token_hash)
        return None if row is None else record_of(UserSession, row)

    def close_session(self, token_hash: str) -> None:
        self._session.change(_CLOSE, {"which": token_hash})

    def close_sessions(self, user_id: str) -> None:
        self._session.change(_CLOSE_ALL, {"which": user_id})

    def tries(self, bucket: str) -> Tries | None:
        row = self._session.row(_TRIES, which=bucket)
        return None if row is None else record_of(Tries, row)

    def note_tries(self, tries: Tries) -> None:
        if self.tries(tries.bucket) is None:
            self._session.renew(_FIRST_TRY, values_of(tries))
        else:
            self._session.renew(_NEXT_TRY, {"which": tries.bucket, "count": tries.count, "since": tries.since})

    def forget(self, *, tries_before: datetime, sessions_before: datetime) -> None:
        self._session.renew(_FORGET_TRIES, {"before": tries_before})
        self._session.renew(_FORGET_SESSIONS, {"before": sessions_before})
