"""Real mail servers for tests: Dovecot, from its Debian package, and aiosmtpd; each with a folder, ports and a certificate of its own.

Dovecot keeps the mailbox `help@shop.example`; what the SMTP server takes is kept, and is filed in folders of that
mailbox where a test asks for it. Test files are no package, so who needs this loads it by its path.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

USER = "help@shop.example"
PASSWORD = "a-password"
WITHIN_S = 60.0
NOBODY = 65_534

DOVECOT = """
base_dir = {folder}/run
log_path = {folder}/dovecot.log
listen = 127.0.0.1
protocols = imap
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    auto = create
  }}
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {tls}
    ssl = yes
  }}
}}
service stats {{
  chroot =
}}
{more}
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def make_certificate(folder: Path) -> None:
    """A certificate for localhost that vouches for itself."""
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    words += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(folder / "key.pem")]
    subprocess.run([*words, "-out", str(folder / "cert.pem")], check=True, capture_output=True)


@dataclass
class Dovecot:
    """A running server; `plain` and `tls` are its ports."""

    folder: Path
    plain: int
    tls: int
    more: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def certificates(self) -> str:
        return str(self.folder / "cert.pem")

    def start(self) -> None:
        is_root = os.geteuid() == 0
        name = "root" if is_root else __import__("getpass").getuser()
        group = "root" if is_root else __import__("grp").getgrgid(os.getgid()).gr_name
        uid, gid = (NOBODY, NOBODY) if is_root else (os.getuid(), os.getgid())
        config = self.folder / "dovecot.conf"
        config.write_text(
            DOVECOT.format(
                folder=self.folder, internal="dovecot" if is_root else name, group="dovecot" if is_root else group,
                login="dovenull" if is_root else name, password=PASSWORD, uid=uid, gid=gid,
                plain=self.plain, tls=self.tls, more=self.more,
            )
        )  # fmt: skip
        (self.folder / "mail").mkdir(exist_ok=True)
        if is_root:
            shutil.chown(self.folder / "mail", NOBODY, NOBODY)
        self.process = subprocess.Popen(["dovecot", "-F", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        ends = time.monotonic() + WITHIN_S
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.plain), timeout=1) as one:
                if one.recv(100).startswith(b"* OK"):
                    return
            assert time.monotonic() < ends, (self.folder / "dovecot.log").read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=WITHIN_S)
            self.process = None

    def client(self) -> Any:
        import imapclient

        client = imapclient.IMAPClient("127.0.0.1", port=self.plain, ssl=False)
        client.login(USER, PASSWORD)
        return client

    def deliver(self, mail: EmailMessage | bytes, folder: str = "INBOX") -> None:
        """Put a mail into a folder, as the server's delivery would."""
        client = self.client()
        client.append(folder, mail if isinstance(mail, bytes) else mail.as_bytes(policy=policy.SMTP))
        client.logout()

    def empty(self, *, anew: bool = False) -> None:
        """Delete all mails; `anew`: and the folders, so that they are numbered anew."""
        client = self.client()
        for name in ("Sent", "INBOX"):
            client.select_folder(name)
            client.delete_messages(client.search(["ALL"]))
            client.expunge()
        client.logout()
        if anew:
            self.renumber()

    def renumber(self) -> None:
        """Let the server forget its numbers, as a restored backup does."""
        self.stop()
        for name in self.folder.glob("mail/**/dovecot*"):
            if name.is_file():
                name.unlink()
        time.sleep(1.1)  # the numbers that tell one numbering from the next are seconds
        self.start()

    def mails(self, folder: str = "INBOX") -> list[EmailMessage]:
        client = self.client()
        client.select_folder(folder, readonly=True)
        found = client.fetch(client.search(["ALL"]), ["BODY.PEEK[]"])
        client.logout()
        return [message_from_bytes(one[b"BODY[]"], policy=policy.default) for _, one in sorted(found.items())]  # type: ignore[misc]

    def flags(self) -> list[tuple[bytes, ...]]:
        client = self.client()
        client.select_folder("INBOX", readonly=True)
        found = client.get_flags(client.search(["ALL"]))
        client.logout()
        return [tuple(flag for flag in one if flag != b"\\Recent") for one in found.values()]


@contextmanager
def dovecot_running() -> Iterator[Dovecot]:
    """Start a server and remove it afterwards; skips the test where Dovecot is not installed."""
    if shutil.which("dovecot") is None or shutil.which("openssl") is None:
        if os.environ.get("CI"):
            raise RuntimeError("Dovecot or openssl is missing: what is not tested here is tested nowhere")
        pytest.skip("Dovecot is not installed: apt-get install dovecot-imapd")
    folder = Path(tempfile.mkdtemp(prefix="imap-"))  # a short path: it holds sockets
    folder.chmod(0o755)
    make_certificate(folder)
    one = Dovecot(folder=folder, plain=free_port(), tls=free_port())
    try:
        one.start()
        yield one
    finally:
        one.stop()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Taken:
    """A mail that the SMTP server took."""

    sender: str
    recipients: list[str]
    mail: EmailMessage
    options: list[str]


@dataclass
class Smtp:
    """A server that takes mails, or answers as a test says.

    `answers` maps `RCPT` or `DATA` to what is said instead, once each; `breaks` ends the connection after the content
    came, taken or not.
    """

    files: Callable[[bytes, list[str]], None] | None = None
    taken: list[Taken] = field(default_factory=list)
    answers: dict[str, list[str]] = field(default_factory=dict)
    breaks: str | None = None
    port: int = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        if self.answers.get("RCPT"):
            return self.answers["RCPT"].pop(0)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answers.get("DATA"):
            return self.answers["DATA"].pop(0)
        if self.breaks != "before":
            mail = message_from_bytes(envelope.content, policy=policy.default)
            self.taken.append(Taken(sender=envelope.mail_from, recipients=list(envelope.rcpt_tos), mail=mail, options=list(envelope.rcpt_options)))  # type: ignore[arg-type]  # fmt: skip
            if self.files is not None:
                await asyncio.to_thread(self.files, envelope.content, list(envelope.rcpt_tos))
        if self.breaks is not None:
            self.breaks = None
            server.transport.abort()
        return "250 OK: taken"


@contextmanager
def smtp_running(folder: Path, *, security: str = "none", **more: Any) -> Iterator[Smtp]:
    """Serve SMTP with `cert.pem` of a folder: in the open, by STARTTLS, or by TLS from the start."""
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult

    context = None
    if security != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")

    def allow(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
        given = (bytes(data.login).decode(), bytes(data.password).decode())
        return AuthResult(success=given == (USER, PASSWORD), handled=False)

    one = Smtp(port=free_port(), **more)
    controller = Controller(
        one,
        hostname="127.0.0.1",
        port=one.port,
        ssl_context=context if security == "tls" else None,
        authenticator=allow,
        auth_require_tls=security == "starttls",
        auth_required=security == "starttls",
        **({"tls_context": context, "require_starttls": True} if security == "starttls" else {}),
    )
    controller.start()
    try:
        yield one
    finally:
        controller.stop()
