"""A real Postfix for tests, from its Debian package: with a folder and a port of its own, it delivers into mailboxes that Dovecot reads.

It knows `help@shop.example` and `ada@home.example`, refuses everybody else of those domains at once, and takes what goes to
`late.example` before it asks the server of that domain. It runs as root alone, as Postfix does.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from mail_servers import NOBODY, WITHIN_S, free_port

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.shop.example
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = reject_unlisted_recipient, permit_mynetworks, reject
virtual_mailbox_domains = shop.example, home.example
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = inline:{{ help@shop.example=help@shop.example/, ada@home.example=ada@home.example/ }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
transport_maps = inline:{{ late.example=smtp:[127.0.0.1]:{late} }}
smtpd_tls_cert_file = {folder}/cert.pem
smtpd_tls_key_file = {folder}/key.pem
smtpd_tls_security_level = may
smtputf8_enable = no
"""
MASTER = """
{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
tlsmgr unix - - n 1000? 1 tlsmgr
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass
class Postfix:
    """A running server; its mailboxes are in `folder`/mail."""

    folder: Path
    port: int
    late: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        conf = self.folder / "postfix"
        for name in ("postfix", "queue", "data"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "mail").mkdir(exist_ok=True)
        shutil.chown(self.folder / "data", "postfix")
        shutil.chown(self.folder / "mail", NOBODY, NOBODY)
        (conf / "main.cf").write_text(MAIN.format(folder=self.folder, uid=NOBODY, late=self.late))
        (conf / "master.cf").write_text(MASTER.format(port=self.port))
        self.process = subprocess.Popen(["postfix", "-c", str(conf), "start-fg"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        ends = time.monotonic() + WITHIN_S
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5) as one:
                if one.recv(100).startswith(b"220"):
                    return
            assert time.monotonic() < ends, self.log
            time.sleep(0.1)

    @property
    def log(self) -> str:
        file = self.folder / "postfix.log"
        return file.read_text() if file.exists() else "Postfix wrote no log"

    def stop(self) -> None:
        subprocess.run(["postfix", "-c", str(self.folder / "postfix"), "stop"], check=False, capture_output=True, timeout=60)  # fmt: skip
        if self.process is not None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
            if self.process.poll() is None:
                self.process.kill()

    def mails(self, whose: str) -> list[EmailMessage]:
        """What was delivered to somebody, oldest first."""
        files = sorted((self.folder / "mail" / whose).glob("*/*"), key=lambda file: file.stat().st_mtime_ns)
        found: Any = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files if file.is_file()]
        return list(found)


@contextmanager
def postfix_running(folder: Path, *, late: int) -> Iterator[Postfix]:
    """Start a server over a folder that has a certificate, which hands what is for `late.example` on to a port; skips the test where Postfix cannot run."""
    if shutil.which("postfix") is None:
        pytest.skip("Postfix is not installed: apt-get install postfix")
    if os.geteuid() != 0:
        pytest.skip("Postfix starts as root alone")
    one = Postfix(folder=folder, port=free_port(), late=late)
    try:
        one.start()
        yield one
    finally:
        one.stop()
