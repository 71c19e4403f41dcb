"""See to it that only one server works on a SQLite file; PostgreSQL takes any number, so there it does nothing."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL

from understudy.errors import ConfigurationError

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no flock; there the check is left out
    fcntl = None  # type: ignore[assignment]


class SoleProcess:
    """A lock beside the database file, held as long as the process lives; the operating system frees it at a crash."""

    def __init__(self, url: URL, *, mend: str = "Stop it, or use PostgreSQL for several (store.url)") -> None:
        self._mend = mend
        is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
        self._path = Path(f"{url.database}.lock") if is_file else None
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, once; raises `ConfigurationError` where another server has it."""
        if self._path is None or fcntl is None or self._descriptor is not None:
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise ConfigurationError(
                f"another server works on {self._path.with_suffix('')}; SQLite takes one. {self._mend}"
            ) from None
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; harmless where there is none."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
