"""What the webhook channel sends, and what it makes of every way a receiver may answer, break or stay silent.

The receiver is a real socket on the loopback that answers with given bytes, so that what is tested is the whole way.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from replies import reply
from sockets import serving
from understudy.adapters.channels.outlet import RETRY_AFTER_S_MAX
from understudy.adapters.channels.webhook import WebhookChannel
from understudy.records.outbox import Accepted, OutboxEntry, Rejected, Retry, SendResult, Unknown
from understudy.testing.scripted import FROZEN_START, FrozenClock

NEW = "whsec_" + base64.b64encode(b"n" * 32).decode()
OLD = "whsec_" + base64.b64encode(b"o" * 32).decode()
ENTRY = reply(
    text="Ihre Karte kommt übermorgen 👋",
    created_at=datetime(2026, 1, 1, 12, 59, tzinfo=timezone(timedelta(hours=1))),
)


@dataclass
class Receiver:
    """A socket that reads requests and answers each with `answer`; None closes without a word.

    `breaks_off` closes after the first answer, `hold_s` seconds later. `requests` holds what arrived whole.
    """

    answer: bytes | None
    hold_s: float = 0.0
    breaks_off: bool = False
    requests: list[bytes] = field(default_factory=list)
    url: str = ""
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            self.requests.append(head + await reader.readexactly(length))
            if self.answer is None:
                return
            writer.write(self.answer)
            await writer.drain()
            if self.breaks_off or self.hold_s:
                await asyncio.sleep(self.hold_s)
                return

    def headers(self, number: int = 0) -> dict[str, str]:
        lines = self.requests[number].partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def body(self, number: int = 0) -> bytes:
        return self.requests[number].partition(b"\r\n\r\n")[2]


@contextlib.asynccontextmanager
async def listening(receiver: Receiver) -> AsyncIterator[Receiver]:
    async with serving(receiver.serve) as port:
        receiver.url = f"http://127.0.0.1:{port}/replies"
        yield receiver


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def channel(url: str, *, secrets: tuple[str, ...] = (NEW,), **options: Any) -> WebhookChannel:
    return WebhookChannel("shop", url=url, clock=options.pop("clock", FrozenClock()), secrets=secrets, **options)


def send_to(receiver: Receiver, *entries: OutboxEntry, **options: Any) -> list[SendResult]:
    """Send to a receiver, over one channel, and give what came of each."""

    async def scene() -> list[SendResult]:
        async with listening(receiver), channel(receiver.url, **options) as made:
            return [await made.send(entry) for entry in entries or (ENTRY,)]

    return asyncio.run(scene())


def outcome_of(answer: bytes | None, **options: Any) -> SendResult:
    receiver = Receiver(answer, hold_s=options.pop("hold_s", 0.0), breaks_off=options.pop("breaks_off", False))
    return send_to(receiver, **options)[0]


# What is sent.


def test_reply_is_sent_as_an_event_with_its_text_unchanged() -> None:
    receiver = Receiver(http("200 OK"))
    send_to(receiver)
    assert json.loads(receiver.body()) == {
        "type": "message.reply",
        "timestamp": "2026-01-01T11:59:00Z",
        "data": {
            "id": "out-1",
            "conversation_id": "thread-1",
            "to": "+4915100",
            "text": "Ihre Karte kommt übermorgen 👋",
            "author": "agent",
            "ai_generated": True,
            "origin": "ai",
        },
    }


def test_reply_carries_a_signature_the_published_library_would_make() -> None:
    receiver = Receiver(http("200 OK"))
    send_to(receiver)
    headers = receiver.headers()
    moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), tz=UTC)
    assert moment == FROZEN_START
    assert headers["webhook-signature"] == Webhook(NEW).sign("out-1", moment, receiver.body().decode())


def test_reply_is_signed_under_every_secret_so_that_the_receiver_may_hold_either() -> None:
    receiver = Receiver(http("200 OK"))
    send_to(receiver, secrets=(NEW, OLD))
    expected = [Webhook(key).sign("out-1", FROZEN_START, receiver.body().decode()) for key in (NEW, OLD)]
    assert receiver.headers()["webhook-signature"].split() == expected


def test_second_attempt_has_the_same_key_and_body_and_a_new_timestamp() -> None:
    receiver, clock = Receiver(http("200 OK")), FrozenClock()

    async def scene() -> None:
        async with listening(receiver), channel(receiver.url, clock=clock) as made:
            await made.send(ENTRY)
            clock.advance(60)
            await made.send(dataclasses.replace(ENTRY, attempts=2, last_error="busy"))

    asyncio.run(scene())
    first, second = receiver.headers(0), receiver.headers(1)
    assert first["webhook-id"] == second["webhook-id"] == "out-1"
    assert receiver.body(0) == receiver.body(1)
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 60


def test_insecure_channel_sends_the_key_without_a_signature() -> None:
    receiver = Receiver(http("200 OK"))
    send_to(receiver, secrets=(), insecure=True)
    assert receiver.headers()["webhook-id"] == "out-1"
    assert "webhook-signature" not in receiver.headers()


def test_reply_longer_than_the_receiver_takes_is_rejected_and_not_sent() -> None:
    receiver = Receiver(http("200 OK"))
    (result,) = send_to(receiver, chars_max=10)
    assert isinstance(result, Rejected)
    assert receiver.requests == []


# What the answer means.


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "204 No Content"])
def test_success_is_accepted(status: str) -> None:
    assert outcome_of(http(status)) == Accepted()


@pytest.mark.parametrize(
    ("body", "provider_id"),
    [
        (b'{"id": "sms-9"}', "sms-9"),
        (b'{"id": 9}', "9"),
        (b'{"id": true}', None),
        (b'{"id": ""}', None),
        (b'{"id": "a\\u0000"}', None),
        (b'{"id": "%s"}' % (b"x" * 501), None),
        (b"[]", None),
        (b"<html>thanks</html>", None),
        (b"\xff", None),
        (b'{"id": "%s"}' % (b" " * 70_000), None),
    ],
)
def test_receiver_s_own_name_for_the_message_is_read_where_it_is_usable(body: bytes, provider_id: str | None) -> None:
    assert outcome_of(http("200 OK", body)) == Accepted(provider_id=provider_id)


def test_conflict_is_accepted_because_the_receiver_has_seen_the_key() -> None:
    assert outcome_of(http("409 Conflict")) == Accepted()


@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "404 Not Found", "410 Gone", "422 No"])
def test_other_refusals_are_final(status: str) -> None:
    result = outcome_of(http(status))
    assert isinstance(result, Rejected)
    assert status[:3] in result.reason


@pytest.mark.parametrize("status", ["408 Timeout", "425 Too Early", "429 Busy", "501 No", "503 Busy"])
@pytest.mark.parametrize("honours_keys", [True, False])
def test_receiver_that_did_not_take_it_is_tried_again(status: str, honours_keys: bool) -> None:
    assert isinstance(outcome_of(http(status), honours_keys=honours_keys), Retry)


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad Gateway", "504 Gateway Timeout", "599 Odd"])
def test_receiver_that_failed_is_tried_again_where_it_honours_keys(status: str) -> None:
    assert isinstance(outcome_of(http(status)), Retry)


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad Gateway", "504 Gateway Timeout", "599 Odd"])
def test_receiver_that_failed_is_unknown_where_it_honours_no_keys(status: str) -> None:
    assert isinstance(outcome_of(http(status), honours_keys=False), Unknown)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_redirect_is_not_followed(status: str) -> None:
    async def scene() -> tuple[SendResult, Receiver]:
        async with listening(Receiver(http("200 OK"))) as other:
            first = Receiver(http(status, b"", f"location: {other.url}"))
            async with listening(first), channel(first.url) as made:
                return await made.send(ENTRY), other

    result, other = asyncio.run(scene())
    assert isinstance(result, Rejected)
    assert "final URL" in result.reason
    assert other.requests == []


@pytest.mark.parametrize(
    ("value", "after_s"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 12:00:30", 30.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("999999999", RETRY_AFTER_S_MAX),
        ("Fri, 31 Dec 9999 23:59:59 GMT", RETRY_AFTER_S_MAX),
        ("-5", None),
        ("soon", None),
        ("1e9", None),
        ("Thu, 99 Jan 2026 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_read_in_seconds_or_as_a_date(value: str, after_s: float | None) -> None:
    result = outcome_of(http("429 Busy", b"", f"retry-after: {value}"))
    assert isinstance(result, Retry)
    assert result.after_s == after_s


def test_without_retry_after_the_delivery_decides_when() -> None:
    result = outcome_of(http("503 Busy"))
    assert isinstance(result, Retry)
    assert result.after_s is None


# What breaks on the way.


def test_refused_connection_is_tried_again_because_nothing_left() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"

    async def scene() -> SendResult:
        async with channel(url) as made:
            return await made.send(ENTRY)

    result = asyncio.run(scene())
    assert isinstance(result, Retry)
    assert "no connection" in result.reason


def test_failed_tls_handshake_is_tried_again_because_nothing_left() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"this is no TLS\n")

    async def scene() -> SendResult:
        async with serving(refuse) as port, channel(f"https://127.0.0.1:{port}/") as made:
            return await made.send(ENTRY)

    assert isinstance(asyncio.run(scene()), Retry)


def test_silence_after_sending_is_unknown() -> None:
    result = outcome_of(b"", hold_s=5, timeout_s=0.3)
    assert isinstance(result, Unknown)
    assert "0.3 s" in result.reason


def test_headers_that_drip_for_ever_end_at_the_time_limit() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nx: ")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def scene() -> tuple[SendResult, float]:
        async with serving(drip) as port, channel(f"http://127.0.0.1:{port}/", timeout_s=0.3) as made:
            started = asyncio.get_running_loop().time()
            result = await made.send(ENTRY)
            return result, asyncio.get_running_loop().time() - started

    result, took_s = asyncio.run(scene())
    assert isinstance(result, Unknown)
    assert took_s < 2


@pytest.mark.parametrize(
    "answer", [None, b"", b"HTTP/1.1 2", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"]
)
def test_connection_that_breaks_after_sending_is_unknown(answer: bytes | None) -> None:
    assert isinstance(outcome_of(answer, breaks_off=True), Unknown)


def test_answer_that_breaks_after_its_status_stays_accepted() -> None:
    assert outcome_of(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", breaks_off=True) == Accepted()


def test_answer_whose_body_never_ends_stays_accepted() -> None:
    assert outcome_of(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", hold_s=4.0, timeout_s=2.0) == Accepted()


def test_channel_without_keys_opens_a_connection_for_each_send() -> None:
    receiver = Receiver(http("200 OK"))
    send_to(receiver, ENTRY, ENTRY, honours_keys=False)
    assert receiver.connections == 2


def test_channel_with_keys_uses_a_connection_again() -> None:
    receiver = Receiver(http("200 OK"))
    send_to(receiver, ENTRY, ENTRY)
    assert receiver.connections == 1


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b'{"idV2": "r-1"}', b'{"id": {"value": "r-1"}}'])
def test_a_200_without_an_id_is_no_receipt_where_the_receiver_gives_ids(body: bytes) -> None:
    """A broken proxy can say 200 too, and then the customer would wait for a reply that nobody sent."""
    (result,) = send_to(Receiver(http("200 OK", body)), ENTRY, gives_ids=True)
    assert isinstance(result, Unknown)
    assert "without" in result.reason


def test_half_an_answer_is_no_receipt_where_the_receiver_gives_ids() -> None:
    whole = http("200 OK", b'{"id": "r-1"}')
    (result,) = send_to(Receiver(whole[:-4], breaks_off=True), ENTRY, gives_ids=True)
    assert isinstance(result, Unknown)


def test_an_id_is_the_receipt_and_a_seen_key_too_where_the_receiver_gives_ids() -> None:
    assert send_to(Receiver(http("200 OK", b'{"id": "r-1"}')), ENTRY, gives_ids=True) == [Accepted(provider_id="r-1")]
    assert send_to(Receiver(http("409 Seen", b"{}")), ENTRY, gives_ids=True) == [Accepted()]
