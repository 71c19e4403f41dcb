"""The parent of `serve --workers`: it holds the listening socket and keeps so many servers running on it; it serves nobody.

The socket is bound once and handed to each server, so while one ends and the next begins connections wait in its queue
and none is refused. SIGHUP replaces the servers one after the other: the new one takes requests before the old one is
told to end. A server is a process of its own from its first line on, so a rolling restart also brings new code.
Parent and server share a pair of sockets: the server says there that it takes requests, and ends when the parent does.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass

READY = b"ready\n"
START_WITHIN_S = 60.0
STOP_WITHIN_S = 45.0
"""Longer than a server takes at most; one that has not ended by then is killed, and others take up what it held."""

PAUSE_S_MIN, PAUSE_S_MAX = 0.5, 15.0
"""Pause before a server that ended by itself is started again; it doubles while servers end soon after their start."""
STEADY_S = 30.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Replica:
    """One server process and our end of the pair of sockets."""

    process: asyncio.subprocess.Process
    line: asyncio.StreamReader
    writer: asyncio.StreamWriter
    started_at: float


class Replicas:
    """Keeps `count` servers running. `command` starts one; to it are added the numbers of the two sockets it inherits."""

    def __init__(self, command: Sequence[str], count: int, listening: socket.socket) -> None:
        self._command = list(command)
        self._listening = listening
        self._slots: list[Replica | None] = [None] * count
        self._changing = [asyncio.Lock() for _ in self._slots]
        self._is_stopping = asyncio.Event()
        self._keepers: list[asyncio.Task[None]] = []
        self._rolling: asyncio.Task[None] | None = None
        self._failed: int | None = None

    async def start(self) -> bool:
        """Start all; False where the first one does not come up, and then there is none."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self.roll)
        for slot in range(len(self._slots)):
            replica = await self._start_one()
            if replica is None:
                await self._end([one for one in self._slots if one is not None])
                return False
            self._slots[slot] = replica
        self._keepers = [asyncio.ensure_future(self._keep(slot)) for slot in range(len(self._slots))]
        return True

    async def run(self) -> None:
        """Keep them running until told to stop, and then until all have ended."""
        await self._is_stopping.wait()
        for keeper in self._keepers:
            keeper.cancel()
        if self._rolling is not None:
            self._rolling.cancel()
        await self._end([one for one in self._slots if one is not None])

    @property
    def exit_code(self) -> int:
        """With which code the server ended that did not come up."""
        return self._failed or 0

    def stop(self) -> None:
        """Begin to stop."""
        self._is_stopping.set()

    def roll(self) -> None:
        """Begin a rolling restart; harmless while one is under way."""
        if not self._is_stopping.is_set() and (self._rolling is None or self._rolling.done()):
            self._rolling = asyncio.ensure_future(self._roll())

    async def _roll(self) -> None:
        for slot, changing in enumerate(self._changing):
            async with changing:
                new = await self._start_one()
                if new is None:
                    _log.error("a new server did not come up; the old ones go on, and the restart ends here")
                    return
                old, self._slots[slot] = self._slots[slot], new
                if old is not None:
                    await self._end([old])
        _log.warning("all servers were replaced")

    async def _keep(self, slot: int) -> None:
        """Start a server again whenever the one in a slot ends by itself."""
        loop = asyncio.get_running_loop()
        pause_s = PAUSE_S_MIN
        while True:
            replica = self._slots[slot]
            if replica is not None:
                await replica.process.wait()
            async with self._changing[slot]:
                if self._slots[slot] is not replica:
                    continue  # It was replaced, and told to end.
                if replica is not None:
                    process = replica.process
                    _log.error("server %s ended by itself with code %s", process.pid, process.returncode)
                    replica.writer.close()
                    is_steady = loop.time() - replica.started_at > STEADY_S
                    pause_s = PAUSE_S_MIN if is_steady else min(pause_s * 2, PAUSE_S_MAX)
                await asyncio.sleep(pause_s)
                self._slots[slot] = await self._start_one()

    async def _start_one(self) -> Replica | None:
        """Start a server and wait until it takes requests; None where it does not."""
        ours, its = socket.socketpair()
        inherited = (self._listening.fileno(), its.fileno())
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "understudy", *self._command, "--replica", f"{inherited[0]},{inherited[1]}",
            pass_fds=inherited, start_new_session=True,
        )  # fmt: skip
        its.close()
        line, writer = await asyncio.open_connection(sock=ours)
        replica = Replica(process, line, writer, asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(START_WITHIN_S):
                said = await line.readline()
        except TimeoutError:
            said = b""
        except asyncio.CancelledError:
            process.kill()
            raise
        if said == READY:
            return replica
        await self._end([replica])
        self._failed = process.returncode
        return None

    async def _end(self, replicas: Sequence[Replica]) -> None:
        """Tell servers to end and wait for it; kills those that do not."""
        for replica in replicas:
            if replica.process.returncode is None:
                replica.process.terminate()
        waits = [asyncio.ensure_future(replica.process.wait()) for replica in replicas]
        if waits:
            _, late = await asyncio.wait(waits, timeout=STOP_WITHIN_S)
            for replica in replicas:
                if replica.process.returncode is None:
                    _log.error("server %s did not end in time and is killed", replica.process.pid)
                    replica.process.kill()
            await asyncio.gather(*late)
        for replica in replicas:
            replica.writer.close()


class Parent:
    """The parent as one of its servers sees it; `numbers` are the two sockets it inherited, as `--replica` has them."""

    def __init__(self, numbers: str) -> None:
        listening, line = (int(number) for number in numbers.split(","))
        self.listening = socket.socket(fileno=listening)
        self._line = socket.socket(fileno=line)
        self._line.setblocking(False)

    def say_ready(self) -> None:
        """Say that this server takes requests."""
        self._line.send(READY)

    async def gone(self) -> None:
        """Wait until the parent has ended."""
        await asyncio.get_running_loop().sock_recv(self._line, 1)
