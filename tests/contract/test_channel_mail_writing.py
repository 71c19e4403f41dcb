"""What replies by mail look like: the same at every try, and nothing in them becomes a header."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from replies import reply
from understudy.adapters.channels.mail_kinds import own_id
from understudy.adapters.channels.mail_writing import Letterhead, written
from understudy.records.pulls import Envelope

LETTER = Envelope(chain=("first@home.example", "m-1@home.example"), subject="My order")
ENTRY = reply(id="out-1", address="ada@home.example", external_id="m-1@home.example", text="It left on Monday.\n.\nBye")


HEAD = Letterhead(address="help@shop.example", name="Shop", domain="shop.example")
HOSTILE = [
    "x\r\nBcc: eve@evil.example",
    "x\n\nbody",
    "x\rBcc: y",
    "\u2028Bcc: y",
    "\x00\x0b\x0c\x85",
    "=?utf-8?q?=0ABcc:_y?=",
    "ü" * 300,
    "\ud800",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_in_a_reply_becomes_a_header(hostile: str) -> None:

    head = dataclasses.replace(HEAD, name=hostile)
    answered = Envelope(chain=(hostile.replace(" ", ""), "m-1@home.example"), subject=hostile)
    content = written(
        head, dataclasses.replace(ENTRY, text=hostile.encode("utf-8", "replace").decode()), answered
    ).content
    mail = message_from_bytes(content, policy=policy.compat32)
    assert mail["Bcc"] is None
    assert {name for name, _ in mail.items()} <= {
        "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
        "X-Auto-Response-Suppress", "X-AI-Generated", "X-AI-Origin", "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
    }  # fmt: skip
    assert mail["Message-ID"] == f"<{own_id('out-1', 'shop.example')}>"
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))


def test_a_reply_is_the_same_at_every_try() -> None:
    assert written(HEAD, ENTRY, LETTER) == written(HEAD, dataclasses.replace(ENTRY, attempts=7, last_error="x"), LETTER)
    assert ENTRY.created_at == datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def test_a_reply_to_a_mail_without_an_id_refers_to_nothing_made_up() -> None:
    content = written(HEAD, ENTRY, Envelope(chain=("a@x", "no-id-123"), subject="AW: Hallo")).content
    assert b"In-Reply-To" not in content
    assert b"References: <a@x>" in content
    assert b"Subject: AW: Hallo" in content
