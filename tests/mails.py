"""Mails as people's and strangers' programs write them, for tests of what reads them; nothing here judges."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

from understudy.adapters.channels.mail_reading import Reading
from understudy.ports.channel import Events
from understudy.records.conversation import Inbound

READING = Reading(own=frozenset({"help@shop.example"}), domain="shop.example", text_chars_max=20_000, trusted="mx.shop.example")  # fmt: skip
PROVEN = "mx.shop.example; dmarc=pass (p=reject) header.from=home.example"


def mail(text: str = "Where is my kettle?", *, html: str | None = None, **headers: str) -> EmailMessage:
    """A mail as somebody's program writes it."""
    one = EmailMessage()
    given = {
        "Authentication-Results": PROVEN,
        "From": "Ada Byron <Ada@home.example>",
        "To": "help@shop.example",
        "Subject": "My order",
        "Date": "Thu, 01 Jan 2026 12:00:00 +0100",
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


def read(one: EmailMessage | bytes, reading: Reading = READING, **more: Any) -> Events:
    return reading.events(one if isinstance(one, bytes) else one.as_bytes(), **more)


def message(one: EmailMessage | bytes, reading: Reading = READING, **more: Any) -> Inbound:
    (found,) = read(one, reading, **more).messages
    return found


def ignored(one: EmailMessage | bytes, reading: Reading = READING) -> str:
    events = read(one, reading)
    assert not events.messages, events
    assert not events.reports, events
    (why,) = events.ignored
    return why


def raw(*lines: str, body: bytes = b"Hello there") -> bytes:
    head = ["From: ada@home.example", "Message-ID: <raw@home.example>", *lines]
    return "\r\n".join(head).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


QUOTED = [
    "Thanks!\n\nOn Mon, 5 Jan 2026 at 10:00, Shop <help@shop.example> wrote:\n> It left on Monday.\n> Bye",
    "Thanks!\n\nOn Mon, 5 Jan 2026 at 10:00, Shop\n<help@shop.example> wrote:\n\n> It left on Monday.",
    "Thanks!\n\nAm 05.01.2026 um 10:00 schrieb Shop <help@shop.example>:\n> Am Montag.",
    "Thanks!\n\nLe lun. 5 janv. 2026 à 10:00, Shop <help@shop.example> a écrit :\n> Lundi.",
    "Thanks!\n\n-----Original Message-----\nFrom: Shop\nSent: Monday\nTo: Ada\nSubject: RE: My order\n\nIt left.",
    "Thanks!\n\n________________________________\nVon: Shop <help@shop.example>\nGesendet: Montag\nAn: Ada\nBetreff: AW\n\nEs ist weg.",
    "Thanks!\n\nFrom: Shop <help@shop.example>\nDate: Monday\nTo: Ada\nSubject: Re: My order\n\nIt left.",
    "> It left on Monday.\n\nThanks!",
    "On Mon, 5 Jan 2026 at 10:00, Shop wrote:\n> It left on Monday.\n\nThanks!",
    "Thanks!\n\n-- \nAda Byron\nHome",
    "Thanks!\n\nSent from my iPhone",
    "Thanks!\n\nOn 5 Jan 2026, Shop <help@shop.example> wrote:\nIt left on Monday, without any mark.",
]


def bounce(action: str, *, of: str = "understudy.out-1@shop.example", carries: str = "message") -> bytes:
    headers = f"Message-ID: <{of}>\r\nSubject: Re: My order\r\n"
    original = {
        "message": f"Content-Type: message/rfc822\r\n\r\n{headers}\r\nIt left.\r\n",
        "headers": f"Content-Type: text/rfc822-headers\r\n\r\n{headers}\r\n",
    }[carries]
    return (
        "From: MAILER-DAEMON@mx.example\r\nTo: help@shop.example\r\nAuto-Submitted: auto-replied\r\nReturn-Path: <>\r\n"
        "Message-ID: <b-1@mx.example>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; ada@home.example\r\nAction: {action}\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 no such user\r\n\r\n"
        f"--b\r\n{original}--b--\r\n"
    ).encode()
