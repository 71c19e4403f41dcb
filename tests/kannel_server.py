"""A real Kannel for tests, from its Debian packages: a gateway, its HTTP face, and a fake SMS centre that a customer's phone hangs on."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote_to_bytes

import pytest

from mail_servers import WITHIN_S, free_port

FAKE_SMSC = Path("/usr/lib/kannel/test/fakesmsc")
CONFIG = """
group = core
admin-port = {admin}
admin-password = admin
smsbox-port = {box}
box-allow-ip = 127.0.0.1
log-file = {folder}/bearerbox.log
log-level = 0
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = fake
port = {smsc}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {http}
global-sender = 4930
log-file = {folder}/smsbox.log
log-level = 0

group = sendsms-user
username = shop
password = letmein
max-messages = 10
concatenation = true

group = sms-service
keyword = default
get-url = "{hook}&id=%I&from=%p&to=%P&text=%a&time=%t"
max-messages = 0
"""


@dataclass
class Kannel:
    """A running gateway; `http` is where replies are handed over."""

    folder: Path
    http: int
    smsc: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http}"

    @property
    def log(self) -> str:
        return "\n".join(file.read_text(errors="replace")[-4_000:] for file in self.folder.glob("*.log"))

    def run(self, *words: str) -> None:
        self.processes.append(
            subprocess.Popen(words, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )

    def wait_for(self, port: int) -> None:
        ends = time.monotonic() + WITHIN_S
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            assert time.monotonic() < ends, self.log
            time.sleep(0.1)


class Phone:
    """A customer's phone: a connection to the fake SMS centre, as `fakesmsc` makes it; what it gets it confirms by nothing."""

    def __init__(self, kannel: Kannel, number: str) -> None:
        self.number = number
        self._line = socket.create_connection(("127.0.0.1", kannel.smsc), timeout=WITHIN_S)
        self._read = self._line.makefile("rb")

    def say(self, text: str, *, to: str = "4930") -> None:
        self._line.sendall(f"{self.number} {to} text {text}\n".encode())

    def hear(self) -> str:
        """The next message, its parts put together."""
        whole = ""
        while True:
            head, _, data = self._read.readline().decode().rstrip("\n").partition(" data ")
            whole += unquote_to_bytes(data.replace("+", " ")).decode("utf-16-be")
            udh = unquote_to_bytes(head.partition(" udh ")[2])
            if not udh or udh[-1] == udh[-2]:  # which part of how many
                return whole

    def close(self) -> None:
        self._read.close()
        self._line.close()


@contextmanager
def kannel_running(hook: str, *, http: int) -> Iterator[Kannel]:
    """Start a gateway that calls `hook`, which has a query; skips the test where Kannel is not installed."""
    if shutil.which("bearerbox") is None or shutil.which("smsbox", path="/usr/sbin:/usr/lib/kannel") is None:
        pytest.skip("Kannel is not installed: apt-get install kannel kannel-extras")
    with TemporaryDirectory() as name:
        folder, ports = Path(name), [*(free_port() for _ in range(3)), http]
        config = folder / "kannel.conf"
        config.write_text(
            CONFIG.format(folder=folder, admin=ports[0], box=ports[1], smsc=ports[2], http=ports[3], hook=hook)
        )
        one = Kannel(folder=folder, http=ports[3], smsc=ports[2])
        try:
            one.run("bearerbox", "-v", "4", str(config))
            one.wait_for(ports[1])
            one.run("smsbox", "-v", "4", str(config))
            one.wait_for(ports[3])
            one.wait_for(ports[2])
            yield one
        finally:
            for process in reversed(one.processes):
                process.terminate()
            for process in one.processes:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(20)
                if process.poll() is None:
                    process.kill()
