"""A process with everything imported that forks `understudy` commands, so that a start takes tenths of a second.

Each fork is a process of its own that runs the real command line from its first line on, opens the store itself, and
is killed by the operating system; only the three seconds of importing are spared. Orders come as JSON lines on stdin,
what became of them goes as JSON lines to stdout. It decides nothing.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import random
import select
import signal
import sys
from pathlib import Path
from typing import Any

# Everything that a command imports late is imported here, once.
import alembic.command  # noqa: F401
import psycopg  # noqa: F401
import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite.pysqlite  # noqa: F401
import uvicorn.lifespan.on
import uvicorn.protocols.http.auto
import uvicorn.protocols.websockets.auto  # noqa: F401

import understudy.adapters.agents.judge
import understudy.adapters.agents.python_callable
import understudy.adapters.channels.webhook
import understudy.adapters.dispatch.pgqueuer
import understudy.app
import understudy.web.asgi
import understudy.web.server  # noqa: F401
from crash_harness import agent, mortal  # noqa: F401 - the agent is imported by each process
from understudy.cli.main import main as understudy_main

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Fork what is asked for, and tell what has ended, until stdin closes."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    gc.freeze()
    _tell({"ready": os.getpid()})
    orders = b""
    while True:
        readable, _, _ = select.select([0, woken], [], [])
        if woken in readable:
            os.read(woken, 4096)
            _reap()
        if 0 in readable:
            read = os.read(0, 65536)
            if not read:
                return
            *lines, orders = (orders + read).split(b"\n")
            for line in lines:
                _obey(json.loads(line))


def _reap() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _tell({"ended": pid, "code": os.waitstatus_to_exitcode(status)})


def _obey(order: dict[str, Any]) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            _become(order)
        finally:
            os._exit(70)
    _tell({"order": order["order"], "pid": pid})


def _become(order: dict[str, Any]) -> None:
    """Be the command that was ordered."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # nobody outlives the harness
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    random.seed()
    for number, path in ((0, "/dev/null"), (1, order["stdout"]), (2, order["stderr"])):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND
        descriptor = os.open(path, flags, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(order["home"])
    if order["fuse"]:
        mortal.put_in_place(Path(order["fuse"]))
    sys.argv = ["understudy", *order["words"]]
    code: Any = 0
    try:
        understudy_main()
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001 - what Python itself does with it
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def _tell(what: dict[str, Any]) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    main()
