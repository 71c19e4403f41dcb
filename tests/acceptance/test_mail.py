"""A mailbox through a whole server: a mail is answered through review in its thread, loops end, bounces bring people in."""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # test files are no package
from mail_servers import PASSWORD, USER, Dovecot, Smtp, dovecot_running, smtp_running
from understudy.adapters.channels.mail_kinds import own_id
from understudy.records.outbox import OutboxState

CONFIGURED = """
[channels.mail]
kind = "email"
address = "help@shop.example"
imap = {{ host = "localhost", port = {imap}, security = "tls" }}
smtp = {{ host = "localhost", port = {smtp}, security = "starttls" }}
password = "{password}"
certificates = "{certificates}"
trusted_host = "mx.shop.example"
from_the_start = true
sent_folder = "Sent"
timeout_s = 5
"""


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with dovecot_running() as one:
        yield one
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@pytest.fixture(scope="module")
def smtp(dovecot: Dovecot) -> Iterator[Smtp]:
    with smtp_running(dovecot.folder, security="starttls") as one:
        yield one


@pytest.fixture(scope="module")
def configured(dovecot: Dovecot, smtp: Smtp) -> str:
    return CONFIGURED.format(imap=dovecot.tls, smtp=smtp.port, password=PASSWORD, certificates=dovecot.certificates)


@pytest.fixture(scope="module")
def product(serve: Callable[..., Any], configured: str) -> Any:
    return serve(more=configured)


@pytest.fixture(scope="module")
def reviewer(product: Any) -> Any:
    return product.client(product.key(name="Ines"))


def mail(name: str, text: str, **headers: str) -> EmailMessage:
    one = EmailMessage()
    given = {
        "Authentication-Results": "mx.shop.example; dmarc=pass header.from=home.example",
        "From": f"Ada <{name}@home.example>",
        "To": USER,
        "Subject": "Opening hours",
        "Message-ID": f"<{name}-1@home.example>",
        **{key.replace("_", "-"): value for key, value in headers.items()},
    }
    for key, value in given.items():
        one[key] = value
    one.set_content(text)
    return one


def replies(smtp: Smtp, name: str) -> list[EmailMessage]:
    return [taken.mail for taken in smtp.taken if taken.recipients[0] == f"{name}@home.example"]


def held(reviewer: Any, reason: str) -> list[Any]:
    return [hold for hold in reviewer.holds() if reason in hold.reasons and hold.channel == "mail"]


def test_a_mail_is_answered_through_review_in_its_thread_and_so_is_the_next(
    product: Any, dovecot: Dovecot, smtp: Smtp, reviewer: Any, words: Any, until: Any
) -> None:
    dovecot.deliver(mail("ada", f"{words.held}\n\n-- \nAda", Subject="Return postage"))
    (hold,) = until(lambda: held(reviewer, "level_assist"))
    assert not smtp.taken
    reviewer.approve(hold.id, version=hold.version)
    (answer,) = until(lambda: replies(smtp, "ada"))
    assert (answer["In-Reply-To"], answer["Subject"]) == ("<ada-1@home.example>", "Re: Return postage")
    assert answer["Auto-Submitted"] == "auto-replied"
    follow = mail(
        "ada", f"{words.automatic}\n\nOn 5 Jan 2026, Shop <{USER}> wrote:\n> We pay it.", Subject="Re: Return postage"
    )
    follow.replace_header("Message-ID", "<ada-2@home.example>")
    follow["References"] = f"<ada-1@home.example> {answer['Message-ID']}"
    dovecot.deliver(follow)
    second = until(lambda: replies(smtp, "ada")[1:])[0]
    assert second["References"].split() == ["<ada-1@home.example>", answer["Message-ID"], "<ada-2@home.example>"]

    def said(tx: Any) -> list[str]:
        known = tx.messages.known("mail", "ada-2@home.example")
        return [message.text for message in tx.messages.of_conversation(known.conversation_id)]

    until(lambda: len(product.app.store.read_now(said)) == 4)
    texts = product.app.store.read_now(said)
    assert texts[0] == f"Return postage\n\n{words.held}"
    assert texts[2] == words.automatic  # without what it quotes
    conversation = product.app.store.read_now(
        lambda tx: tx.messages.known("mail", "ada-2@home.example").conversation_id
    )
    shown = product.http(product.key(name="Lou")).get(f"/v1/conversations/{conversation}").json()["messages"][2]
    assert shown["letter"]["subject"] == "Re: Return postage"
    assert "> We pay it." in shown["letter"]["whole"]
    assert dovecot.flags() == [(), ()]


def test_a_sender_nobody_vouches_for_waits_for_a_person(
    dovecot: Dovecot, smtp: Smtp, reviewer: Any, words: Any, until: Any
) -> None:
    one = mail("eve", words.automatic)
    one.replace_header("Authentication-Results", "mx.shop.example; dmarc=fail header.from=home.example")
    dovecot.deliver(one)
    until(lambda: held(reviewer, "trust_unproven"))
    assert not replies(smtp, "eve")


def test_two_programs_do_not_answer_each_other(
    product: Any, dovecot: Dovecot, smtp: Smtp, words: Any, until: Any
) -> None:
    dovecot.deliver(mail("robot", words.automatic, Auto_Submitted="auto-replied"))
    dovecot.deliver(mail("last", words.automatic))
    until(lambda: replies(smtp, "last"))
    assert not replies(smtp, "robot")
    entries = product.app.store.read_now(lambda tx: tx.ledger.entries(limit=1000))
    assert [entry for entry in entries if entry.event == "channel.passed_over"]


def test_a_reply_that_bounces_brings_a_person_in(
    product: Any, dovecot: Dovecot, smtp: Smtp, reviewer: Any, words: Any, until: Any
) -> None:
    dovecot.deliver(mail("bob", words.automatic))
    (answer,) = until(lambda: replies(smtp, "bob"))
    until(lambda: product.app.store.read_now(lambda tx: not tx.outbox.listed([OutboxState.SENDING], limit=9)))
    dovecot.deliver(
        (
            f"From: MAILER-DAEMON@mx.example\r\nTo: {USER}\r\nMessage-ID: <b@mx.example>\r\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
            "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\nAction: failed\r\n"
            f"Status: 5.1.1\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {answer['Message-ID']}\r\n\r\n--b--\r\n"
        ).encode()
    )
    until(lambda: held(reviewer, "reply_undelivered"))


def test_a_send_of_unknown_outcome_is_looked_up_in_the_sent_folder_and_not_repeated(
    product: Any, dovecot: Dovecot, smtp: Smtp, words: Any, until: Any
) -> None:
    smtp.files = lambda content, to: dovecot.deliver(content, "Sent")
    smtp.breaks = "after"
    dovecot.deliver(mail("kim", words.automatic))

    def settled() -> Any:
        sent = product.app.store.read_now(lambda tx: tx.outbox.listed([OutboxState.SENT], channel="mail", limit=99))
        return [entry for entry in sent if entry.address == "kim@home.example"]

    (entry,) = until(settled)
    assert len(replies(smtp, "kim")) == 1
    (receipt,) = product.app.store.read_now(lambda tx: tx.outbox.receipts(entry.id))
    assert receipt.provider_id == own_id(entry.id, "shop.example")


def test_doctor_show_and_send_test_know_a_mailbox(
    understudy_here: Any, write_folder: Any, configured: str, smtp: Smtp, tmp_path: Path
) -> None:
    write_folder(tmp_path, more=configured)
    said = understudy_here("doctor", cwd=tmp_path).out
    assert "lets help@shop.example read 'INBOX'" in said
    assert "a send of unknown outcome is looked up" in said
    assert 'kind = "email"' in understudy_here("channels", "show", "email", cwd=tmp_path).out
    ended = understudy_here("channels", "send-test", "mail", "--to", "me@home.example", cwd=tmp_path)
    assert (ended.code, "accepted" in ended.out) == (0, True)
    assert replies(smtp, "me")
    wrong = configured.replace(f'password = "{PASSWORD}"', 'password = "other"')
    write_folder(tmp_path, more=wrong)
    said = understudy_here("doctor", cwd=tmp_path)
    assert "cannot be read" in said.out


def test_posting_to_a_mailbox_says_where_to_write(product: Any) -> None:
    answer = product.http().post("/webhooks/mail", content=b"{}")
    assert answer.status_code == 400
    assert "is a mailbox: write to help@shop.example" in answer.json()["detail"]
