"""A folder of an IMAP server, read and never changed: what came after a cursor, and whether a mail is there. It reads no mail.

A cursor is `UIDVALIDITY UID DAY`: the last mail that was taken, and a day by which all before was. UIDs only grow as
long as the first number stays; where the server numbers anew, everything since that day is given once more, and who
takes it knows by the mails' own ids what it has. Everything here blocks and belongs into a thread.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import imapclient

from understudy.adapters.channels.mail_tokens import TokenSource
from understudy.errors import ChannelUnreachable

BATCH_MAX = 20
SLACK_DAYS = 2
"""How much earlier than the cursor's day is looked at where UIDs were numbered anew: servers' days differ from ours."""
FAULTS = (imapclient.IMAPClient.Error, OSError, ValueError, KeyError, IndexError, TypeError, AttributeError)
"""What the library and a server that breaks off or talks nonsense raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where the mailbox is and who reads it. `security`: `tls`, `starttls`, or `none` for a server on this machine. `tokens`: what
    gives access tokens, in place of the password."""

    host: str
    port: int
    user: str
    password: str
    security: str
    timeout_s: float
    certificates: str | None = None
    tokens: TokenSource | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """See above."""

    validity: int
    uid: int
    day: date

    def __str__(self) -> str:
        return f"{self.validity} {self.uid} {self.day.isoformat()}"

    @classmethod
    def of(cls, text: str | None) -> Cursor | None:
        """Read one; None where there is none, or it is none."""
        try:
            validity, uid, day = (text or "").split()
            return cls(validity=int(validity), uid=int(uid), day=date.fromisoformat(day))
        except ValueError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail as it lies in the folder. `size` in bytes; `raw` may be only the beginning of it."""

    raw: bytes
    size: int
    cursor: str


class Mailbox:
    """One connection, opened when it is needed and after every fault anew. Threads take turns; `close` from any."""

    def __init__(self, account: Account, folder: str, *, bytes_max: int, polls: bool = False) -> None:
        self._account = account
        self._folder = folder
        self._bytes_max = bytes_max
        self._polls = polls
        self._client: Any = None
        self._validity = 0
        self._next_uid = 1
        self._woken = threading.Event()
        self._in_use = threading.Lock()

    def fetch(self, cursor: str | None, *, today: date, wait_s: float, from_the_start: bool) -> list[Mail] | Cursor:
        """The next mails, or where to begin from now on; waits at most `wait_s` where nothing is there.

        Raises `ChannelUnreachable`, also where the server refuses the login or has no such folder.
        """
        with self._connected() as client:
            last = Cursor.of(cursor)
            is_same = last is not None and last.validity == self._validity
            begins = Cursor(validity=self._validity, uid=self._next_uid - 1, day=today)
            if last is None and not from_the_start:
                return begins
            found = self._after(client, last)
            if not found and not is_same:
                return begins
            if not found:
                self._wait(client, wait_s)
                found = self._after(client, last)
            # Until everything since then was given, the day stays: the server may number anew once more.
            day = last.day if last is not None and not is_same and len(found) > BATCH_MAX else today
            mails = [self._read(client, uid, day) for uid in found[:BATCH_MAX]]
            return [mail for mail in mails if mail is not None]

    def has(self, message_id: str) -> bool:
        """Whether a mail of this id is in the folder."""
        with self._connected() as client:
            client.noop()
            return bool(client.search(["HEADER", "Message-ID", f"<{message_id}>"]))

    def check(self) -> str:
        """See that the folder can be read; raises as `fetch`."""
        with self._connected() as client:
            watches = (
                "is told of new mail" if client.has_capability("IDLE") and not self._polls else "asks for new mail"
            )
            return f"{self._account.host} lets {self._account.user} read {self._folder!r} and {watches}"

    def close(self) -> None:
        """End what is under way; in another thread it ends with `ChannelUnreachable`, or with what it has."""
        self._woken.set()
        if self._in_use.acquire(blocking=False):
            try:
                self._drop()
            finally:
                self._in_use.release()
        elif (client := self._client) is not None:
            # Only woken: closed under whoever reads from it, its number could be another connection's a moment later.
            with suppress(*FAULTS):
                socket.socket.shutdown(client.socket(), socket.SHUT_RDWR)

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(*FAULTS):
                client.shutdown()

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        with self._in_use, self._faults_named():
            self._woken.clear()
            if self._client is None:
                self._client = self._opened()
            yield self._client

    @contextmanager
    def _faults_named(self) -> Iterator[None]:
        try:
            yield
        except ChannelUnreachable:  # it says itself what is wrong
            self._drop()
            raise
        except FAULTS as error:
            self._drop()
            raise ChannelUnreachable(
                f"the mailbox {self._folder!r} of {self._account.user} at {self._account.host}:{self._account.port} "
                f"cannot be read: {_say(error)}"
            ) from error
        except BaseException:
            self._drop()
            raise

    def _opened(self) -> Any:
        client = logged_in(self._account)
        try:
            selected = client.select_folder(self._folder, readonly=True)
            self._validity = int(selected[b"UIDVALIDITY"])
            self._next_uid = int(selected.get(b"UIDNEXT") or max(client.search(["ALL"]), default=0) + 1)
        except BaseException:
            client.shutdown()
            raise
        return client

    def _after(self, client: Any, last: Cursor | None) -> list[int]:
        """The UIDs of mails that were not taken yet, as far as their numbers say."""
        client.noop()
        if last is None:
            return sorted(client.search(["ALL"]))
        if last.validity != self._validity:
            return sorted(client.search(["SINCE", last.day - timedelta(days=SLACK_DAYS)]))
        return sorted(uid for uid in client.search(["UID", f"{last.uid + 1}:*"]) if uid > last.uid)

    def _wait(self, client: Any, wait_s: float) -> None:
        """Until the server says that something came, or the time is over."""
        if self._polls or not client.has_capability("IDLE"):
            self._woken.wait(wait_s)
            return
        if self._woken.is_set():
            return
        client.idle()
        client.idle_check(timeout=wait_s)
        client.idle_done()

    def _read(self, client: Any, uid: int, day: date) -> Mail | None:
        """One mail; None where somebody has deleted it meanwhile."""
        asked = ["RFC822.SIZE", f"BODY.PEEK[]<0.{self._bytes_max}>"]
        answer = client.fetch([uid], asked).get(uid)
        if answer is None:
            return None
        raw = next((value for name, value in answer.items() if name.startswith(b"BODY[]")), None)
        if not isinstance(raw, bytes):
            raise TypeError(f"mail {uid} came without its content")
        cursor = Cursor(validity=self._validity, uid=uid, day=day)
        return Mail(raw=raw, size=int(answer.get(b"RFC822.SIZE", len(raw))), cursor=str(cursor))


def logged_in(account: Account) -> Any:
    """A connection that is let in; raises what the library raises."""
    context = tls_context(account.certificates)
    client = imapclient.IMAPClient(
        account.host,
        port=account.port,
        ssl=account.security == "tls",
        ssl_context=context if account.security == "tls" else None,
        timeout=account.timeout_s,
    )
    try:
        if account.security == "starttls":
            client.starttls(context)
        if account.tokens is None:
            client.login(account.user, account.password)
        else:
            _signed_in(client, account.user, account.tokens)
    except BaseException:
        client.shutdown()
        raise
    return client


def _signed_in(client: Any, user: str, tokens: TokenSource) -> None:
    """Sign in by an access token; one that is refused is forgotten, so that the next try brings another."""
    token = tokens.token()
    try:
        client.oauth2_login(user, token)
    except imapclient.IMAPClient.Error:
        tokens.forget()
        raise


def tls_context(certificates: str | None) -> ssl.SSLContext:
    """What certificates are believed: those of this machine, or those in a file."""
    return ssl.create_default_context(cafile=certificates)


def _say(error: BaseException) -> str:
    said = str(error)
    if said.startswith("b'") and said.endswith("'"):
        said = said[2:-1]
    return " ".join(said.split())[:300] or type(error).__name__
