"""No bytes at all break the reading of mails, and none hold it up."""

from __future__ import annotations

import gzip
import json
import random
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mails import QUOTED, READING, bounce, mail, message, raw
from understudy.ports.channel import Events

DATA = Path(__file__).parents[3] / "shared" / "data" / "injection_bipia_and_benign.jsonl.gz"


def accounted(events: Events) -> bool:
    return bool(events.messages or events.reports or events.ignored) and not events.refused


@given(st.binary(max_size=3_000))
def test_any_bytes_are_accounted_for(body: bytes) -> None:
    assert accounted(READING.events(body))


def test_a_thousand_broken_mails_are_accounted_for() -> None:
    dice = random.Random(4)
    sources = [mail(one, html="<p>x</p>").as_bytes() for one in QUOTED] + [bounce("failed"), bounce("delivered")]
    attached = mail()
    attached.add_attachment(b"x" * 300, maintype="image", subtype="png", filename="x.png")
    sources += [attached.as_bytes(), raw("Content-Type: multipart/mixed; boundary=b", body=b"--b\r\n--b\r\n--b--")]
    for _ in range(1_000):
        body = bytearray(dice.choice(sources))
        for _ in range(dice.randrange(1, 30)):
            place = dice.randrange(len(body))
            match dice.randrange(4):
                case 0:
                    body[place] = dice.randrange(256)
                case 1:
                    del body[place : place + dice.randrange(1, 40)]
                case 2:
                    body[place:place] = dice.choice(
                        [b"\r\n", b"=?", b"?=", b"\x00", b";", b'"', b"--b", b"<", b"\xff", b"(" * 50]
                    )
                case 3:
                    body[place:place] = body[place : place + 60]
            body = body or bytearray(b"x")
        events = READING.events(bytes(body))
        assert accounted(events)
        for one in events.messages:
            assert one.text.strip()
            assert len(one.provider_id) <= 500
            assert len(one.address) <= 500
            one.text.encode()


HOSTILE = {
    "nested": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * 3_000,
    "deep": b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(3_000)),
    "headers": b"X: y\r\n" * 50_000 + b"\r\nHello",
    "references": b"References: " + b"<a@b> " * 100_000 + b"\r\n\r\nHello",
    "from": b"From: " + b"a@b," * 100_000 + b"\r\n\r\nHello",
    "comments": b"From: " + b"(" * 100_000 + b"\r\n\r\nHello",
    "results": b"Authentication-Results: mx.shop.example; " + b"(" * 50_000 + b"dkim=pass;" * 50_000 + b"\r\n\r\nHello",
    "subject": b"Subject: " + b"Re: [x] " * 50_000 + b"\r\n\r\nHello",
    "words": b"Subject: " + b"=?utf-8?q?x?= " * 30_000 + b"\r\n\r\nHello",
    "on": b"\r\n" + b"On " * 300_000,
    "wrote": b"\r\n" + b"On 1 wrote\n" * 50_000,
    "senders": b"\r\n" + b"From: a\n" * 50_000,
    "quotes": b"\r\n" + b"> " * 300_000,
    "tags": b"Content-Type: text/html\r\n\r\n" + b"<div>" * 100_000,
    "attributes": b"Content-Type: text/html\r\n\r\n<a " + b"x=y " * 100_000,
    "comment": b"Content-Type: text/html\r\n\r\n" + b"<!--" * 100_000,
    "declaration": b"Content-Type: text/html\r\n\r\n" + b"<![" * 100_000,
    "instruction": b"Content-Type: text/html\r\n\r\n" + b"<?" * 100_000,
    "open": b"Content-Type: text/html\r\n\r\n" + b"<a " * 100_000,
    "closing": b"Content-Type: text/html\r\n\r\n" + b"</a " * 100_000,
    "value": b"Content-Type: text/html\r\n\r\n" + b'<a x="' * 60_000 + b">",
    "script": b"Content-Type: text/html\r\n\r\n" + b"<script>" * 50_000,
    "script ends": b"Content-Type: text/html\r\n\r\n<script>" + b"</script" * 50_000,
    "closed": b"Content-Type: text/html\r\n\r\n" + b"<div>" * 400 + b"</div><b></b>" * 30_000,
    "entities": b"Content-Type: text/html\r\n\r\n" + b"&#1114112;&amp" * 30_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mails_are_read_in_linear_time(name: str) -> None:
    began = time.process_time()
    assert accounted(READING.events(b"From: ada@home.example\r\nMessage-ID: <h@x>\r\n" + HOSTILE[name]))
    assert time.process_time() - began < 10


@pytest.mark.skipif(not DATA.exists(), reason="the development data is not here")
def test_real_mails_keep_their_words() -> None:
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    texts = [row.get("text") or row.get("content") or "" for row in rows][:4_000:20]
    assert sum(bool(text) for text in texts) > 100
    for text in filter(str.strip, texts):
        found = message(mail(text[:15_000]))
        assert len(found.text) >= 1
