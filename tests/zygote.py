"""A process with everything imported that forks `python -m understudy` and `python -c`; tests/starting.py orders from it.

Each fork is a process of its own, with the environment, folder and streams it was ordered with. It runs the real command
line from its first line on, opens its files itself, ends as Python ends and is killed by the operating system: only the
seconds of importing are spared, which a test would pay at each start. It decides nothing.

Orders come over the socket whose number is the first argument: JSON with `words` (what follows `python`), `cwd` and `env`,
and four descriptors: standard input, output and error, and a socket that is told the pid and, later, how the process ended.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import random
import runpy
import select
import signal
import socket
import sys
import time
import types
from typing import Any

PR_SET_PDEATHSIG = 1
SERVED = (  # what `serve`, `work` and the commands that open a store import late
    "alembic.command", "psycopg", "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.pysqlite",
    "sqlite3", "uvicorn.lifespan.on", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto", "httpx2",
    "understudy.adapters.agents.judge", "understudy.adapters.agents.python_callable",
    "understudy.adapters.channels.webhook", "understudy.adapters.dispatch.pgqueuer", "understudy.app",
    "understudy.chaos.running", "understudy.cli.main", "understudy.evaluations", "understudy.releasing",
    "understudy.web.asgi", "understudy.web.server",
)  # fmt: skip
ORDER_BYTES_MAX = 1 << 20


class Zygote:
    """Forks what is asked for, and tells how it ended, until nobody is left to ask."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._living: dict[int, socket.socket] = {}
        self._woken, self._wake = os.pipe()
        for end in (self._woken, self._wake):
            os.set_blocking(end, False)

    def run(self) -> dict[str, Any] | None:
        """Return None at the end, and in each fork what it is to become."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        while True:
            readable, _, _ = select.select([self._orders, self._woken], [], [])
            if self._woken in readable:
                os.read(self._woken, 4096)
                self._reap()
            if self._orders in readable:
                said, descriptors, _, _ = socket.recv_fds(self._orders, ORDER_BYTES_MAX, 4)
                if not said:
                    return None
                if (order := self._fork(json.loads(said), descriptors)) is not None:
                    return order

    def _reap(self) -> None:
        while self._living:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            with self._living.pop(pid) as told:
                told.send(b"%d" % os.waitstatus_to_exitcode(status))

    def _fork(self, order: dict[str, Any], descriptors: list[int]) -> dict[str, Any] | None:
        *streams, status = descriptors
        told = socket.socket(fileno=status)
        if pid := os.fork():
            self._living[pid] = told
            told.send(b"%d" % pid)
            for descriptor in streams:
                os.close(descriptor)
            return None
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # nobody outlives the tests
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, descriptor in enumerate(streams):
            os.dup2(descriptor, number)
            os.close(descriptor)
        for mine in (told, self._orders, *self._living.values()):
            mine.close()
        os.close(self._woken)
        os.close(self._wake)
        return order


def become(order: dict[str, Any]) -> None:
    """Be what `python WORDS` would be in that folder and environment."""
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    random.seed()
    _open_streams(is_unbuffered=bool(order["env"].get("PYTHONUNBUFFERED")))
    kind, what, *more = order["words"]
    sys.path[0:1] = [order["cwd"] if kind == "-m" else "", *filter(None, order["env"].get("PYTHONPATH", "").split(":"))]
    sys.argv = [what if kind == "-m" else kind, *more]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(what, "<string>", "exec"), main.__dict__)


def _open_streams(*, is_unbuffered: bool) -> None:
    modes = {"stdin": "r", "stdout": "w", "stderr": "w"}
    for number, (name, mode) in enumerate(modes.items()):
        stream = os.fdopen(number, mode, closefd=False, errors="backslashreplace" if name == "stderr" else None)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.stdout.reconfigure(line_buffering=os.isatty(1), write_through=is_unbuffered)
    sys.stderr.reconfigure(line_buffering=True, write_through=is_unbuffered)


def prepare() -> socket.socket:
    """Import, say so, and return where orders come from."""
    for name in SERVED:
        __import__(name)
    gc.freeze()
    orders = socket.socket(fileno=int(sys.argv[1]))
    orders.send(b"ready")
    return orders


if __name__ == "__main__":
    if (wanted := Zygote(prepare()).run()) is not None:
        become(wanted)
