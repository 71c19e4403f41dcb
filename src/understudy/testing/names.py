"""Names of hosts for the length of a trial: some stand for this machine, some cannot be resolved; it opens no connection.

with Names() as names:
    names.stand_in("agent.fault.test", fails=lambda: False)
"""

from __future__ import annotations

import ipaddress
import socket
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Any

LOOPBACK = "127.0.0.1"


class Names:
    """Takes the place of the resolver of this process while it is open; for trials only, and one at a time.

    A name that stands in is this machine, or fails, as its own function says each time. With `only_here` no other host is
    ever found, so that nothing can reach the outside; `refused` has what was asked for; `failed` counts look-ups of names that stand in and failed.
    """

    def __init__(self, *, only_here: bool = False) -> None:
        self.refused: list[str] = []
        self.failed: Counter[str] = Counter()
        self._only_here = only_here
        self._fails: dict[str, Callable[[], bool]] = {}
        self._real: Callable[..., Any] | None = None

    def stand_in(self, name: str, *, fails: Callable[[], bool] = lambda: False) -> None:
        """Let a name mean this machine, except while `fails()`."""
        self._fails[name.lower()] = fails

    def __enter__(self) -> Names:
        assert self._real is None, "it is open already"
        self._real = socket.getaddrinfo
        socket.getaddrinfo = self._look_up
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._real is not None, "it is open"
        socket.getaddrinfo, self._real = self._real, None

    def _look_up(self, host: Any, port: Any, *more: Any, **named: Any) -> Any:
        real = self._real
        assert real is not None, "it is open"
        name = _text(host).lower().rstrip(".")
        if (fails := self._fails.get(name)) is not None:
            if fails():
                self.failed[name] += 1
                raise socket.gaierror(socket.EAI_NONAME, f"{name} is not known: its name is made to fail")
            return real(LOOPBACK, port, *more, **named)
        if self._only_here and not is_here(name):
            self.refused.append(name)
            raise socket.gaierror(socket.EAI_NONAME, f"{name} is outside: this trial reaches nothing there")
        return real(host, port, *more, **named)


def is_here(host: str) -> bool:
    """Whether a host is this machine, or a name that by its very nature is nobody's (RFC 2606): .test, .example, …"""
    host = host.lower().strip("[]").rstrip(".")
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rpartition(".")[2] in ("test", "example", "invalid", "localhost")


def _text(host: Any) -> str:
    if host is None:
        return ""
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
