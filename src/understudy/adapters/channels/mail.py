"""E-mail as a channel: a mailbox is read by IMAP, replies leave by SMTP. Its parts read, write and carry; this ties them.

A reply has a Message-ID made of its key, the same at every try. Mail servers do not drop a repeated one, so a send of
unknown outcome is looked for where the server itself files what it took (`sent_folder`), or in a copy to this mailbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from understudy.adapters.channels.mail_kinds import own_id
from understudy.adapters.channels.mail_reading import Reading
from understudy.adapters.channels.mail_sending import Submission
from understudy.adapters.channels.mail_writing import CannotStand, Letterhead, written
from understudy.adapters.channels.mailbox import Account, Cursor, Mailbox
from understudy.errors import ChannelUnreachable, MalformedInput
from understudy.ports.channel import (
    AnswersLetters,
    Arrival,
    Capabilities,
    Checked,
    Events,
    Fetched,
    InboundRequest,
    Reached,
)
from understudy.ports.clock import Clock
from understudy.records.conversation import Inbound
from understudy.records.outbox import Accepted, OutboxEntry, Rejected, Retry, SendResult, Unknown
from understudy.records.pulls import Envelope

T = TypeVar("T")
COPY_WAIT_S_MAX = 15.0
COPY_PAUSE_S = 1.0
"""A copy to our own mailbox is on its way for a moment, so it is looked for again and again for so long."""


class MailChannel(Fetched, AnswersLetters, Checked):
    """A mailbox. `sent_folder`: where the server files what it sends; `copies_to_self`: each reply also comes to this mailbox."""

    def __init__(
        self,
        name: str,
        *,
        imap: Account,
        smtp: Account,
        folder: str,
        reading: Reading,
        letterhead: Letterhead,
        clock: Clock,
        sent_folder: str | None = None,
        from_the_start: bool = False,
        polls: bool = False,
        bytes_max: int = 2_000_000,
        per_sender_hour_max: int | None = None,
        chars_max: int | None = None,
    ) -> None:
        self.name = name
        self._clock = clock
        self._reading = reading
        self._head = letterhead
        self._smtp = Submission(smtp)
        self._box = Mailbox(imap, folder, bytes_max=bytes_max, polls=polls)
        where = sent_folder or (folder if letterhead.copy_to else None)
        self._filed = None if where is None else Mailbox(imap, where, bytes_max=bytes_max)
        self._is_filed_by_server = sent_folder is not None
        self._from_the_start = from_the_start
        self.per_sender_hour_max = per_sender_hour_max
        # What mail servers can do: they repeat a mail that is sent twice, and keep no order.
        self.capabilities = Capabilities(
            honours_keys=False, can_look_up=where is not None, chars_max=chars_max, keeps_order=False
        )

    def __repr__(self) -> str:
        return f"MailChannel({self.name!r}, {self._head.address!r})"

    def parse(self, request: InboundRequest) -> tuple[Inbound, ...]:  # noqa: ARG002
        """Refuse: nothing is posted here."""
        raise MalformedInput(f"channel {self.name!r} is a mailbox: write to {self._head.address}")

    def read_sample(self, raw: bytes) -> Events:
        """What one mail would be taken for."""
        return self._reading.events(raw, size=len(raw))

    async def fetch(self, cursor: str | None, *, wait_s: float) -> tuple[Arrival, ...]:
        """The next mails of the folder, each as what it is."""
        today = self._clock.now().date()
        found = await in_thread(
            lambda: self._box.fetch(cursor, today=today, wait_s=wait_s, from_the_start=self._from_the_start),
            stop=self._box.close,
        )
        if isinstance(found, Cursor):
            return (Arrival(events=Events(), cursor=str(found)),)
        arrivals = []
        for mail in found:
            events = await in_thread(partial(self._reading.events, mail.raw, size=mail.size))
            arrivals.append(Arrival(events=events, cursor=mail.cursor, id=f"UID {mail.cursor.split()[1]}"))
        return tuple(arrivals)

    async def send(self, entry: OutboxEntry) -> SendResult:
        """Send one as a mail that begins a thread."""
        return await self.send_letter(entry, None)

    async def send_letter(self, entry: OutboxEntry, answered: Envelope | None) -> SendResult:
        """Send one as the answer to a mail, and say what became of it."""
        limit = self.capabilities.chars_max
        if limit is not None and len(entry.text) > limit:
            return Rejected(reason=f"the reply is {len(entry.text)} characters long, {self.name} takes {limit}")
        try:
            mail = written(self._head, entry, answered)
        except CannotStand as error:
            return Rejected(reason=str(error))
        return await self._smtp.send(mail)

    async def look_up(self, entry: OutboxEntry) -> SendResult:
        """Look for a reply by its Message-ID.

        `Retry` only where the server itself files what it takes and has not: a copy that is not here may be on its way.
        """
        box = self._filed
        if box is None:
            return Unknown(reason=f"{self.name} keeps no copy of what it sends, so nobody can be asked")
        wanted = own_id(entry.id, self._head.domain)
        left_s = 0.0 if self._is_filed_by_server else COPY_WAIT_S_MAX
        try:
            while not (is_there := await in_thread(lambda: box.has(wanted), stop=box.close)) and left_s > 0:
                await self._clock.sleep(COPY_PAUSE_S)
                left_s -= COPY_PAUSE_S
        except ChannelUnreachable as error:
            return Unknown(reason=error.message)
        if is_there:
            return Accepted(provider_id=wanted)
        if self._is_filed_by_server:
            return Retry(reason="the folder in which the server files what it sends does not have it")
        return Unknown(reason="no copy of it came to this mailbox so far")

    async def check(self) -> Reached:
        """Ask both servers whether they let us in, and whether the folders exist; raises `ChannelUnreachable`."""
        box, filed = self._box, self._filed
        said = [await in_thread(box.check, stop=box.close)]
        if filed is not None and self._is_filed_by_server:
            said.append(await in_thread(filed.check, stop=filed.close))
        said.append(await self._smtp.check())
        return Reached(says="; ".join(said))

    async def close(self) -> None:
        """Close the connections to the mailbox, whoever waits there."""
        self._box.close()
        if self._filed is not None:
            self._filed.close()


def in_thread(work: Callable[[], T], *, stop: Callable[[], None] | None = None) -> Awaitable[T]:
    """Run what blocks in a daemon thread of its own; where the caller is cancelled, `stop` ends it.

    The event loop's own threads are waited for at the end of a program, and a look at a mailbox may take half a minute.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if not result.done():
            if error is None:
                result.set_result(value)  # type: ignore[arg-type]
            else:
                result.set_exception(error)

    def run() -> None:
        try:
            value, error = work(), None
        except BaseException as caught:  # noqa: BLE001 - whatever it is, it belongs to who asked
            value, error = None, caught
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, value, error)

    async def waited() -> T:
        try:
            return await result
        except asyncio.CancelledError:
            if stop is not None:
                stop()
            raise

    threading.Thread(target=run, daemon=True, name="understudy-mail").start()
    return waited()
