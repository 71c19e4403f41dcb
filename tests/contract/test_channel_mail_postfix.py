"""A mailbox behind a real Postfix and a real Dovecot: replies arrive in their thread, are looked up, refused at once or sent back later."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mail_servers import PASSWORD, USER, Dovecot, free_port, make_certificate, smtp_running
from postfix_server import Postfix, postfix_running
from replies import reply
from understudy.adapters.channels.mail import MailChannel
from understudy.adapters.channels.mail_reading import Reading
from understudy.adapters.channels.mail_writing import Letterhead
from understudy.adapters.channels.mailbox import Account
from understudy.adapters.system_clock import SystemClock
from understudy.records.outbox import Accepted, Rejected, Report
from understudy.records.pulls import Envelope

WITHIN_S = 60.0


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Postfix, Dovecot]]:
    if shutil.which("dovecot") is None:
        pytest.skip("Dovecot is not installed: apt-get install dovecot-imapd")
    folder = Path(tempfile.mkdtemp(prefix="understudy-"))
    folder.chmod(0o755)
    make_certificate(folder)
    dovecot = Dovecot(folder=folder, plain=free_port(), tls=free_port())
    try:
        with (
            smtp_running(folder, answers={"RCPT": ["550 5.1.1 no such user"]}) as late,
            postfix_running(folder, late=late.port) as postfix,
        ):
            dovecot.start()
            yield postfix, dovecot
    finally:
        dovecot.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def channel(servers: tuple[Postfix, Dovecot]) -> Callable[[], MailChannel]:
    postfix, dovecot = servers
    shared: dict[str, Any] = {
        "host": "localhost",
        "user": USER,
        "timeout_s": 30.0,
        "certificates": dovecot.certificates,
    }

    def build() -> MailChannel:
        return MailChannel(
            "mail",
            imap=Account(port=dovecot.tls, security="tls", password=PASSWORD, **shared),
            smtp=Account(port=postfix.port, security="starttls", password="", **shared),
            folder="INBOX",
            reading=Reading(own=frozenset({USER}), domain="shop.example", text_chars_max=20_000, is_proof_needed=False),
            letterhead=Letterhead(
                address=USER, name="Fernhill", domain="shop.example", footer="By an AI.", copy_to=USER
            ),
            clock=SystemClock(),
        )

    return build


def run(channel: MailChannel, work: Callable[[MailChannel], Any]) -> Any:
    async def scene() -> Any:
        try:
            return await work(channel)
        finally:
            await channel.close()

    return asyncio.run(scene())


def until(holds: Callable[[], Any], what: Callable[[], str]) -> Any:
    ends = time.monotonic() + WITHIN_S
    while not (found := holds()):
        assert time.monotonic() < ends, what()
        time.sleep(0.2)
    return found


ASKED = Envelope(chain=("ada-1@home.example",), subject="My kettle")


def test_reply_arrives_in_its_thread_and_is_found_by_its_copy(servers: Any, channel: Any) -> None:
    postfix, _ = servers
    entry = reply(text="It left on Monday. Grüße\n.\nFrom us", address="ada@home.example", id="out-postfix-1")
    assert isinstance(run(channel(), lambda one: one.send_letter(entry, ASKED)), Accepted)
    (mail,) = until(lambda: postfix.mails("ada@home.example"), lambda: postfix.log)
    assert (mail["In-Reply-To"], mail["Subject"]) == ("<ada-1@home.example>", "Re: My kettle")
    assert mail["Auto-Submitted"] == "auto-replied"
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().startswith("It left on Monday. Grüße\n.\nFrom us")
    until(lambda: postfix.mails(USER), lambda: postfix.log)
    found = run(channel(), lambda one: one.look_up(entry))
    assert isinstance(found, Accepted)
    assert found.provider_id == str(mail["Message-ID"]).strip("<>")


def test_recipient_that_nobody_is_is_refused_at_once(channel: Any) -> None:
    entry = reply(address="nobody@home.example", id="out-postfix-2")
    result = run(channel(), lambda one: one.send_letter(entry, None))
    assert isinstance(result, Rejected)
    assert "the recipient was refused with 550" in result.reason


def test_reply_that_was_taken_and_comes_back_is_a_report(servers: Any, channel: Any) -> None:
    postfix, _ = servers
    begins = run(channel(), lambda one: one.fetch(None, wait_s=0.1))[0].cursor
    entry = reply(address="gone@late.example", id="out-postfix-3")
    assert isinstance(run(channel(), lambda one: one.send_letter(entry, None)), Accepted)

    def reported() -> list[Report]:
        arrivals = run(channel(), lambda one: one.fetch(begins, wait_s=0.1))
        return [report for arrival in arrivals for report in arrival.events.reports]

    (report,) = until(reported, lambda: postfix.log)
    assert (report.has_arrived, report.key) == (False, "out-postfix-3")


def test_doctor_is_let_in_by_both(channel: Any) -> None:
    reached = run(channel(), lambda one: one.check())
    assert "takes mails of" in reached.says
