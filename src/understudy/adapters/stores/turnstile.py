"""Let processes that write to one SQLite file in one after the other, whoever is busier; it keeps no data safe.

SQLite does not queue who waits for its write lock: they look again every now and then. A server that writes without a
pause holds the lock nearly always, so a command beside it, a stop say, would look in vain until it gave up. Here
whoever wants to write goes through a file lock first and stands in it until the write lock is his. A busy server holds
it for microseconds; a command that stands in it is next. PostgreSQL has a queue of its own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import URL

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no flock; there the one who looks at the right moment is next
    fcntl = None  # type: ignore[assignment]

LOOK_AGAIN_S: Final = 0.001
PATIENCE_S: Final = 1.0
"""Whoever stands in it for longer has come to harm, and nobody waits for him: SQLite's own lock is what protects."""


class Turnstile:
    """For one thread. A lock beside the database file; the operating system frees it when its process ends."""

    def __init__(self, url: URL) -> None:
        is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
        self._path = f"{url.database}.turnstile" if is_file and fcntl is not None else None
        self._descriptor: int | None = None

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Stand in the turnstile; take the write lock meanwhile. Where there is none to stand in, go straight on."""
        is_in = self._enter()
        try:
            yield
        finally:
            if is_in and self._descriptor is not None:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file; harmless where it was never opened."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _enter(self) -> bool:
        if self._path is None:
            return False
        try:
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            return self._wait(self._descriptor)
        except OSError:  # a full disk, a file system without locks: the database says itself what it cannot do
            return False

    def _wait(self, descriptor: int) -> bool:
        gives_up_at = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= gives_up_at:
                    return False
                time.sleep(LOOK_AGAIN_S)  # noqa: TID251 - as SQLite itself waits, whatever a Clock says
            else:
                return True
