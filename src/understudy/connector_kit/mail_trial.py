"""A mailbox on trial: mails as they lie there, and a mail server of its own that takes replies as each case tells it; it holds no case."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage, Message
from typing import Any

from pydantic import SecretStr

from understudy.connections import mail_channel
from understudy.connector_kit.trial import CaseFailed, demand, reply_on_trial
from understudy.errors import UnderstudyError
from understudy.ports.channel import Events
from understudy.records.conversation import Inbound
from understudy.records.outbox import OutboxEntry, SendResult
from understudy.records.pulls import Envelope
from understudy.settings.mail import Email, MailServer
from understudy.settings.model import Settings
from understudy.testing.scripted import FrozenClock

TIMEOUT_S = 0.7
SENDER = "ada@home.example"
HANGS, BREAKS = "hangs", "breaks"
"""What a server may do instead of answering."""


@dataclass
class MailServerOnTrial:
    """An SMTP server that says what it is told for a command, and else yes. `content`: what came of each mail."""

    says: Mapping[str, str] = field(default_factory=dict)
    content: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one client."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.write(b"220 trial ESMTP\r\n")
            while line := await reader.readline():
                verb = line[:4].decode("latin-1").strip().upper()
                if verb == "RCPT":
                    self.recipients.append(line.decode("latin-1").strip())
                if not await self._answer(writer, verb):
                    break
                if verb == "DATA" and "DATA" not in self.says:
                    self.content.append(await reader.readuntil(b"\r\n.\r\n"))
                    if not await self._answer(writer, "END"):
                        break
                if verb == "QUIT":
                    break
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()

    async def _answer(self, writer: asyncio.StreamWriter, verb: str) -> bool:
        usual = {"EHLO": "250-trial\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN LOGIN", "DATA": "354 go on", "AUTH": "235 ok", "QUIT": "221 bye"}  # fmt: skip
        said = self.says.get(verb, usual.get(verb, "250 ok"))
        if said == HANGS:
            await asyncio.sleep(TIMEOUT_S * 4)
        if said in (HANGS, BREAKS):
            return False
        writer.write(f"{said}\r\n".encode())
        await writer.drain()
        return True


class MailTrial:
    """The mailbox `name` of a configuration."""

    def __init__(self, settings: Settings, name: str, channel: Email) -> None:
        self.settings, self.name, self.configured = settings, name, channel
        self.built: Any = self._channel(9)

    def _channel(self, port: int) -> Any:
        server = MailServer(host="127.0.0.1", port=port, security="none")
        given = {
            "imap": server,
            "smtp": server,
            "password": SecretStr("p"),
            "timeout_s": TIMEOUT_S,
            "certificates": None,
        }
        quick = self.configured.model_copy(update=given)
        return mail_channel(self.name, quick, FrozenClock(), self.settings)

    def mail(self, text: str = "Where is my kettle?", *, html: str | None = None, **headers: str) -> EmailMessage:
        """A mail as a customer's program writes it; a header given as an empty text is left out."""
        one = EmailMessage()
        host = self.configured.trusted_host
        given = {
            "Authentication-Results": f"{host}; dmarc=pass header.from=home.example" if host else "",
            "From": f"Ada Byron <{SENDER}>",
            "To": self.configured.address,
            "Subject": "My order",
            "Date": "Thu, 01 Jan 2026 12:00:00 +0000",
            "Message-ID": "<m-1@home.example>",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        for name, value in given.items():
            if value:
                one[name] = value
        one.set_content(text)
        if html is not None:
            one.add_alternative(html, subtype="html")
        return one

    def read(self, raw: bytes | EmailMessage) -> Events:
        """What the channel reads in a mail; raises `CaseFailed` where it breaks or says nothing."""
        try:
            events: Events = self.built.read_sample(raw if isinstance(raw, bytes) else raw.as_bytes())
        except UnderstudyError:
            raise
        except Exception as error:
            raise CaseFailed(f"broke with {type(error).__name__}: {error}") from error
        said = events.messages or events.reports or events.ignored or events.refused
        demand(bool(said), "took the mail and says nothing of it")
        return events

    def message(self, raw: bytes | EmailMessage) -> Inbound:
        """The one message that a mail is."""
        events = self.read(raw)
        demand(len(events.messages) == 1, f"gives {len(events.messages)} messages: {events.ignored}")
        return events.messages[0]

    def passed_over(self, raw: bytes | EmailMessage) -> None:
        """Fail unless a mail is passed over for a reason."""
        events = self.read(raw)
        demand(
            not events.messages and bool(events.ignored), f"is answered: {[one.text[:60] for one in events.messages]}"
        )

    def entry(self, text: str = "It left on Monday.", **changes: Any) -> OutboxEntry:
        """A reply to the customer."""
        return reply_on_trial(self.name, text, {"address": SENDER, "external_id": "m-1@home.example", **changes})

    def sent(
        self,
        says: Mapping[str, str] | None = None,
        entry: OutboxEntry | None = None,
        *,
        answered: Envelope | None = None,
    ) -> tuple[SendResult, MailServerOnTrial]:
        """Send a reply to a server that says this; what became of it, and what the server saw."""
        server = MailServerOnTrial(says=says or {})

        async def scene() -> SendResult:
            tasks: set[asyncio.Task[None]] = set()

            async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                task = asyncio.current_task()
                assert task is not None, "connections are served by tasks"
                tasks.add(task)
                await server.serve(reader, writer)

            listening = await asyncio.start_server(handle, "127.0.0.1", 0, limit=5_000_000)
            async with listening:
                channel = self._channel(listening.sockets[0].getsockname()[1])
                try:
                    result: SendResult = await channel.send_letter(entry or self.entry(), answered)
                finally:
                    await channel.close()
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
                return result

        return asyncio.run(scene()), server


def parsed(content: bytes) -> Message:
    """A mail as its receiver reads it."""
    return message_from_bytes(content.removesuffix(b".\r\n"))
