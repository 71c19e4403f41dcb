"""API keys and idempotency keys in SQL."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select, update

from understudy.adapters.stores.session import Session, columns_of, record_of, values_of
from understudy.adapters.stores.tables import api_keys, idempotency_keys
from understudy.errors import NotFound
from understudy.ports.store import Answered
from understudy.records.access import ApiKey

_KEY = columns_of(api_keys, ApiKey)


class SqlKeys:
    """`ports.store.Keys` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, key: ApiKey) -> None:
        self._session.change(insert(api_keys), values_of(key))

    def get(self, key_id: str) -> ApiKey | None:
        row = self._session.row(select(*_KEY).where(api_keys.c.id == key_id))
        return None if row is None else record_of(ApiKey, row)

    def all(self) -> list[ApiKey]:
        return [record_of(ApiKey, row) for row in self._session.rows(select(*_KEY).order_by(api_keys.c.created_at))]

    def revoke(self, key_id: str, *, now: datetime) -> None:
        if self._session.change(update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=now)) != 1:
            raise NotFound(f"there is no API key {key_id!r}; `understudy keys list` shows them")


class SqlIdempotencyKeys:
    """`ports.store.IdempotencyKeys` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, owner: str, key: str) -> Answered | None:
        row = self._session.row(
            select(*columns_of(idempotency_keys, Answered)).where(
                idempotency_keys.c.owner == owner, idempotency_keys.c.key == key
            )
        )
        return None if row is None else record_of(Answered, row)

    def put(self, owner: str, key: str, answered: Answered, *, now: datetime) -> None:
        values = {**values_of(answered), "owner": owner, "key": key, "created_at": now}
        self._session.change(insert(idempotency_keys), values)
