"""A mailbox on real servers: fetched from Dovecot without a change there, answered by SMTP, looked up where copies lie."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # test files are no package
from mail_servers import PASSWORD, USER, Dovecot, Smtp, dovecot_running, free_port, smtp_running
from replies import reply
from understudy.adapters.channels.mail import MailChannel
from understudy.adapters.channels.mail_reading import Reading
from understudy.adapters.channels.mail_sending import hinted_s
from understudy.adapters.channels.mail_writing import Letterhead
from understudy.adapters.channels.mailbox import Account
from understudy.adapters.system_clock import SystemClock
from understudy.errors import ChannelUnreachable
from understudy.ports.channel import Arrival
from understudy.records.conversation import Author
from understudy.records.outbox import Accepted, Rejected, Retry, Unknown
from understudy.records.pulls import Envelope

LETTER = Envelope(chain=("first@home.example", "m-1@home.example"), subject="My order")
ENTRY = reply(id="out-1", address="ada@home.example", external_id="m-1@home.example", text="It left on Monday.\n.\nBye")
Make = Callable[..., MailChannel]


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with dovecot_running() as one:
        yield one


@pytest.fixture(scope="module", autouse=True)
def left_by_others() -> None:
    """After hundreds of files it takes half a second to look through what is there: once is enough."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def tidied() -> Iterator[None]:
    """What the servers of this file leave open is not the product's to answer for."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def smtp(dovecot: Dovecot) -> Iterator[Smtp]:
    dovecot.empty()
    with smtp_running(dovecot.folder) as one:
        yield one


@pytest.fixture
def make(dovecot: Dovecot, smtp: Smtp) -> Make:
    def build(
        *, imap: str = "none", smtp_port: int | None = None, smtp_security: str = "none", password: str = PASSWORD,
        timeout_s: float = 20.0, copies: bool = False, **more: Any,
    ) -> MailChannel:  # fmt: skip
        shared = {"host": "localhost", "user": USER, "password": password, "timeout_s": timeout_s, "certificates": dovecot.certificates}  # fmt: skip
        reading = Reading(own=frozenset({USER}), domain="shop.example", text_chars_max=20_000, is_proof_needed=False)
        head = Letterhead(address=USER, name="Fernhill, Kettles", domain="shop.example", footer="Written by an AI.", copy_to=USER if copies else None)  # fmt: skip
        return MailChannel(
            "mail",
            imap=Account(port=dovecot.tls if imap == "tls" else dovecot.plain, security=imap, **shared),
            smtp=Account(port=smtp_port or smtp.port, security=smtp_security, **shared),
            reading=reading,
            letterhead=head,
            clock=SystemClock(),
            **{"folder": "INBOX", **more},
        )

    return build


def letter(number: int, text: str = "Where is my kettle?") -> bytes:
    return (
        f"From: ada@home.example\r\nMessage-ID: <m-{number}@home.example>\r\nSubject: Order\r\n\r\n{text}\r\n".encode()
    )


def fetched(channel: MailChannel, cursor: str | None, *, wait_s: float = 0.1) -> tuple[Arrival, ...]:
    return asyncio.run(channel.fetch(cursor, wait_s=wait_s))


def ids(arrivals: tuple[Arrival, ...]) -> list[str]:
    return [message.provider_id for one in arrivals for message in one.events.messages]


# --- fetching


@pytest.mark.parametrize("security", ["none", "tls", "starttls"])
def test_only_what_comes_from_now_on_is_fetched_and_nothing_is_changed(
    make: Make, dovecot: Dovecot, security: str
) -> None:
    dovecot.deliver(letter(1))
    channel = make(imap=security)
    (begin,) = fetched(channel, None)
    assert not begin.events.messages
    assert fetched(channel, begin.cursor) == ()
    dovecot.deliver(letter(2))
    dovecot.deliver(letter(3))
    arrivals = fetched(channel, begin.cursor)
    assert ids(arrivals) == ["m-2@home.example", "m-3@home.example"]
    assert ids(fetched(channel, arrivals[0].cursor)) == ["m-3@home.example"]
    assert ids(fetched(channel, begin.cursor)) == ids(arrivals)  # the same cursor gives the same again
    assert dovecot.flags() == [(), (), ()]
    asyncio.run(channel.close())


def test_what_was_there_is_fetched_where_that_is_asked_for_in_portions(make: Make, dovecot: Dovecot) -> None:
    for number in range(23):
        dovecot.deliver(letter(number))
    channel = make(from_the_start=True)
    first = fetched(channel, None)
    second = fetched(channel, first[-1].cursor)
    assert ids(first + second) == [f"m-{number}@home.example" for number in range(23)]
    asyncio.run(channel.close())


@pytest.mark.parametrize("polls", [False, True])
def test_a_mail_that_comes_during_the_wait_is_given(make: Make, dovecot: Dovecot, polls: bool) -> None:
    channel = make(polls=polls)
    (begin,) = fetched(channel, None)
    later = threading.Timer(0.5, dovecot.deliver, [letter(1)])
    later.start()
    began = time.monotonic()
    arrivals = fetched(channel, begin.cursor, wait_s=2 if polls else 60)
    assert ids(arrivals) == ["m-1@home.example"]
    assert polls or time.monotonic() - began < 50  # pushed: nobody waited for the end
    later.join()
    asyncio.run(channel.close())


def test_where_the_server_numbers_anew_nothing_is_left_out(make: Make, dovecot: Dovecot) -> None:
    channel = make()
    (begin,) = fetched(channel, None)
    dovecot.deliver(letter(1))
    (arrival,) = fetched(channel, begin.cursor)
    dovecot.deliver(letter(2))
    dovecot.renumber()
    with pytest.raises(ChannelUnreachable):  # the connection that was open is gone
        fetched(channel, arrival.cursor)
    again = fetched(channel, arrival.cursor)
    assert set(ids(again)) == {"m-1@home.example", "m-2@home.example"}  # known ones are recognised by their ids
    assert again[-1].cursor.split()[0] != arrival.cursor.split()[0]
    assert fetched(channel, again[-1].cursor) == ()
    asyncio.run(channel.close())


def test_a_huge_mail_is_read_from_its_beginning_alone(make: Make, dovecot: Dovecot) -> None:
    channel = make(bytes_max=10_000)
    (begin,) = fetched(channel, None)
    dovecot.deliver(letter(1, "Where is it?\r\n" + "word " * 10_000))
    (arrival,) = fetched(channel, begin.cursor)
    assert "[only the first 10 kB of this mail's 50 kB were read]" in arrival.events.messages[0].text
    asyncio.run(channel.close())


def test_a_look_that_is_cancelled_ends_at_once(make: Make) -> None:
    async def scene() -> None:
        channel = make()
        (begin,) = await channel.fetch(None, wait_s=0.1)
        looking = asyncio.ensure_future(channel.fetch(begin.cursor, wait_s=600))
        await asyncio.sleep(0.5)
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking
        assert await channel.fetch(begin.cursor, wait_s=0.1) == ()  # and the next one opens its own connection
        await channel.close()

    asyncio.run(asyncio.wait_for(scene(), 60))
    assert not [one for one in threading.enumerate() if one.name == "understudy-mail" and _stays(one)]


def _stays(thread: threading.Thread) -> bool:
    thread.join(20)
    return thread.is_alive()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"password": "other"}, "cannot be read: .*[Aa]uth"),
        ({"folder": "Nowhere"}, "'Nowhere'"),
        ({"smtp_port": 9}, "does not let us in"),
        ({"sent_folder": "Gone"}, "'Gone'"),
    ],
)
def test_doctor_says_what_does_not_let_us_in(make: Make, wrong: dict[str, Any], says: str) -> None:
    async def scene() -> None:
        channel = make(**wrong)
        try:
            await channel.check()
        finally:
            await channel.close()

    with pytest.raises(ChannelUnreachable, match=says):
        asyncio.run(scene())


def test_doctor_says_what_does(make: Make) -> None:
    async def scene() -> str:
        channel = make(sent_folder="Sent")
        try:
            return (await channel.check()).says
        finally:
            await channel.close()

    said = asyncio.run(scene())
    assert f"lets {USER} read 'INBOX' and is told of new mail" in said
    assert f"takes mails of {USER}" in said


# --- sending


def sent(channel: MailChannel, entry: Any = ENTRY, answered: Envelope | None = LETTER) -> Any:
    async def scene() -> Any:
        try:
            return await channel.send_letter(entry, answered)
        finally:
            await channel.close()

    return asyncio.run(scene())


def test_a_reply_is_a_mail_in_the_thread_it_answers(make: Make, smtp: Smtp) -> None:
    assert sent(make()) == Accepted(provider_id="understudy.out-1@shop.example")
    (taken,) = smtp.taken
    mail = taken.mail
    assert (taken.sender, taken.recipients) == (USER, ["ada@home.example"])
    assert mail["From"] == '"Fernhill, Kettles" <help@shop.example>'
    assert (mail["To"], mail["Subject"]) == ("ada@home.example", "Re: My order")
    assert mail["Message-ID"] == "<understudy.out-1@shop.example>"
    assert mail["In-Reply-To"] == "<m-1@home.example>"
    assert mail["References"] == "<first@home.example> <m-1@home.example>"
    assert (mail["Auto-Submitted"], mail["X-AI-Generated"]) == ("auto-replied", "yes")
    assert mail.get_content().replace("\r\n", "\n") == "It left on Monday.\n.\nBye\n\n-- \nWritten by an AI.\n"


def test_a_persons_reply_is_no_automatic_one(make: Make, smtp: Smtp) -> None:
    sent(make(), dataclasses.replace(ENTRY, author=Author.REVIEWER, ai_generated=False))
    mail = smtp.taken[0].mail
    assert (mail["Auto-Submitted"], mail["X-AI-Generated"]) == (None, None)
    assert mail.get_content().replace("\r\n", "\n") == "It left on Monday.\n.\nBye\n"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_reply_leaves_encrypted(make: Make, dovecot: Dovecot, security: str) -> None:
    with smtp_running(dovecot.folder, security=security) as other:
        assert isinstance(sent(make(smtp_port=other.port, smtp_security=security)), Accepted)
        assert len(other.taken) == 1


def test_a_certificate_of_a_stranger_is_not_believed(make: Make, dovecot: Dovecot) -> None:
    with smtp_running(dovecot.folder, security="tls") as other:
        channel = make(smtp_port=other.port, smtp_security="tls")
        strange = dataclasses.replace(channel._smtp._account, certificates=None)
        channel._smtp._account = strange
        found = sent(channel)
        assert isinstance(found, Retry)
        assert "certificate" in found.reason.lower()
        assert not other.taken


@pytest.mark.parametrize(
    ("answers", "kind", "says"),
    [
        ({"RCPT": ["550 5.1.1 no such user"]}, Rejected, "the recipient was refused with 550: 5.1.1 no such user"),
        ({"RCPT": ["450 4.2.0 greylisted, try again in 5 minutes"]}, Retry, "450"),
        ({"DATA": ["554 5.7.1 spam"]}, Rejected, "the mail was refused with 554: 5.7.1 spam"),
        ({"DATA": ["451 4.3.0 later"]}, Retry, "451"),
    ],
)
def test_a_refusal_means_what_the_server_says(
    make: Make, smtp: Smtp, answers: dict[str, list[str]], kind: type, says: str
) -> None:
    smtp.answers = answers
    found = sent(make())
    assert isinstance(found, kind)
    assert says in found.reason  # type: ignore[attr-defined]
    assert not smtp.taken


def test_a_refusal_says_when_to_try_again() -> None:
    assert hinted_s("greylisted, try again in 5 minutes") == 300
    assert hinted_s("please retry after 90s") == 90
    assert hinted_s("come back in 99 hours") == 3_600
    assert hinted_s("later") == 60


def test_no_server_and_no_login_are_tried_again(make: Make) -> None:
    assert isinstance(sent(make(smtp_port=free_port())), Retry)
    assert isinstance(sent(make(password="other")), Retry)


@pytest.mark.parametrize("breaks", ["before", "after"])
def test_a_connection_that_breaks_after_the_content_is_unknown(make: Make, smtp: Smtp, breaks: str) -> None:
    smtp.breaks = breaks
    found = sent(make())
    assert isinstance(found, Unknown)
    assert "it may have taken the mail" in found.reason


def test_silence_after_the_content_is_unknown_and_before_it_nothing_was_sent(make: Make, smtp: Smtp) -> None:
    smtp.files = lambda content, to: time.sleep(3)
    assert isinstance(sent(make(timeout_s=1)), Unknown)

    async def scene() -> Any:
        async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()

        async with await asyncio.start_server(hold, "127.0.0.1", 0) as mute:
            channel = make(timeout_s=1, smtp_port=mute.sockets[0].getsockname()[1])
            return await channel.send_letter(ENTRY, LETTER)

    assert isinstance(asyncio.run(scene()), Retry)


def test_a_reply_that_is_too_long_or_has_no_address_is_refused_unsent(make: Make, smtp: Smtp) -> None:
    assert isinstance(sent(make(chars_max=5)), Rejected)
    for address in ("nobody", "a@b\r\nBcc: eve@evil.example", "", "a b@c", "ada@home.example, eve@evil.example"):
        assert isinstance(sent(make(), dataclasses.replace(ENTRY, address=address)), Rejected), address
    assert not smtp.taken


# --- looking up


def looked_up(channel: MailChannel, entry: Any = ENTRY) -> Any:
    async def scene() -> Any:
        try:
            return await channel.look_up(entry)
        finally:
            await channel.close()

    return asyncio.run(scene())


def test_an_unknown_send_is_found_where_the_server_files_what_it_took(make: Make, smtp: Smtp, dovecot: Dovecot) -> None:
    smtp.files = lambda content, to: dovecot.deliver(content, "Sent")
    smtp.breaks = "after"
    channel = make(sent_folder="Sent")
    assert channel.capabilities.can_look_up
    assert isinstance(sent(channel), Unknown)
    assert looked_up(make(sent_folder="Sent")) == Accepted(provider_id="understudy.out-1@shop.example")
    assert isinstance(looked_up(make(sent_folder="Sent"), dataclasses.replace(ENTRY, id="out-2")), Retry)


def test_an_unknown_send_is_found_by_its_copy_and_never_said_to_be_lost(
    make: Make, smtp: Smtp, dovecot: Dovecot
) -> None:
    smtp.files = lambda content, to: dovecot.deliver(content) if USER in to else None
    smtp.breaks = "after"
    assert isinstance(sent(make(copies=True)), Unknown)
    assert smtp.taken[0].recipients == ["ada@home.example", USER]
    assert isinstance(looked_up(make(copies=True)), Accepted)
    from understudy.adapters.channels import mail

    before, mail.COPY_WAIT_S_MAX = mail.COPY_WAIT_S_MAX, 1.0
    try:
        assert isinstance(looked_up(make(copies=True), dataclasses.replace(ENTRY, id="out-2")), Unknown)
    finally:
        mail.COPY_WAIT_S_MAX = before


def test_a_mailbox_that_keeps_no_copy_cannot_be_asked(make: Make) -> None:
    assert not make().capabilities.can_look_up
    assert isinstance(looked_up(make()), Unknown)


def test_a_look_up_that_fails_says_nothing(make: Make) -> None:
    assert isinstance(looked_up(make(sent_folder="Gone")), Unknown)
