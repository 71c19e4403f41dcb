"""A step of a test that changes something and says so in the ledger, as the store demands of every step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def told(change: Callable[[Any], T]) -> Callable[[Any], T]:
    """`change` with an entry of its own, which is the same for every one."""

    def step(tx: Any) -> T:
        tx.ledger.append("test.changed", at=NOW)
        return change(tx)

    return step
