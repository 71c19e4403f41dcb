"""Remember what this process has under way, so that its leases can be renewed or handed over; it touches no table."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

R = TypeVar("R")


@contextmanager
def under_way(register: set[R], record: R) -> Iterator[None]:
    """Keep a leased record in a register while it is worked on; what a stop cuts off stays there, to be handed over."""
    register.add(record)
    try:
        yield
    except asyncio.CancelledError:
        raise
    except BaseException:
        register.discard(record)
        raise
    else:
        register.discard(record)
