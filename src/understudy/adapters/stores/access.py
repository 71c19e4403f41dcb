"""API keys and idempotency keys in SQL."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select, update

from understudy.adapters.stores.session import Session, columns_of, record_of, values_of
from understudy.adapters.stores.statement import Statement, insert_into
from understudy.adapters.stores.tables import api_keys, idempotency_keys
from understudy.errors import NotFound
from understudy.ports.access import Answered
from understudy.records.access import ApiKey

_KEY = columns_of(api_keys, ApiKey)

_ADD_KEY = insert_into(api_keys)
_KEY_BY_ID = Statement(select(*_KEY).where(api_keys.c.id == bindparam("which")))
_ALL_KEYS = Statement(select(*_KEY).order_by(api_keys.c.created_at))
_REVOKE = Statement(
    update(api_keys).where(api_keys.c.id == bindparam("which")).values(revoked_at=bindparam("revoked_at"))
)
_ANSWERED = Statement(
    select(*columns_of(idempotency_keys, Answered)).where(
        idempotency_keys.c.owner == bindparam("owner"), idempotency_keys.c.key == bindparam("key")
    )
)
_ADD_ANSWERED = insert_into(idempotency_keys)


class SqlKeys:
    """`ports.store.Keys` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, key: ApiKey) -> None:
        self._session.change(_ADD_KEY, values_of(key))

    def get(self, key_id: str) -> ApiKey | None:
        row = self._session.row(_KEY_BY_ID, which=key_id)
        return None if row is None else record_of(ApiKey, row)

    def all(self) -> list[ApiKey]:
        return [record_of(ApiKey, row) for row in self._session.rows(_ALL_KEYS)]

    def revoke(self, key_id: str, *, now: datetime) -> None:
        self._session.change_one(
            _REVOKE,
            {"which": key_id, "revoked_at": now},
            refused=lambda: NotFound(f"there is no API key {key_id!r}; `understudy keys list` shows them"),
        )


class SqlIdempotencyKeys:
    """`ports.store.IdempotencyKeys` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, owner: str, key: str) -> Answered | None:
        row = self._session.row(_ANSWERED, owner=owner, key=key)
        return None if row is None else record_of(Answered, row)

    def put(self, owner: str, key: str, answered: Answered, *, now: datetime) -> None:
        values = {**values_of(answered), "owner": owner, "key": key, "created_at": now}
        self._session.change(_ADD_ANSWERED, values)
