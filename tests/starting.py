"""Processes of the product for tests: `start` and `run` are `subprocess.Popen` and `subprocess.run` of `python WORDS`, forked.

What takes seconds of a start is importing, so on Linux each is a fork of one process that has imported everything
(tests/zygote.py); elsewhere, and `afresh`, it is started as always: where a test is about how the product starts.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import IO, Any

IMPORTS_WITHIN_S = 240.0
FORKS_WITHIN_S = 120.0
ANSWER_BYTES_MAX = 64
STARTING = threading.Lock()


class Fork:
    """A process as its starter sees it, with what tests use of `subprocess.Popen`."""

    def __init__(self, words: Sequence[str], *, status: socket.socket, **pipes: IO[str] | None) -> None:
        self.args, self.returncode = list(words), None
        self.stdin, self.stdout, self.stderr = pipes["stdin"], pipes["stdout"], pipes["stderr"]
        self.pid = int(_told(status, FORKS_WITHIN_S))
        self._status = status
        self._reading: dict[str, Future[str]] = {}

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            with self._status:
                self.returncode = int(_told(self._status, FORKS_WITHIN_S))
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""
        if self.returncode is None and not select.select([self._status], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        code = self.poll()
        assert code is not None
        return code

    def communicate(self, text: str = "", timeout: float | None = None) -> tuple[str | None, str | None]:
        """Write to its input, read all that it says, and wait for its end; may be called again after a timeout."""
        ends = None if timeout is None else time.monotonic() + timeout
        if not self._reading:
            pool = ThreadPoolExecutor(3)
            for name, pipe in (("out", self.stdout), ("err", self.stderr)):
                if pipe is not None and not pipe.closed:
                    self._reading[name] = pool.submit(_read, pipe)
            if self.stdin is not None:
                pool.submit(_write, self.stdin, text)
            pool.shutdown(wait=False)
        found: dict[str, str] = {}
        for name, reading in self._reading.items():
            try:
                found[name] = reading.result(None if ends is None else max(ends - time.monotonic(), 0))
            except TimeoutError:
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
        self.wait(None if ends is None else max(ends - time.monotonic(), 0))
        return found.get("out"), found.get("err")

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """`kill -9`."""
        self.send_signal(signal.SIGKILL)


def start(
    words: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    stdin: Any = subprocess.DEVNULL,
    stdout: Any = None,
    stderr: Any = None,
    afresh: bool = False,
) -> Any:
    """Start `python WORDS`, which are `-m MODULE …` or `-c PROGRAM …`; what it says is text. `afresh`: with no fork."""
    env = dict(os.environ if env is None else env)
    if afresh or sys.platform != "linux":
        return subprocess.Popen([sys.executable, *words], cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr, text=True)  # fmt: skip
    given: list[int] = []
    pipes: dict[str, IO[str] | None] = {}
    for number, (name, wanted) in enumerate({"stdin": stdin, "stdout": stdout, "stderr": stderr}.items()):
        theirs, pipes[name] = _stream(wanted, number)
        given.append(theirs)
    ours, status = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        order = {"words": list(words), "cwd": str(cwd), "env": env}
        with STARTING:  # of the zygote: only the first is to do it
            orders = _zygote()
        socket.send_fds(orders, [json.dumps(order).encode()], [*given, status.fileno()])
    finally:
        status.close()
        for descriptor in given:
            os.close(descriptor)
    return Fork(words, status=ours, **pipes)


def run(
    words: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    text: str = "",
    timeout: float = 120.0,
    afresh: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run `python WORDS` to its end."""
    pipe = subprocess.PIPE
    process = start(words, cwd=cwd, env=env, stdin=pipe, stdout=pipe, stderr=pipe, afresh=afresh)
    try:
        out, err = process.communicate(text, timeout)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def _stream(wanted: Any, number: int) -> tuple[int, IO[str] | None]:
    """The descriptor that a process gets, which is ours to close, and our end of it where it is a pipe."""
    if wanted == subprocess.PIPE:
        reading, writing = os.pipe()
        if number == 0:
            return reading, os.fdopen(writing, "w")
        return writing, os.fdopen(reading)
    if wanted == subprocess.DEVNULL:
        return os.open(os.devnull, os.O_RDWR), None
    return os.dup(number if wanted is None else wanted.fileno()), None


def _read(pipe: IO[str]) -> str:
    with pipe:
        return pipe.read()


def _write(pipe: IO[str], text: str) -> None:
    try:
        with pipe:
            pipe.write(text)
    except BrokenPipeError:
        pass  # it ended without reading all; what it said tells why


def _told(status: socket.socket, within_s: float) -> bytes:
    status.settimeout(within_s)
    told = status.recv(ANSWER_BYTES_MAX)
    assert told, "the process that forks has ended; its error stands above"
    return told


@cache
def _zygote() -> socket.socket:
    """Where orders go: one process for all tests of a worker. It ends when this one does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    env = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY")}
    command = [sys.executable, str(Path(__file__).with_name("zygote.py")), str(theirs.fileno())]
    # Threads that a library of numbers would keep make a fork unsafe.
    env |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
    theirs.close()
    _told(ours, IMPORTS_WITHIN_S)

    @atexit.register
    def end() -> None:
        ours.close()
        process.wait()

    return ours
